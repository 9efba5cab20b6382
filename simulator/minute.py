"""One minute of a channel as HJ 212 sends it: least, mean, greatest value and a flag."""

from __future__ import annotations

from collections.abc import Sequence

from shared.hj212.readings import Reading

# HJ 212-2017: a gas mean is normal when at least 75 % of its samples are.
NORMAL_SHARE = 0.75


def minute_reading(
    factor: str, values: Sequence[float], over: Sequence[bool], digits: int, direction: float | None = None
) -> Reading:
    """Minute value of samples in the sent unit, the mean with `digits` behind the point.

    Samples over the range make the mean too low: where they are more than a quarter the mean is flagged T, so that it
    never looks safe. `direction` replaces the mean of a wind direction, which has neither a least nor a greatest value.
    """
    flag = "N" if 1.0 - sum(over) / len(over) >= NORMAL_SHARE else "T"
    if direction is not None:
        return Reading(factor=factor, statistic="Avg", value=direction, flag=flag)
    mean = round(sum(values) / len(values), digits)
    return Reading(factor=factor, statistic="Avg", value=mean, flag=flag, minimum=min(values), maximum=max(values))
