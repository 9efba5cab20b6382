"""A device whose clock is off: its readings are flagged, and its skew is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.meaning.normalise import Observation
from services.ingest.stations.clocks import Clocks
from services.ingest.stations.session import Session
from shared.hj212.codes import Cn
from shared.hj212.commands import format_qn, format_time
from shared.hj212.frame import encode
from tests.ingest.devices import MN, device
from tests.ingest.parks import park, station
from tests.ingest.running import Running

T0 = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
AHEAD = timedelta(minutes=10)


def frame(local: datetime, *, flag: str = "N", cn: str = Cn.REALTIME, more: str = "") -> bytes:
    at, qn = format_time(local), format_qn(local)
    body = f"QN={qn};ST=31;CN={cn};MN={MN};Flag=4;{more}CP=&&DataTime={at};a21022-Rtd=250,a21022-Flag={flag}&&"
    return encode(body.encode())


def hear(session: Session, skew_s: float, *, first: int = 0, count: int = 5, **options: Any) -> list[Observation]:
    """What a device gives that sends every 30 s by a clock that is off by ``skew_s``."""
    rows: list[Observation] = []
    for step in range(first, first + count):
        now = T0 + timedelta(seconds=30 * step)
        local = (now + timedelta(hours=8, seconds=skew_s)).replace(tzinfo=None)
        for received in session.receive(frame(local, **options), now):
            rows += received.data.observations
    return rows


def flags(rows: list[Observation]) -> str:
    return "".join(row.quality for row in rows)


def session_of(clocks: Clocks) -> Session:
    known = device()
    return Session(lambda mn: known if mn == MN else None, ahead=AHEAD, clocks=clocks)


def test_readings_are_flagged_once_the_skew_is_known_and_no_longer_when_the_clock_was_set() -> None:
    session = session_of(Clocks(LIMIT))
    assert flags(hear(session, -400)) == "NNWWW"
    assert flags(hear(session, -1, first=5)) == "WWNNN"


def test_a_good_clock_and_one_that_is_a_little_off_are_not_flagged() -> None:
    assert flags(hear(session_of(Clocks(LIMIT)), -299)) == "NNNNN"


def test_over_range_stays_the_worst_news() -> None:
    assert flags(hear(session_of(Clocks(LIMIT)), -400, flag="T")) == "TTTTT"


def test_what_is_sent_again_tells_nothing_of_the_clock() -> None:
    assert flags(hear(session_of(Clocks(LIMIT)), -7200, more="RF=1;")) == "NNNNN"


def test_the_clock_is_that_of_the_device_on_whatever_connection() -> None:
    clocks = Clocks(LIMIT)
    hear(session_of(clocks), -400)
    assert flags(hear(session_of(clocks), -400, first=5, count=1)) == "W"


async def test_the_skew_is_reported(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", MN), station("s2", "B2")))
    clocks = Clocks(LIMIT)
    hear(session_of(clocks), -400)
    await clocks.write(ingest.state.engine)
    await clocks.write(ingest.state.engine)
    one, other = (await ingest.get("/parks/test-park/devices"))["items"]
    assert (one["clock_skew_s"], one["clock_skewed"]) == (-400.0, True)
    assert one["clock_measured_at"] == "2026-03-01T04:02:00Z"
    assert (other["clock_skew_s"], other["clock_skewed"], other["clock_measured_at"]) == (None, None, None)

    hear(session_of(clocks), 1.5, first=10)
    await clocks.write(ingest.state.engine)
    one = (await ingest.get("/parks/test-park/devices"))["items"][0]
    assert (one["clock_skew_s"], one["clock_skewed"]) == (1.5, False)
