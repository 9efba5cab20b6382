"""The live events of one process: one reader of the facts, however many clients listen."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx
from pydantic import ValidationError
from redis.asyncio import Redis

from services.gateway.events.datastreams import DatastreamParks
from services.gateway.events.event import REPLAYED, Event, Kind
from services.gateway.events.feeds import Feed, not_understood, recent_only
from services.gateway.events.hub import Hub
from services.gateway.events.latest import LatestValues
from services.gateway.routing import Service
from shared.messages import (
    AlarmChanged,
    FloodChanged,
    IncidentChanged,
    ObservationsStored,
    RegistryChanged,
    RoleCalled,
    RunChanged,
)
from shared.outbox import http_catch_up
from shared.streams import READ_COUNT, Fact, FactReader, observation_stream

PRODUCERS = {
    Service.ALERTS: ["alarms", "incidents", "floods", "notifications"],
    Service.MODEL: ["runs"],
}
Told = AlarmChanged | RunChanged | IncidentChanged | FloodChanged | RoleCalled
MESSAGES: Mapping[Kind, type[Told]] = {
    Kind.ALARM: AlarmChanged,
    Kind.RUN: RunChanged,
    Kind.INCIDENT: IncidentChanged,
    Kind.FLOOD: FloodChanged,
    Kind.NOTIFICATION: RoleCalled,
}
COALESCE_S = 1.0


class LiveEvents:
    """Facts in, events out: to the clients of `hub`, and again to one that asks for what it has missed."""

    def __init__(self, redis: Redis, services: dict[Service, httpx.AsyncClient], shards: int) -> None:
        self.hub = Hub()
        self._latest = LatestValues()
        self._parks = DatastreamParks(services[Service.INGEST])
        catch_ups = {service: http_catch_up(services[service]) for service in PRODUCERS}
        self._catch_ups = {stream: catch_ups[service] for service, streams in PRODUCERS.items() for stream in streams}
        self._readers = {stream: FactReader(redis, catch_up) for stream, catch_up in self._catch_ups.items()}
        observations = ["registry", *(observation_stream(shard) for shard in range(shards))]
        ingest = recent_only(http_catch_up(services[Service.INGEST]))
        self._feeds = [
            Feed(redis, ingest, observations, self._on_ingest),
            *(
                Feed(redis, catch_ups[service], streams, self._on_fact, self.hub.begin)
                for service, streams in PRODUCERS.items()
            ),
        ]

    async def run(self) -> None:
        """Read, gather and fan out until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for feed in self._feeds:
                tasks.create_task(feed.run())
            tasks.create_task(self._parks.run())
            tasks.create_task(self._tell_latest())

    async def replay(self, stream: str, after: int, upto: int) -> AsyncIterator[Event]:
        """The events of a stream at the positions `after` < position <= `upto`; from Redis, else from the producer.

        Raises what `feeds.OUTAGES` lists when neither can tell; what is beyond the producer's retention is left out.
        """
        while after < upto:
            facts = await self._readers[stream].read({stream: after}, block_ms=1)
            if not facts:
                facts = await self._catch_ups[stream](stream, after, READ_COUNT)
            for fact in facts:
                if fact.position > upto:
                    return
                try:
                    event = event_of(fact)
                except ValidationError as error:
                    not_understood(fact, error)
                else:
                    yield event
            if not facts:
                return
            after = facts[-1].position

    def _on_fact(self, fact: Fact) -> None:
        # Passed even if it is not understood: a client must not wait for it for ever.
        self.hub.pass_position(fact.stream, fact.position)
        self.hub.publish(event_of(fact))

    def _on_ingest(self, fact: Fact) -> None:
        if fact.stream == "registry":
            RegistryChanged.decode(fact.payload)
            self._parks.registry_changed()
        elif self.hub.has_clients:
            self._latest.add(ObservationsStored.decode(fact.payload))

    async def _tell_latest(self) -> None:
        while True:
            await asyncio.sleep(COALESCE_S)
            for event in self._latest.take(self._parks.park_of):
                self.hub.publish(event)
            self._latest.forget(self._parks.unknown)
            self._parks.want(self._latest.datastreams)


def event_of(fact: Fact) -> Event:
    """The event that tells of a fact of a replayed stream; raises pydantic's `ValidationError`."""
    kind = REPLAYED[fact.stream]
    message = MESSAGES[kind].decode(fact.payload)
    return Event(kind, message.park_id, message.model_dump_json().encode(), fact.stream, fact.position)
