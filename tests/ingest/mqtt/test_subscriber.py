"""Readings over a real broker, through outages of everything."""

import asyncio
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml
from prometheus_client import REGISTRY

from launcher.embedded import EmbeddedPostgres
from services.ingest.mqtt.refused import keep
from services.ingest.settings import IngestSettings
from shared.time import iso
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until
from tests.support.mosquitto import Mosquitto, mosquitto

NOW = datetime.now(UTC).replace(microsecond=0)
TEMPLATES = {
    "templates": [
        {
            "topic": "works/{device}/gas",
            "park": "test-park",
            "station": "{device}",
            "time": "$.ts",
            "readings": [
                {"value": "$.cl2", "property": "chlorine"},
                {"value": "$.nh3", "property": "ammonia", "unit": "ppm"},
            ],
        },
        {
            "topic": "plain/{device}",
            "park": "test-park",
            "station": "{device}",
            "readings": [{"value": "$", "property": "chlorine"}],
        },
    ]
}
VALUES = "SELECT value FROM observation ORDER BY time, value"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def options(broker: Mosquitto, tmp_path: Path) -> dict[str, Any]:
    return {"ingest_mqtt_url": f"mqtt://127.0.0.1:{broker.port}", "ingest_mqtt_templates": templates(tmp_path)}


def templates(folder: Path) -> Path:
    path = folder / "templates.yaml"
    path.write_text(yaml.safe_dump(TEMPLATES))
    return path


def reading(step: int, **values: Any) -> dict[str, Any]:
    return {"ts": iso(NOW - timedelta(seconds=1000 - step)), **(values or {"cl2": float(step)})}


async def publish(broker: Mosquitto, *messages: Any, topic: str = "works/s1/gas", qos: int = 1, **how: Any) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, **how.pop("client", {})) as client:
        for message in messages:
            payload = message if isinstance(message, bytes) else json.dumps(message).encode()
            await client.publish(topic, payload, qos, **how)


def subscribed(broker: Mosquitto, times: int = 1) -> Any:
    async def look() -> bool:
        return broker.log().count("Sending SUBACK to fenceline") >= 2 * times

    return look


def acknowledged(broker: Mosquitto) -> int:
    return len(re.findall(r"Received PUBACK from fenceline", broker.log()))


def stored(ingest: Running, values: list[Any]) -> Any:
    async def look() -> bool:
        return await ingest.rows(VALUES) == [(value,) for value in values]

    return look


def counted(verdict: str) -> float:
    return REGISTRY.get_sample_value("fenceline_ingest_mqtt_messages_total", {"verdict": verdict}) or 0.0


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_what_is_published_is_stored_and_acknowledged(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any], version: str
) -> None:
    async with start_ingest(database_url, **options, ingest_mqtt_version=version) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        await publish(broker, reading(1), reading(2), reading(1))
        await publish(broker, reading(3, nh3=10.0, cl2=None))
        await publish(broker, reading(4), qos=0)
        await until(stored(ingest, [1.0, 2.0, pytest.approx(6.961, abs=0.01), None, 4.0]))

        async def all_acknowledged() -> bool:
            return acknowledged(broker) == 4

        await until(all_acknowledged)
        assert await ingest.rows("SELECT quality FROM observation WHERE value IS NULL") == [("X",)]
        assert await ingest.rows("SELECT value, unit FROM observation_as_sent") == [(10.0, "ppm")]


