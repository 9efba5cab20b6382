"""What facts told that are gone for good: read again from what ingest has stored.

Ingest keeps a fact until it was read, but not for ever. Who comes back later than that finds a gap in the stream. The
readings of that time are stored all the same; which of them matter is asked by the hour, so that the quiet ones, which
are most, are not read.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from math import inf

import httpx
import numpy as np

from services.alerts.conditions import RAW, Readings
from services.alerts.engine.history import HistoryRefused, HistoryUnavailable, history, hourly_maxima
from services.alerts.engine.readings import Limits
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.watched import Watched
from shared.messages import ObservationsStored
from shared.streams import Fact
from shared.telemetry import get_logger
from shared.time import from_microseconds, to_microseconds

log = get_logger(__name__)
MOST_READINGS = 500_000
"""Of the past, beside those that are live: so many are evaluated in one go in some hundred milliseconds."""
_AT_ONCE = 50
_HOUR = timedelta(hours=1)

_LONGEST_GAP = 366 * 86_400_000_000
"""How far back in event time what was missed is looked for, in microseconds."""

Span = tuple[datetime, datetime]


class MissedReadings:
    """Of the stations that `owns` accepts."""

    def __init__(
        self, ingest: httpx.AsyncClient, registry: Registry, rulebook: RuleBook, *, owns: Callable[[str], bool]
    ) -> None:
        self._ingest = ingest
        self._registry = registry
        self._rulebook = rulebook
        self._owns = owns

    async def before(
        self, following: Fact, watched: Watched, limits: Limits, bound: int, now: datetime
    ) -> list[ObservationsStored]:
        """What the facts before this one, which are gone, told of the stations beyond what is evaluated of them.

        It counts as received when `following` was. Raises `httpx.HTTPError` where ingest does not answer.
        """
        try:
            until = ObservationsStored.decode(following.payload).received_at or to_microseconds(now)
        except ValueError:
            until = to_microseconds(now)
        live_since, heads = until - limits.live_horizon, watched.heads()
        # The newest reading may have come from a clock that leads, and others may have been on their way.
        since = max(heads.values(), default=live_since + limits.ahead + bound) - limits.ahead - bound
        since = min(max(since, until - _LONGEST_GAP), until - 1)
        return await self.between(since, until, live_since, heads, watched.standing())

    async def between(
        self, since: int, until: int, live_since: int, heads: Mapping[int, int], standing: AbstractSet[int]
    ) -> list[ObservationsStored]:
        """The readings from `since` up to before `until` (event time, us) that may matter, as ingest would have told.

        They are received at `until`: those from `live_since` on are live. `heads`: by datastream the newest reading
        that was evaluated; what is not after it is left out. `standing`: those with an alarm, which may have to return.
        Raises `httpx.HTTPError` where ingest does not answer.
        """
        end, live = from_microseconds(until), _hour_of(from_microseconds(live_since))
        parks: defaultdict[str, list[Datastream]] = defaultdict(list)
        for station, datastreams in self._registry.stations.items():
            if self._owns(station):
                for datastream in datastreams:
                    if self._registry.is_feed(datastream.id) and self._rulebook.rules_for(datastream):
                        parks[datastream.park_id].append(datastream)
        recent: list[tuple[Datastream, Span]] = []
        past: list[tuple[Datastream, Span]] = []
        for park_id, datastreams in parks.items():
            for first in range(0, len(datastreams), _AT_ONCE):
                some = datastreams[first : first + _AT_ONCE]
                hours = await self._hours(park_id, some, from_microseconds(since), end)
                for datastream in some:
                    wake, level = self._heights(datastream)
                    reaching = [hour for hour, maximum in hours.get(datastream.id, {}).items() if maximum >= level]
                    moved = any(hour >= live and top >= wake for hour, top in hours.get(datastream.id, {}).items())
                    if moved or datastream.id in standing:
                        recent.append((datastream, (max(live, from_microseconds(since)), end)))
                    past += [(datastream, (hour, min(hour + _HOUR, live))) for hour in sorted(reaching) if hour < live]
        found = [await self._readings(*each, heads) for each in recent]
        left = MOST_READINGS
        for datastream, span in past:
            if left <= 0:
                log.warning("missed_history_not_all_read", since=span[0].isoformat(), datastream_id=datastream.id)
                break
            found.append(await self._readings(datastream, span, heads))
            left -= len(found[-1][1])
        return [as_message(number, readings, until) for number, readings in found if len(readings)]

    def _heights(self, datastream: Datastream) -> tuple[float, float]:
        """The lowest reading that may matter to any rule; that which reaches a level of one about the raw value."""
        rules = self._rulebook.rules_for(datastream)
        wake = min(
            rule.measure.wake(rule.levels[0].threshold) if not rule.measure.is_prepared else -inf for rule in rules
        )
        return wake, min((rule.levels[0].threshold for rule in rules if rule.measure == RAW), default=inf)

    async def _hours(
        self, park_id: str, datastreams: list[Datastream], since: datetime, until: datetime
    ) -> dict[int, dict[datetime, float]]:
        found: defaultdict[int, dict[datetime, float]] = defaultdict(dict)
        ids = [datastream.id for datastream in datastreams]
        try:
            async for number, hour, maximum in hourly_maxima(self._ingest, park_id, ids, _hour_of(since), until):
                found[number][hour] = maximum
        except HistoryRefused as error:
            log.warning("missed_readings_refused", park_id=park_id, error=str(error)[:200])
        except HistoryUnavailable as error:
            raise httpx.ReadTimeout(str(error)) from error
        return found

    async def _readings(self, datastream: Datastream, span: Span, heads: Mapping[int, int]) -> tuple[int, Readings]:
        readings = await stored_readings(self._ingest, datastream.park_id, datastream.id, *span)
        return datastream.id, readings.take(readings.time > heads.get(datastream.id, -1))


async def stored_readings(
    ingest: httpx.AsyncClient, park_id: str, datastream_id: int, start: datetime, end: datetime
) -> Readings:
    """What an alarm may rest on; none where ingest does not know the datastream any more.

    Raises `httpx.HTTPError` where ingest does not answer.
    """
    parts = [Readings.of([])]
    try:
        async for part, _ in history(ingest, park_id, datastream_id, start, end):
            parts.append(part)
    except HistoryRefused as error:
        log.warning("missed_readings_refused", datastream_id=datastream_id, error=str(error)[:200])
    except HistoryUnavailable as error:
        raise httpx.ReadTimeout(str(error)) from error
    return Readings(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.over_range for part in parts]),
    )


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def as_message(number: int, readings: Readings, received: int) -> ObservationsStored:
    """Readings of a datastream as ingest would have told them when it `received` them [us]."""
    return ObservationsStored(
        datastream_id=np.full(len(readings), number, "<i4").tobytes(),
        time=readings.time.astype("<i8").tobytes(),
        value=readings.value.astype("<f8").tobytes(),
        quality="".join(np.where(readings.over_range, "T", "N").tolist()),
        received_at=received,
    )
