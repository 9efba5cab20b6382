"""The quality of a mean: whether enough of the readings behind it are valid."""

from shared.quality import Quality

VALID_SHARE = 0.75
"""HJ 212-2017: a value over a period is normal when at least 75 % of the readings in it are."""


def quality_of_mean(
    count: int, valid: int, over_range: int, share: float = VALID_SHARE, expected: int | None = None
) -> Quality:
    """The quality of a mean over ``count`` readings of which ``valid`` are normal or over range.

    ``expected`` is the number of readings that the period should have; None where the instrument's interval is not
    known. Over range wins over everything: part of the truth lies above the mean. Nothing at all is missing.
    """
    if over_range:
        return Quality.OVER_RANGE
    if not count:
        return Quality.MISSING
    return Quality.NORMAL if valid and valid >= share * max(count, expected or 0) else Quality.FAULT
