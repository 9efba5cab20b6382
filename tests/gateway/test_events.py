"""Live events over a real Valkey, a real socket and real catch-up reads."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from services.gateway.events import api as events_api
from services.gateway.events.event import Cursor, Event, Kind, encode, encode_comment
from services.gateway.events.hub import TOO_SLOW, Hub, Interest
from services.gateway.events.latest import LatestValues
from services.gateway.events.stream import client_stream
from services.gateway.routing import Service
from services.gateway.store import Store
from shared.messages import ObservationsStored, RegistryChanged
from shared.messages.base import Message
from shared.redis import create_redis
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.facts import Outbox, alarm, call, flood, incident, observations, run
from tests.gateway.serving import Relay
from tests.gateway.sse import listening
from tests.gateway.upstreams import Upstream

REST = "incidents:0,floods:0,notifications:0"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_redis(redis_url, "test")
    yield client
    await client.aclose()


@pytest.fixture
def outbox(redis: Redis, upstreams: dict[Service, Upstream]) -> Outbox:
    return Outbox(redis, upstreams)


@pytest.fixture
async def north(door: Door, keys: Keys) -> httpx.AsyncClient:
    return await door.client(await keys.new("north"))


async def test_alarms_and_runs_are_told_as_they_happen(north: httpx.AsyncClient, outbox: Outbox) -> None:
    async with listening(north) as listener:
        await listener.live()
        raised = alarm("north")
        await outbox.write("alarms", raised)
        heard = await listener.next()
        assert (heard.event, heard.id) == ("alarm", f"alarms:1,runs:0,{REST}")
        assert heard.data["transition_id"] == str(raised.transition_id)
        assert (heard.data["colour"], heard.data["park_id"]) == ("yellow", "north")
        await outbox.write("runs", run("north"))
        heard = await listener.next()
        assert (heard.event, heard.id, heard.data["state"]) == ("run", f"alarms:1,runs:1,{REST}", "succeeded")


async def test_incidents_floods_and_calls_are_told_and_replayed(north: httpx.AsyncClient, outbox: Outbox) -> None:
    facts: list[tuple[str, Message]] = [
        ("incidents", incident("north")),
        ("floods", flood("north")),
        ("notifications", call("north")),
    ]
    async with listening(north) as listener:
        await listener.live()
        last = listener.last_id
        for stream, fact in facts:
            await outbox.write(stream, fact)
        live = [await listener.next() for _ in facts]
    assert [heard.event for heard in live] == ["incident", "flood", "notification"]
    assert [heard.data for heard in live] == [json.loads(fact.encode()) for _, fact in facts]
    async with listening(north, headers={"Last-Event-ID": last or ""}) as listener:
        replayed = [await listener.next() for _ in facts]
        await listener.silence(0.3)
    assert [(heard.event, heard.data) for heard in replayed] == [(heard.event, heard.data) for heard in live]


async def test_what_was_before_is_not_told_to_who_does_not_ask(north: httpx.AsyncClient, outbox: Outbox) -> None:
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("north", "old"))
        await listener.next()
    async with listening(north) as listener:
        await listener.live()
        assert listener.last_id == f"alarms:1,runs:0,{REST}"
        await outbox.write("alarms", alarm("north", "new"))
        assert (await listener.next()).data["comment"] == "new"


async def test_a_client_hears_its_parks_and_kinds_alone(door: Door, keys: Keys, outbox: Outbox) -> None:
    both = await door.client(await keys.new("north", "south"))
    everything = await door.client(await keys.new("*"))
    south = await door.client(await keys.new("south"))
    async with (
        listening(both, params={"park_id": "north"}) as one_park,
        listening(everything, params={"kind": "run, observation"}) as no_alarms,
        listening(south) as other,
    ):
        for listener in (one_park, no_alarms, other):
            await listener.live()
        await outbox.write("alarms", alarm("south"), alarm("north"), alarm("east"), alarm("south", "last"))
        await outbox.write("runs", run("east"), run("north"))
        assert (await one_park.next()).data["park_id"] == "north"
        assert (await one_park.next()).event == "run"
        assert [(await no_alarms.next()).data["park_id"] for _ in range(2)] == ["east", "north"]
        assert [(await other.next()).data["comment"] for _ in range(2)] == ["", "last"]
        await other.silence(0.3)


async def test_what_was_missed_is_replayed_once_and_in_order(north: httpx.AsyncClient, outbox: Outbox) -> None:
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("north", "1"))
        await listener.next()
        last = listener.last_id
    await outbox.write("alarms", alarm("north", "2"), alarm("south", "of another"), alarm("north", "4"))
    await outbox.write("runs", run("north"))
    for options in ({"headers": {"Last-Event-ID": last}}, {"params": {"last_event_id": last}}):
        async with listening(north, **options) as listener:
            told = [await listener.next() for _ in range(3)]
            assert [heard.data.get("comment") for heard in told] == ["2", "4", None]
            assert told[-1].event == "run"
            await listener.silence(0.3)


async def test_replay_and_live_events_meet_without_a_gap(north: httpx.AsyncClient, outbox: Outbox) -> None:
    await outbox.write("alarms", *(alarm("north", str(number)) for number in range(1, 301)))

    async def write_on() -> None:
        for number in range(301, 401):
            await outbox.write("alarms", alarm("north", str(number)))

    writing = asyncio.create_task(write_on())
    async with listening(north, headers={"Last-Event-ID": "alarms:100"}) as listener:
        told = [(await listener.next()).data["comment"] for _ in range(300)]
    await writing
    assert told == [str(number) for number in range(101, 401)]


async def test_replay_after_redis_lost_everything(
    north: httpx.AsyncClient, outbox: Outbox, redis: Redis, upstreams: dict[Service, Upstream]
) -> None:
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("north", "1"))
        await listener.next()
        last = listener.last_id
    await outbox.write("alarms", alarm("north", "2"), alarm("north", "3"))
    await asyncio.sleep(0.2)
    await redis.flushall()
    # Nothing is on Redis now: the producer's outbox tells.
    async with listening(north, headers={"Last-Event-ID": last}) as listener:
        assert [(await listener.next()).data["comment"] for _ in range(2)] == ["2", "3"]
        # What is written now comes live, and a gap that only Redis has is filled.
        await outbox.write("alarms", alarm("north", "4"), publishing=False)
        await outbox.write("alarms", alarm("north", "5"))
        assert [(await listener.next()).data["comment"] for _ in range(2)] == ["4", "5"]
    assert ("alarms", 1) in upstreams[Service.ALERTS].facts_asked


async def test_events_go_on_while_redis_is_down(
    settings_of: Settings, keys: Keys, outbox: Outbox, redis_url: str, dist: Path
) -> None:
    async with Relay(redis_url) as relay, open_door(settings_of(redis_url=relay.url), dist) as door:
        client = await door.client(await keys.new("north"))
        async with listening(client) as listener:
            await listener.live()
            await relay.cut()
            await outbox.write("alarms", alarm("north", "in the dark"), publishing=False)
            assert (await listener.next(20)).data["comment"] == "in the dark"
            last = listener.last_id
            await outbox.write("alarms", alarm("north", "second"), publishing=False)
            assert (await listener.next(20)).data["comment"] == "second"
        async with listening(client, headers={"Last-Event-ID": last}) as listener:
            assert (await listener.next(20)).data["comment"] == "second"
            await relay.mend()
            await outbox.republish("alarms")
            await outbox.write("alarms", alarm("north", "in the light"))
            assert (await listener.next(20)).data["comment"] == "in the light"


async def test_a_fact_that_nobody_understands_is_passed_over(north: httpx.AsyncClient, outbox: Outbox) -> None:
    poison = RegistryChanged(park_id="north")
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("north", "1"), poison, alarm("north", "3"))
        assert [(await listener.next()).data["comment"] for _ in range(2)] == ["1", "3"]
    async with listening(north, headers={"Last-Event-ID": "alarms:1"}) as listener:
        assert (await listener.next()).data["comment"] == "3"


async def test_a_cursor_from_before_the_streams_began_anew_does_not_silence_the_client(
    north: httpx.AsyncClient, outbox: Outbox
) -> None:
    async with listening(north, headers={"Last-Event-ID": "alarms:5000,runs:9"}) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("north", "first of the new"))
        assert (await listener.next()).data["comment"] == "first of the new"


async def test_live_values_are_gathered_park_by_park(
    north: httpx.AsyncClient, outbox: Outbox, upstreams: dict[Service, Upstream]
) -> None:
    async with listening(north) as listener:
        await listener.live()
        for second in range(10):
            await outbox.write("observations.0", observations((1, second, second), (3, second, 99)))
        await outbox.write("observations.1", observations((2, 0, 7.5), (1, 3, -1)))
        heard = await listener.next()
        values = {item["datastream_id"]: item for item in heard.data["items"]}
        while len(values) < 2 or values[1]["value"] != 9:  # the second may have turned in between
            values |= {item["datastream_id"]: item for item in (await listener.next()).data["items"]}
        assert heard.event == "observation"
        assert heard.data["park_id"] == "north"
        assert values == {
            1: {"datastream_id": 1, "time": "2026-03-01T08:00:09Z", "value": 9.0, "quality": "N"},
            2: {"datastream_id": 2, "time": "2026-03-01T08:00:00Z", "value": 7.5, "quality": "N"},
        }
        await listener.silence(1.3)


async def test_a_new_datastream_is_learnt(
    north: httpx.AsyncClient, outbox: Outbox, upstreams: dict[Service, Upstream]
) -> None:
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("observations.0", observations((50, 0, 1.0)))
        await asyncio.sleep(2.5)  # ingest does not know it either
        upstreams[Service.INGEST].datastreams[50] = "north"
        await outbox.write("registry", RegistryChanged(park_id="north"))
        await asyncio.sleep(0.3)
        await outbox.write("observations.0", observations((50, 1, 2.0)))
        assert [item["value"] for item in (await listener.next()).data["items"]] == [2.0]


async def test_signs_of_life_and_cursors_come_when_nothing_happens(
    north: httpx.AsyncClient, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_heartbeat(monkeypatch)
    async with listening(north) as listener:
        await listener.live()
        await outbox.write("alarms", alarm("south"))
        while "still here" not in listener.comments or listener.last_id != f"alarms:1,runs:0,{REST}":
            await listener.block()


async def test_a_stream_ends_when_its_key_is_revoked(
    door: Door, keys: Keys, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_heartbeat(monkeypatch)
    client = await door.client(await keys.new("north", name="leaver"))
    async with listening(client) as listener:
        await listener.live()
        await store.revoke("leaver", utc_now())
        door.gateway.keys._remembered.clear()
        rest = await listener.rest()
        assert "no longer valid" in rest[-1].comments[0]


async def test_a_slow_client_is_dropped_with_a_word_and_may_come_back(
    settings_of: Settings, keys: Keys, outbox: Outbox, dist: Path
) -> None:
    async with open_door(settings_of(gateway_event_queue=20), dist) as door:
        north = await door.client(await keys.new("north"))
        filler = "x" * 20_000
        total = 0
        async with listening(north) as slow, listening(north) as quick:
            await slow.live()
            await quick.live()
            heard_by_quick = 0
            # The slow one does not read. Sockets and buffers take some megabytes before it shows.
            while TOO_SLOW not in [subscriber.ended for subscriber in door.gateway.events.hub._subscribers]:
                await outbox.write("alarms", *(alarm("north", filler) for _ in range(10)))
                total += 10
                while heard_by_quick < total:
                    assert (await quick.next()).event == "alarm"
                    heard_by_quick += 1
                assert total < 5000
            rest = await slow.rest(30)
            assert TOO_SLOW in slow.comments
            told = [int(heard.id.split(",")[0].removeprefix("alarms:")) for heard in rest if heard.event and heard.id]
            last = slow.last_id
        assert told == list(range(1, len(told) + 1))
        assert len(told) < total
        async with listening(north, headers={"Last-Event-ID": last or ""}) as again:
            for position in range(len(told) + 1, total + 1):
                assert (await again.next()).id == f"alarms:{position},runs:0,{REST}"


@pytest.mark.parametrize(
    "query", ["last_event_id=alarms", "last_event_id=alarms:x", "last_event_id=facts:1", "kind=alarm,secret"]
)
async def test_nonsense_is_refused(north: httpx.AsyncClient, query: str) -> None:
    answer = await north.get(f"/api/v1/events?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_client_that_goes_is_forgotten(door: Door, north: httpx.AsyncClient) -> None:
    hub = door.gateway.events.hub
    async with listening(north) as listener:
        await listener.live()
        assert len(hub._subscribers) == 1
        assert "fenceline_gateway_sse_clients 1.0" in (await north.get("/metrics")).text
    for _ in range(100):
        if not hub.has_clients:
            break
        await asyncio.sleep(0.05)
    assert not hub.has_clients


def shorten_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "client_stream", partial(client_stream, heartbeat_s=0.1))


def test_cursors_are_written_and_read() -> None:
    assert Cursor.parse("").positions == {}
    assert Cursor.parse("runs:3,alarms:12").positions == {"alarms": 12, "runs": 3}
    assert str(Cursor.parse("runs:3,alarms:12")) == "alarms:12,runs:3"
    for text in ("alarms", "alarms:", "alarms:-1", "alarms:1;runs:2", "observations.0:1", "alarms:²"):
        with pytest.raises(ValueError):
            Cursor.parse(text)


def test_the_wire_format() -> None:
    event = Event(Kind.ALARM, "north", b"{}", "alarms", 4)
    cursor = Cursor({"alarms": 4})
    assert encode(event, cursor) == b"event: alarm\nid: alarms:4\ndata: {}\n\n"
    assert encode_comment("here", cursor) == b": here\nid: alarms:4\n\n"
    assert encode_comment("here") == b": here\n\n"


async def test_a_full_queue_ends_the_client_and_no_other() -> None:
    hub = Hub()
    everything = Interest(frozenset("*"), frozenset(Kind))
    slow, quick = hub.subscribe(everything, 2), hub.subscribe(everything, 100)
    for position in range(1, 5):
        hub.publish(Event(Kind.ALARM, "north", b"{}", "alarms", position))
    assert slow.ended == TOO_SLOW
    assert await slow.next(0.1) is None
    assert quick.ended is None
    assert [(await quick.next(0.1)).position for _ in range(4)] == [1, 2, 3, 4]  # type: ignore[union-attr]
    hub.end()
    assert await quick.next(0.1) is None
    assert quick.ended is not None


def test_the_newest_value_counts_and_history_does_not() -> None:
    latest = LatestValues()
    latest.add(observations((1, 5, 5.0), (1, 4, 4.0), (2, 0, 1.0)))
    latest.add(ObservationsStored.of([(1, 0, None, "B")]))
    [event] = latest.take(lambda datastream: "north" if datastream == 1 else None)
    assert b'"value":5.0' in event.data
    assert list(latest.datastreams) == [2]
    latest.add(observations((1, 4.5, 4.5)))
    assert latest.take(lambda _: None) == []
    assert list(latest.datastreams) == [2]
    latest.forget([2])
    assert list(latest.datastreams) == []
