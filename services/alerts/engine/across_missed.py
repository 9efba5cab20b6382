"""What facts told that are gone for good, for rules across stations: read from what ingest has stored."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import httpx

from services.alerts.engine.missed import as_message, stored_readings
from services.alerts.engine.outages import is_outage
from services.alerts.engine.readings import Limits
from services.alerts.engine.registry import Registry
from shared.messages import ObservationsStored
from shared.streams import Fact, observation_stream, shard_of
from shared.telemetry import get_logger
from shared.time import from_microseconds

log = get_logger(__name__)


class MissedByMembers:
    """Of the members of rules, in the observation streams of so many `shards`."""

    def __init__(self, ingest: httpx.AsyncClient, registry: Registry, shards: int) -> None:
        self._ingest = ingest
        self._registry = registry
        self._shards = shards

    async def before(
        self,
        facts: Sequence[tuple[Fact, ObservationsStored]],
        positions: Mapping[str, int],
        members: AbstractSet[int],
        limits: Limits,
        wall: int,
    ) -> list[ObservationsStored]:
        """What facts between `positions` (by stream) and `facts` told of `members` (datastreams): most often nothing.

        It counts as received when the first fact that is there again was; what would be too late by then is left out.
        Raises `httpx.HTTPError` where ingest does not answer.
        """
        found: list[ObservationsStored] = []
        read = dict(positions)
        for fact, message in facts:
            after, read[fact.stream] = read[fact.stream], fact.position
            if fact.position == after + 1:
                continue
            log.warning("facts_missed_across", stream=fact.stream, after=after, up_to=fact.position - 1)
            own = [i for i in sorted(members) if self._stream_of(i) == fact.stream]
            try:
                found += await self._of(own, message.received_at or wall, limits)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("missed_facts_given_up_across", stream=fact.stream, up_to=fact.position - 1)
        return found

    async def _of(self, datastreams: Iterable[int], until: int, limits: Limits) -> list[ObservationsStored]:
        span = from_microseconds(until - limits.live_horizon), from_microseconds(until)
        messages = []
        for datastream_id in datastreams:
            datastream = self._registry.datastream(datastream_id)
            if datastream is not None:
                readings = await stored_readings(self._ingest, datastream.park_id, datastream_id, *span)
                messages.append(as_message(datastream_id, readings, until))
        return messages

    def _stream_of(self, datastream_id: int) -> str | None:
        datastream = self._registry.datastream(datastream_id)
        return observation_stream(shard_of(datastream.station_id, self._shards)) if datastream is not None else None
