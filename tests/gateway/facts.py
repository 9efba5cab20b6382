"""Facts for the tests, as the services write them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from redis.asyncio import Redis

from services.gateway.events.live import PRODUCERS
from services.gateway.routing import Service
from shared.levels import Colour
from shared.messages import (
    AlarmChanged,
    AlarmState,
    AlarmTransition,
    FloodChanged,
    IncidentChange,
    IncidentChanged,
    IncidentState,
    ObservationsStored,
    RegistryChanged,
    RoleCalled,
    RunChanged,
    RunState,
    WaitingAlarm,
)
from shared.messages.base import Message
from shared.streams import Fact, publish
from shared.time import to_microseconds
from tests.gateway.upstreams import Upstream

NOW = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
MICROSECONDS = to_microseconds(NOW)


def alarm(park_id: str, comment: str = "") -> AlarmChanged:
    return AlarmChanged(
        transition_id=uuid4(),
        alarm_id=UUID(int=7),
        park_id=park_id,
        station_id=f"{park_id}.s01",
        datastream_id=1,
        property_id="chlorine",
        rule_id="chlorine",
        transition=AlarmTransition.RAISED,
        state=AlarmState.UNACKNOWLEDGED,
        colour=Colour.YELLOW,
        peak_colour=Colour.YELLOW,
        value=3.2,
        unit="mg/m3",
        threshold=1.0,
        event_time=NOW,
        recorded_at=NOW,
        raised_at=NOW,
        comment=comment,
    )


def run(park_id: str) -> RunChanged:
    return RunChanged(
        run_id=uuid4(), park_id=park_id, state=RunState.SUCCEEDED, trigger="alarm", chemical="7782-50-5", at=NOW
    )


def incident(park_id: str) -> IncidentChanged:
    return IncidentChanged(
        change_id=uuid4(),
        incident_id=UUID(int=8),
        park_id=park_id,
        change=IncidentChange.OPENED,
        state=IncidentState.ACTIVE,
        colour=Colour.YELLOW,
        peak_colour=Colour.YELLOW,
        property_ids=["chlorine"],
        station_ids=[f"{park_id}.s01"],
        alarms=1,
        active=1,
        unacknowledged=1,
        opened_at=NOW,
        at=NOW,
        recorded_at=NOW,
    )


def flood(park_id: str) -> FloodChanged:
    return FloodChanged(
        change_id=uuid4(),
        flood_id=UUID(int=9),
        park_id=park_id,
        began_at=NOW,
        ended_at=None,
        operators=1,
        window_s=600,
        alarms={Colour.YELLOW: 11},
        recorded_at=NOW,
    )


def call(park_id: str) -> RoleCalled:
    waiting = WaitingAlarm(
        alarm_id=UUID(int=7), station_id=f"{park_id}.s01", property_id="chlorine", colour=Colour.YELLOW, since=NOW
    )
    return RoleCalled(
        notification_id=uuid4(),
        park_id=park_id,
        incident_id=UUID(int=8),
        role="operator",
        after_s=0,
        colour=Colour.YELLOW,
        alarms=[waiting],
        flood=False,
        recorded_at=NOW,
    )


def observations(*rows: tuple[int, float, float]) -> ObservationsStored:
    """(datastream, seconds after NOW, value) each."""
    return ObservationsStored.of(
        (number, MICROSECONDS + round(second * 1e6), value, "N") for number, second, value in rows
    )


class Outbox:
    """What the services' outboxes do: gapless positions, kept by the producer, published on Redis."""

    def __init__(self, redis: Redis, upstreams: dict[Service, Upstream]) -> None:
        self._redis = redis
        self._upstreams = upstreams

    async def write(self, stream: str, *messages: Message, publishing: bool = True) -> None:
        kept = self._producer(stream).facts[stream]
        new = [Fact(stream, len(kept) + 1 + number, message.encode(), None) for number, message in enumerate(messages)]
        kept += new
        if publishing:
            await publish(self._redis, new)

    async def republish(self, stream: str) -> None:
        await publish(self._redis, self._producer(stream).facts[stream])

    def _producer(self, stream: str) -> Upstream:
        producers = (service for service, streams in PRODUCERS.items() if stream in streams)
        return self._upstreams[next(producers, Service.INGEST)]


__all__ = ["NOW", "Outbox", "RegistryChanged", "alarm", "call", "flood", "incident", "observations", "run"]
