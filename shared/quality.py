"""Quality flags of a reading: those of HJ 212-2017 Table 8, and the platform's own beside them."""

from enum import StrEnum

MAX_VALUE = 1e30
"""No instrument means a larger number, in whatever unit; the squares of larger ones would not fit sums of a period."""


class Quality(StrEnum):
    """How far a value is to be trusted.

    Up to ``COMMUNICATION_ERROR`` an instrument says it of its own value. The rest is never sent by a device: a platform
    or a reviewer says it. Their letters are none that HJ 212 uses, so an older receiver takes them for unknown flags.
    """

    NORMAL = "N"
    STOPPED = "F"
    MAINTENANCE = "M"
    MANUAL = "S"
    FAULT = "D"
    CALIBRATING = "C"
    OVER_RANGE = "T"
    COMMUNICATION_ERROR = "B"
    MISSING = "X"
    """The reading was told of, but it has no value."""
    STUCK = "K"
    """The value has not moved for longer than a live instrument can stand still."""
    REJECTED = "R"
    """A reviewer does not accept the value."""
    CLOCK_SKEWED = "W"
    """The value is good, but the clock of the device was off by more than the limit: its time is doubtful."""

    @property
    def proves_gas(self) -> bool:
        """Whether a gas alarm may rest on it: a normal value, one beyond the range, or one that is only doubted.

        A sensor that stands still at a high value, or whose clock is wrong, must not look as safe as a silent one.
        """
        return self in _PROOF

    @property
    def is_valid(self) -> bool:
        """Whether the value counts in means and towards the share of valid readings."""
        return self in (Quality.NORMAL, Quality.OVER_RANGE)

    @property
    def of_device(self) -> bool:
        """Whether HJ 212 knows the flag."""
        return self not in _OWN


_PROOF = frozenset({Quality.NORMAL, Quality.OVER_RANGE, Quality.STUCK, Quality.CLOCK_SKEWED})
_OWN = frozenset({Quality.MISSING, Quality.STUCK, Quality.REJECTED, Quality.CLOCK_SKEWED})
