"""What devices report of themselves: kept with their frames, once, and asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.hj212.frame import encode
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

PARK = "/parks/test-park"
NOW = datetime.now(ZoneInfo("Asia/Shanghai")).replace(microsecond=0) - timedelta(hours=1)


def frame(cn: str, body: str, mn: str = "A1", after: float = 0) -> bytes:
    qn = (NOW + timedelta(seconds=after)).strftime("%Y%m%d%H%M%S000")
    return encode(f"QN={qn};ST=31;CN={cn};PW=123456;MN={mn};Flag=9;CP=&&{body}&&".encode())


def at(seconds: float = 0) -> str:
    return f"DataTime={NOW + timedelta(seconds=seconds):%Y%m%d%H%M%S};"


async def tell(ingest: Running, *frames: bytes) -> None:
    async with ingest.station() as client:
        for one in frames:
            await client.send(one)
        assert [(await client.answer()).cn for _ in frames] == ["9014"] * len(frames)


async def reports(ingest: Running, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ingest.get(f"{PARK}/devices/A1/reports", **wanted))["items"]
    return found


def brief(found: Sequence[dict[str, Any]]) -> list[tuple[str, str, dict[str, str]]]:
    return [(entry["kind"], entry["subject"], entry["content"]) for entry in found]


async def test_reports_are_kept_once_and_asked_by_kind_subject_and_time(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    log = frame("3020", at(1) + "PolId=a21022;i11001-Info=//\u6e05\u6d17\u7ba1\u8def//")
    states = frame("2021", at(2) + "SB1-RS=1;SB2-RS=0")
    await tell(ingest, log, states, log, frame("3019", "PolId=a21022;a21022-SN=X1", after=3))
    serial = ("serial_number", "a21022", {"SN": "X1"})
    cleaned = ("information", "a21022", {"i11001": "\u6e05\u6d17\u7ba1\u8def"})
    first, second = ("run_state", "SB1", {"RS": "1"}), ("run_state", "SB2", {"RS": "0"})
    assert brief(await reports(ingest)) == [serial, second, first, cleaned]
    assert brief(await reports(ingest, kind=["run_state", "startup"])) == [second, first]
    assert brief(await reports(ingest, subject="a21022")) == [serial, cleaned]
    times = {"start": (NOW + timedelta(seconds=2)).isoformat(), "end": (NOW + timedelta(seconds=3)).isoformat()}
    assert brief(await reports(ingest, **times)) == [second, first]
    assert {datetime.fromisoformat(entry["time"]) for entry in await reports(ingest, **times)} == {
        NOW + timedelta(seconds=2)
    }
    page = await ingest.get(f"{PARK}/devices/A1/reports", limit=3)
    rest = await ingest.get(f"{PARK}/devices/A1/reports", limit=3, cursor=page["next"])
    assert (brief(page["items"] + rest["items"]), rest["next"]) == ([serial, second, first, cleaned], None)


async def test_a_time_that_cannot_be_is_when_it_was_received(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    qn = "QN=00010101000000000;ST=31;CN=2021;PW=123456;MN=A1;Flag=5;CP=&&DataTime=99990101000000;SB1-RS=1&&"
    await tell(ingest, encode(qn.encode()))
    (entry,) = await reports(ingest)
    assert entry["time"] == entry["received_at"]


async def test_checks_with_standard_samples_are_numbers(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    check = "a21026-SampleRd={};a21026-StandardValue=50;a21026-ResultType={}"
    await tell(ingest, frame("2062", at(1) + check.format(48, 1)), frame("2062", at(2) + check.format("--", 0)))
    failed, passed = (await ingest.get(f"{PARK}/devices/A1/standard-checks", factor="a21026"))["items"]
    assert [passed[name] for name in ("measured", "standard_value", "relative_error", "passed")] == [
        48,
        50,
        -0.04,
        True,
    ]
    assert [failed[name] for name in ("measured", "relative_error", "passed")] == [None, None, False]
    assert await ingest.rows("SELECT count(*) FROM observation") == [(0,)], "a standard sample is not the air"


async def test_the_data_of_2025_are_readings(ingest: Running) -> None:
    chlorine = {"property": "chlorine", "cadences": ["realtime"]}
    furnace = {"property": "furnace-temperature", "cadences": ["minute"]}
    noise = {"property": "sound-level", "cadences": ["realtime"]}
    await ingest.put_park(park(station("s1", "A1", datastreams=[chlorine, furnace, noise])))
    sample = f"a21022-SampleTime={NOW:%Y%m%d%H%M%S},a21022-SampleType=1,a21022-Avg=2.5,a21022-Flag=T"
    furnace_at, noise_at = at() + "a01901-Avg=851", at() + "LA-Data=61.5"
    await tell(ingest, frame("2013", at() + sample), frame("2111", furnace_at), frame("2052", noise_at))
    stored = await ingest.rows(
        "SELECT d.property_id, d.cadence, o.value, o.quality FROM observation o JOIN datastream d "
        "ON d.id = o.datastream_id ORDER BY 1"
    )
    assert stored == [
        ("chlorine", "realtime", 2.5, "T"),
        ("furnace-temperature", "minute", 851.0, "N"),
        ("sound-level", "realtime", 61.5, "N"),
    ]
    (entry,) = await reports(ingest)
    assert entry["content"] == {"SampleTime": f"{NOW:%Y%m%d%H%M%S}", "SampleType": "1"}


async def test_what_a_device_reported_before_it_was_registered_is_read_again(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(frame("2081", at() + f"RestartTime={NOW:%Y%m%d%H%M%S}", mn="A2"))
        await client.send(frame("2081", at() + f"RestartTime={NOW:%Y%m%d%H%M%S}"))
        await client.answer()
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))

    async def there() -> bool:
        return bool((await ingest.get(f"{PARK}/devices/A2/reports"))["items"])

    await until(there)


async def test_what_cannot_be_asked(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    turned = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}
    for path, wanted, status in (
        ("A1/reports", {"cursor": "x"}, 400),
        ("A1/reports", turned, 400),
        ("A1/reports", {"kind": "weather"}, 422),
        ("A9/reports", {}, 404),
        ("A1/standard-checks", turned, 400),
        ("A9/standard-checks", {}, 404),
    ):
        answer = await ingest.http.get(f"{PARK}/devices/{path}", params=wanted)
        assert answer.status_code == status, answer.text
