"""The load of alarms on an operator: rates and floods, from how many alarms called in each ten minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

PERIOD = timedelta(minutes=10)
"""What alarms are counted in. A span that is judged is cut into periods from its start."""
_PERIODS_AN_HOUR = 6
_MANY_IN_A_PERIOD = 10
_MANY_IN_AN_HOUR = 30
_FLOOD_ENDS_BELOW = 5
"""ISA-18.2: a flood begins with a period of more than ten alarms and ends before the first of less than five."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should not exceed: an example that is customary, not a duty."""

    figure: str
    at_most: float
    note: str


_SOURCE = "example of ISA-18.2, IEC 62682 and EEMUA 191; a park may set its own"
TARGETS = (
    Target("alarms_per_operator_hour", 6, f"12 at most can be managed; {_SOURCE}"),
    Target("alarms_per_operator_day", 150, f"300 at most can be managed; {_SOURCE}"),
    Target("busiest_period", 10, _SOURCE),
    Target("periods_over_ten_share", 0.01, _SOURCE),
    Target("hours_over_thirty_share", 0.01, _SOURCE),
    Target("flood_time_share", 0.01, _SOURCE),
    Target("bad_actors_share", 0.05, _SOURCE),
    Target("chattering", 0, _SOURCE),
    Target("stale", 4, f"less than five on any day; {_SOURCE}"),
)


@dataclass(frozen=True, slots=True)
class Flood:
    """A time in which more called than an operator can answer. `alarms`, and `peak` of ten minutes, are for one."""

    begin: datetime
    end: datetime
    alarms: float
    peak: float


@dataclass(frozen=True, slots=True)
class Load:
    """All but `alarms` is for one operator; shares are from 0 to 1, the busiest period is a number of alarms."""

    alarms: int
    alarms_per_operator_hour: float
    alarms_per_operator_day: float
    busiest_period: float
    periods_over_ten_share: float
    hours_over_thirty_share: float
    flood_time_share: float
    floods: list[Flood]


def load(counts: Mapping[int, int], since: datetime, until: datetime, operators: float) -> Load:
    """The load from `since` to `until` on `operators` who share the alarms evenly.

    `counts` has the alarms of each period, numbered from 0 at `since`; periods without any may be left out. Raises
    ValueError for a span or a number of operators that is not positive.
    """
    if until <= since or operators <= 0:
        raise ValueError("a load needs a span after its start, and operators")
    periods = -(-(until - since) // PERIOD)
    each = {number: count / operators for number, count in sorted(counts.items()) if 0 <= number < periods}
    hours = (until - since) / timedelta(hours=1)
    alarms = sum(counts[number] for number in each)
    by_hour: dict[int, float] = {}
    for number, count in each.items():
        by_hour[number // _PERIODS_AN_HOUR] = by_hour.get(number // _PERIODS_AN_HOUR, 0.0) + count
    floods = _floods(each, since, until)
    return Load(
        alarms=alarms,
        alarms_per_operator_hour=alarms / operators / hours,
        alarms_per_operator_day=alarms / operators / hours * 24,
        busiest_period=max(each.values(), default=0.0),
        periods_over_ten_share=sum(count > _MANY_IN_A_PERIOD for count in each.values()) / periods,
        hours_over_thirty_share=sum(count > _MANY_IN_AN_HOUR for count in by_hour.values())
        / -(-periods // _PERIODS_AN_HOUR),
        flood_time_share=sum((flood.end - flood.begin for flood in floods), timedelta()) / (until - since),
        floods=floods,
    )


def _floods(each: Mapping[int, float], since: datetime, until: datetime) -> list[Flood]:
    """Periods in a row from one of more than ten alarms on, while each has at least five."""
    floods: list[Flood] = []
    run: list[float] = []
    for number, count in each.items():
        follows = bool(run) and count >= _FLOOD_ENDS_BELOW and each.get(number - 1, 0.0) >= _FLOOD_ENDS_BELOW
        if follows:
            run.append(count)
        elif count > _MANY_IN_A_PERIOD:
            run = [count]
        else:
            run = []
            continue
        begin = since + (number - len(run) + 1) * PERIOD
        flood = Flood(begin, min(begin + len(run) * PERIOD, until), sum(run), max(run))
        floods[-1:] = [flood] if follows else [*floods[-1:], flood]
    return floods
