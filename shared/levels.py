"""The colours of warning, in the order of the Chinese scale: blue < yellow < orange < red."""

from enum import StrEnum


class Colour(StrEnum):
    """Severity of an alarm level."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        """1 for blue (IV) up to 4 for red (I)."""
        return list(Colour).index(self) + 1