async def test_what_can_never_be_stored_is_acknowledged_and_counted(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    async with start_ingest(database_url, **options) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        before = counted("refused")
        junk = [b"", b"{", b"[]", reading(1, cl2="high"), {"cl2": 1.0}, reading(10_000)]
        await publish(broker, *junk)
        await publish(broker, reading(1), topic="works/nowhere/gas")
        await publish(broker, reading(7))
        await until(stored(ingest, [7.0]))

        async def all_counted() -> bool:
            return counted("refused") == before + 7

        await until(all_counted)


async def test_what_was_refused_is_listed_and_read_again_once_it_can_be_understood(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    async with start_ingest(database_url, **options) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        await publish(broker, b"\xff{\x00", reading(1, cl2="high"))
        await publish(broker, reading(2), reading(3), topic="works/s2/gas")

        async def listed() -> bool:
            return len((await ingest.get("/parks/test-park/mqtt-refusals"))["items"]) == 4

        await until(listed)
        items = (await ingest.get("/parks/test-park/mqtt-refusals"))["items"]
        strangers = [item for item in items if item["topic"] == "works/s2/gas"]
        assert sorted(json.loads(item["payload"])["cl2"] for item in strangers) == [2.0, 3.0]
        assert all(item["faults"] == 1 and "s2" in item["reason"] for item in strangers)

        await ingest.put_park(park(station("s1", None), station("s2", None)))
        tried: list[tuple[int, int]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await ingest.http.post("/parks/test-park/mqtt-refusals/replay", params={"limit": 3, **cursor})
            assert answer.status_code == 200, answer.text
            tried.append((answer.json()["tried"], answer.json()["stored"]))
            if answer.json()["next"] is None:
                break
            cursor = {"cursor": answer.json()["next"]}
        assert (sum(count for count, _ in tried), sum(count for _, count in tried)) == (4, 2)
        await until(stored(ingest, [2.0, 3.0]))
        first = await ingest.get("/parks/test-park/mqtt-refusals", limit=1)
        second = await ingest.get("/parks/test-park/mqtt-refusals", limit=1, cursor=first["next"])
        assert second["next"] is None
        left = [page["items"][0]["payload"] for page in (first, second)]
        assert sorted(left) == sorted(["\\xff{\\x00", json.dumps(reading(1, cl2="high"))])
        assert (await ingest.http.get("/parks/elsewhere/mqtt-refusals")).status_code == 404


async def test_a_bounded_number_of_refused_messages_is_kept(ingest: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.mqtt.refused.MAX_KEPT", 3)
    for number in range(5):
        async with ingest.state.engine.begin() as connection:
            await keep(connection, "test-park", NOW, f"works/{number}", b"{}", "why", 1)
            await keep(connection, "other", NOW, "works", b"{}", "why", 1)
    assert await ingest.rows("SELECT topic FROM mqtt_refusal WHERE park_id = 'test-park' ORDER BY id") == [
        (f"works/{number}",) for number in range(3)
    ]
    await ingest.put_park(park(station("s1", None)))
    answer = await ingest.http.post("/parks/test-park/mqtt-refusals/replay")
    assert answer.status_code == 409, "no templates"


async def test_a_retained_message_of_unknown_age_is_not_taken_for_a_new_one(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    async with start_ingest(database_url) as ingest:
        await ingest.put_park(park(station("s1", None)))
    await publish(broker, 66.0, topic="plain/s1", retain=True)
    await publish(broker, reading(1), retain=True)
    async with start_ingest(database_url, **options) as ingest:
        await until(stored(ingest, [1.0]))
        await publish(broker, 5.0, topic="plain/s1")
        await until(stored(ingest, [1.0, 5.0]))


async def test_nothing_is_acknowledged_while_the_database_is_down(
    start_ingest: Start, own_postgres: EmbeddedPostgres, broker: Mosquitto, options: dict[str, Any]
) -> None:
    await asyncio.to_thread(own_postgres.start)
    async with start_ingest(own_postgres.url, **options) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        await asyncio.to_thread(own_postgres.stop)
        await publish(broker, *[reading(step) for step in range(30)])
        await asyncio.sleep(1.0)
        assert acknowledged(broker) == 0
        await asyncio.to_thread(own_postgres.start)
        await until(stored(ingest, [float(step) for step in range(30)]), 30)


async def test_the_broker_goes_and_comes(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    async with start_ingest(database_url, **options) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        await publish(broker, reading(1))
        await until(stored(ingest, [1.0]))
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(0.7)
        assert (await ingest.http.get("/health/ready")).status_code == 200, "the other ways in go on"
        await asyncio.to_thread(broker.start)
        await publish(broker, reading(2))
        await until(stored(ingest, [1.0, 2.0]), 30)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_the_broker_keeps_messages_while_ingest_is_away(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any], version: str
) -> None:
    async with start_ingest(database_url, **options, ingest_mqtt_version=version) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
    await publish(broker, *[reading(step) for step in range(50)])
    async with start_ingest(database_url, **options, ingest_mqtt_version=version) as ingest:
        await until(stored(ingest, [float(step) for step in range(50)]))


async def test_replicas_share_the_messages(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    shared = {**options, "ingest_mqtt_share": "fenceline"}
    async with (
        start_ingest(database_url, **shared, ingest_mqtt_client_id="fenceline-a") as ingest,
        start_ingest(database_url, **shared, ingest_mqtt_client_id="fenceline-b") as other,
    ):
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker, 2))

        async def known_to_the_other() -> bool:
            return "test-park.s1" in other.state.registry.snapshot.stations

        await until(known_to_the_other)
        await publish(broker, *[reading(step) for step in range(40)])
        await until(stored(ingest, [float(step) for step in range(40)]))
        log = broker.log()
        sent = [len(re.findall(rf"Sending PUBLISH to fenceline-{name} ", log)) for name in "ab"]
        assert sum(sent) == 40
        assert all(sent)


async def test_more_than_there_is_room_for_comes_again(
    start_ingest: Start, database_url: str, broker: Mosquitto, options: dict[str, Any]
) -> None:
    # With 3.1.1 the broker alone decides how much is in flight.
    tight = {**options, "ingest_mqtt_version": "3.1.1", "ingest_mqtt_in_flight": 2}
    async with start_ingest(database_url, **tight) as ingest:
        await ingest.put_park(park(station("s1", None)))
        await until(subscribed(broker))
        await publish(broker, *[reading(step) for step in range(100)])
        await until(stored(ingest, [float(step) for step in range(100)]), 60)


async def test_tls_with_certificates_of_both_ends(start_ingest: Start, database_url: str, tmp_path: Path) -> None:
    ca, server, client = certificates(tmp_path)
    more = f"cafile {ca}\ncertfile {server[0]}\nkeyfile {server[1]}\nrequire_certificate true\n"
    with mosquitto(tmp_path / "broker", more) as broker:
        options = {
            "ingest_mqtt_url": f"mqtts://localhost:{broker.port}",
            "ingest_mqtt_templates": templates(tmp_path),
            "ingest_mqtt_ca_file": ca,
            "ingest_mqtt_certificate_file": client[0],
            "ingest_mqtt_key_file": client[1],
        }
        async with start_ingest(database_url, **options) as ingest:
            await ingest.put_park(park(station("s1", None)))
            await until(subscribed(broker))
            context = ssl.create_default_context(cafile=ca)
            context.load_cert_chain(*client)
            async with aiomqtt.Client("localhost", broker.port, tls_context=context) as publisher:
                await publisher.publish("works/s1/gas", json.dumps(reading(1)), 1)
            await until(stored(ingest, [1.0]))


def certificates(folder: Path) -> tuple[Path, tuple[Path, Path], tuple[Path, Path]]:
    """An authority, and what it vouches for: localhost and a client."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    pairs = []
    for name in ("localhost", "client"):
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
        pairs.append((folder / f"{name}.pem", folder / f"{name}.key"))
    return folder / "ca.pem", pairs[0], pairs[1]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("FENCELINE_INGEST_MQTT_URL", "http://broker", "mqtt://host:port"),
        ("FENCELINE_INGEST_MQTT_URL", "mqtt://user:secret@broker", "settings of their own"),
        ("FENCELINE_INGEST_MQTT_TEMPLATES", "", "needs a file of templates"),
        ("FENCELINE_INGEST_MQTT_TEMPLATES", "/nowhere.yaml", "cannot be read"),
        ("FENCELINE_INGEST_MQTT_VERSION", "4", "'5' or '3.1.1'"),
        ("FENCELINE_INGEST_MQTT_SHARE", "a/b", "pattern"),
    ],
)
def test_settings_that_cannot_be_used_end_the_process(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    internal_token: str,
    tmp_path: Path,
    name: str,
    value: str,
    what: str,
) -> None:
    good = {
        "FENCELINE_DATABASE_URL": "postgresql://x",
        "FENCELINE_REDIS_URL": "redis://x",
        "FENCELINE_INTERNAL_TOKEN": internal_token,
        "FENCELINE_INGEST_MQTT_URL": "mqtt://broker",
        "FENCELINE_INGEST_MQTT_TEMPLATES": str(templates(tmp_path)),
    }
    for key, text in (good | {name: value}).items():
        if text:
            monkeypatch.setenv(key, text)
    with pytest.raises(SystemExit) as ended:
        IngestSettings.load()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{name}: ")
    assert what in said
    assert said.count("\n") == 1
    assert "secret" not in said
