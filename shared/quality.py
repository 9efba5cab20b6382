"""Quality flags of a reading, as HJ 212-2017 Table 8 names them."""

from enum import StrEnum


class Quality(StrEnum):
    """What the instrument says of its own value."""

    NORMAL = "N"
    STOPPED = "F"
    MAINTENANCE = "M"
    MANUAL = "S"
    FAULT = "D"
    CALIBRATING = "C"
    OVER_RANGE = "T"
    COMMUNICATION_ERROR = "B"

    @property
    def proves_gas(self) -> bool:
        """Whether a gas alarm may rest on it: a normal value, or one beyond the instrument's range."""
        return self in (Quality.NORMAL, Quality.OVER_RANGE)
