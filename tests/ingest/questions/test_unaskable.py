"""Questions that no database can be asked: told so, and never a failure of the service."""

from tests.ingest.parks import park, station
from tests.ingest.running import Running

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
LARGE = 10**12
SPAN = f"start={FIRST}&end={LAST}"
DAY = "start=2026-03-01T00:00:00Z&end=2026-03-02T00:00:00Z"
UNASKABLE = (
    f"/observations?datastream_id=1&end={FIRST}",
    f"/observations?datastream_id=1&end={LAST}",
    f"/observations?datastream_id={LARGE}",
    f"/observations?datastream_id={10**30}",
    f"/meteorology?at={FIRST}",
    f"/meteorology?at={LAST}",
    f"/conversions?datastream_id={LARGE}",
    f"/corrections?datastream_id={LARGE}",
    f"/corrections?datastream_id=1&{SPAN}",
    f"/conflicts?datastream_id={LARGE}",
    f"/export?datastream_id={LARGE}&{DAY}",
    f"/export?{SPAN}",
    f"/statistics?datastream_id={LARGE}&{DAY}",
    f"/statistics?datastream_id=1&basis=day&{SPAN}",
    f"/wind?{SPAN}",
    f"/wind?station_id=a%00&{DAY}",
    f"/wind-rose?{SPAN}",
    f"/wind-rose?station_id=a%00&{DAY}",
    "/completeness?month=0000-13",
    "/completeness?month=0001-01",
    "/completeness?month=9999-12",
    "/completeness?station_id=a%00",
    "/reports/daily?day=0001-01-01",
    "/reports/daily?day=9999-12-31",
    "/reports/daily?day=2026-03-01&station_id=a%00",
    "/reports/monthly?month=0000-01",
    "/reports/monthly?month=9999-12",
    "/stations/a%00/locations",
    f"/stations/test-park.s1/locations?cursor={FIRST}",
    "/uploads/a%00",
    "/uploads?cursor=%00",
    "/devices/a%00/frames",
    f"/devices/A1/frames?{SPAN}",
    "/devices/A1/reports?subject=%00",
    f"/devices/A1/reports?{SPAN}",
    "/devices/A1/standard-checks?factor=%00",
    "/devices/a%00/reports",
    "/devices/a%00/gaps",
    "/mapping?station=%00",
    "/replays?mn=%00",
)
OF_NO_PARK = ("/parks/a%00", "/parks/a%00/stations", "/parks/a%00/uploads/u", "/datastreams?park_id=a%00")


async def test_what_cannot_be_asked_is_told_so(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    failed = {}
    for path in (*(f"/parks/test-park{path}" for path in UNASKABLE), *OF_NO_PARK, "/devices/unknown/a%00/frames"):
        answer = await ingest.http.get(path)
        if answer.status_code >= 500:
            failed[path] = answer.status_code
    assert not failed
