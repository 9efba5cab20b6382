"""Parts by volume become a mass concentration at the temperature and pressure of the same message."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.ingest.meaning.normalise import normalise
from services.ingest.meaning.units import scale, state_factor
from services.ingest.registry.snapshot import Device, Stream
from shared.hj212.crc import CrcMode
from shared.hj212.segment import parse
from tests.ingest.parks import park, station
from tests.ingest.running import Running

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
AT_25 = scale("ppm", "mg/m3", 17.031, 25)
AMMONIA = "a21001-Rtd=10,a21001-Flag=N"
COLD_AND_HIGH = "a01001-Rtd=-10;a01006-Rtd=85"


def stored(body: str) -> dict[int, float | None]:
    """Values by datastream: 1 ammonia [ppm, measured state], 2 temperature, 3 pressure, 4 chlorine [ppm, 25 degC]."""
    streams = {
        ("a21001", "realtime"): Stream(1, "p.s1", "ammonia", "realtime", AT_25, 25, 0, at_measured_state=True),
        ("a01001", "realtime"): Stream(2, "p.s1", "temperature", "realtime", 1.0, 25, 0),
        ("a01006", "realtime"): Stream(3, "p.s1", "pressure", "realtime", 1.0, 25, 0),
        ("a21022", "realtime"): Stream(4, "p.s1", "chlorine", "realtime", 2.9, 25, 0),
    }
    device = Device("A1", "p", "p.s1", ZoneInfo("Asia/Shanghai"), None, CrcMode.HJ212, "standard", streams)
    device = replace(device, by_id={stream.id: stream for stream in streams.values()})
    message = parse(f"CN=2011;MN=A1;CP=&&DataTime=20260301115930;{body}&&".encode())
    return {row.datastream_id: row.value for row in normalise(message, device, NOW, timedelta(minutes=10)).observations}


def test_state_factor() -> None:
    assert state_factor(25, 101.325, 25) == 1
    assert state_factor(0, 101.325, 0) == 1
    # Cold air is denser, thin air holds less; 273.15 / 293.15 is the textbook's step from 0 to 20 degC.
    assert state_factor(20, 101.325, 0) == pytest.approx(0.93178, abs=1e-5)
    assert state_factor(25, 50.6625, 25) == pytest.approx(0.5)


def test_the_message_tells_the_state() -> None:
    values = stored(f"{AMMONIA};{COLD_AND_HIGH};a21022-Rtd=1")
    assert values[1] == pytest.approx(10 * AT_25 * 298.15 / 263.15 * 85 / 101.325)
    assert (values[2], values[3], values[4]) == (-10, 85, 2.9)


@pytest.mark.parametrize(
    "weather",
    [
        "a01001-Rtd=-10",
        "a01006-Rtd=85",
        "a01001-Rtd=-10,a01001-Flag=D;a01006-Rtd=85",
        "a01001-Rtd=850;a01006-Rtd=85",
        "a01001-Rtd=-10;a01006-Rtd=0",
        "a01001-Rtd=;a01006-Rtd=85",
    ],
)
def test_without_a_sound_state_it_is_the_standard_one(weather: str) -> None:
    assert stored(f"{AMMONIA};{weather}")[1] == pytest.approx(10 * AT_25)


async def test_a_mapping_asks_for_it_and_its_history_is_told(ingest: Running) -> None:
    ammonia = {"property": "ammonia", "unit": "ppm", "cadences": ["realtime"], "at_measured_state": True}
    chlorine = {"property": "chlorine", "cadences": ["realtime"], "at_measured_state": True}
    await ingest.put_park(park(station("s1", "A1", datastreams=[ammonia, chlorine])))
    streams = ingest.state.registry.snapshot.streams
    assert streams["test-park.s1", "ammonia", "realtime"].at_measured_state
    assert not streams["test-park.s1", "chlorine", "realtime"].at_measured_state, "a mass stays what it is"
    number = streams["test-park.s1", "ammonia", "realtime"].id

    changed = {**ammonia, "unit": "ppb", "at_measured_state": False, "standard_state_c": 0}
    for _ in range(2):
        await ingest.put_park(park(station("s1", "A1", datastreams=[changed, chlorine])))
    items = (await ingest.get("/parks/test-park/conversions", datastream_id=number))["items"]
    assert [(item["unit"], item["standard_state_c"], item["at_measured_state"]) for item in items] == [
        ("ppm", 25, True),
        ("ppb", 0, False),
    ]
    assert [item["factor"] for item in items] == pytest.approx([17.0305 / 24.45, 17.0305 / 22.4 / 1000], rel=1e-4)
    assert items[0]["stored_unit"] == "mg/m3"
    assert items[0]["since"] < items[1]["since"]
    assert (await ingest.http.get("/parks/other/conversions", params={"datastream_id": number})).status_code == 404
