"""The wind by the minute, hour or day: vector means of simultaneous speed and direction, with Yamartino's sigma.

Roll-ups hold one datastream each, so the direction alone is averaged in them. Here speed weighs the direction: the
pairs are joined from the readings themselves, within bounds of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.validity import quality_of_mean
from services.ingest.meaning.wind import wind_of_sums
from services.ingest.questions.days import midnights
from services.ingest.questions.series import WIDTH
from services.ingest.questions.wind_rose import PREFERRED, having_readings
from services.ingest.schemas import WindResolution
from shared.park_file import Cadence

STATIONS_A_PAGE = 10
WIDEST: dict[WindResolution, timedelta] = {
    "minute": timedelta(days=1),
    "hour": timedelta(days=62),
    "day": timedelta(days=366),
}
"""The longest span of one question: it bounds what is read, and that there are at most 1,500 periods."""
MAX_PERIODS = 1500

_PAIRS = text(
    """
    SELECT s.id AS station_id, v.cadence, v.id AS speed, w.id AS direction
    FROM (
        SELECT id FROM station WHERE park_id = :park AND active AND id > :after
          AND (CAST(:station AS text) IS NULL OR id = :station)
          AND EXISTS (SELECT FROM datastream d WHERE d.station_id = station.id AND d.active
                      AND d.property_id = 'wind-direction')
        ORDER BY id LIMIT :limit
    ) s
    JOIN datastream v ON v.station_id = s.id AND v.property_id = 'wind-speed' AND v.active
    JOIN datastream w ON w.station_id = s.id AND w.property_id = 'wind-direction' AND w.active
                     AND w.cadence = v.cadence
    ORDER BY s.id
    """
)
# Both sides of the join have the bounds of time, so that TimescaleDB leaves out chunks on both.
_SUMS = text(
    """
    SELECT period, count(*) AS readings, count(speed) AS samples, sum(speed) AS speed,
           sum(speed * sind(direction)) AS east, sum(speed * cosd(direction)) AS north,
           sum(sind(direction)) AS sine, sum(cosd(direction)) AS cosine
    FROM (
        SELECT width_bucket(v.time, CAST(:limits AS timestamptz[])) AS period,
               CASE WHEN ok THEN v.value END AS speed, CASE WHEN ok THEN w.value END AS direction
        FROM observation v JOIN observation w ON w.time = v.time
        CROSS JOIN LATERAL (
            SELECT v.quality IN ('N', 'T') AND v.value >= 0
               AND w.quality IN ('N', 'T') AND w.value BETWEEN 0 AND 360 AS ok
        ) pair
        WHERE v.datastream_id = :speed AND v.time >= :start AND v.time < :end
          AND w.datastream_id = :direction AND w.time >= :start AND w.time < :end
    ) pairs
    GROUP BY period ORDER BY period
    """
)


@dataclass(frozen=True, slots=True)
class _Pair:
    cadence: Cadence
    speed: int
    direction: int


def periods(resolution: WindResolution, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The limits [UTC] of the whole periods that ``start <= t < end`` touches; of MAX_PERIODS + 1 of them at most."""
    if resolution == "day":
        return midnights(zone, start, end, MAX_PERIODS + 1)
    width = WIDTH[resolution]
    limits = [start - (start - start.min.replace(tzinfo=start.tzinfo)) % width]
    while limits[-1] < end and len(limits) <= MAX_PERIODS + 1:
        limits.append(limits[-1] + width)
    return limits


async def winds(
    connection: AsyncConnection,
    park_id: str,
    station_id: str | None,
    limits: Sequence[datetime],
    resolution: WindResolution,
    valid_share: float,
    cursor: str | None,
) -> schemas.WindPage:
    """The wind at the stations of a park that measure it, or at one, in the periods between ``limits``."""
    asked = {"park": park_id, "station": station_id, "after": cursor or "", "limit": STATIONS_A_PAGE + 1}
    stations: dict[str, list[_Pair]] = {}
    for row in await connection.execute(_PAIRS, asked):
        stations.setdefault(row.station_id, []).append(_Pair(row.cadence, row.speed, row.direction))
    shown = dict(list(stations.items())[:STATIONS_A_PAGE])
    start, end = limits[0], limits[-1]
    speeds = [pair.speed for pairs in shown.values() for pair in pairs]
    found = await having_readings(connection, speeds, start, end)
    items = []
    for station, pairs in shown.items():
        live = [pair for pair in pairs if pair.speed in found]
        chosen = min(live, key=lambda pair: PREFERRED.index(pair.cadence), default=None)
        items.append(await _of_station(connection, station, chosen, limits, resolution, valid_share))
    return schemas.WindPage(items=items, next=items[-1].station_id if len(stations) > len(shown) else None)


async def _of_station(
    connection: AsyncConnection,
    station_id: str,
    pair: _Pair | None,
    limits: Sequence[datetime],
    resolution: WindResolution,
    valid_share: float,
) -> schemas.Wind:
    wind = schemas.Wind(station_id=station_id, cadence=pair.cadence if pair else None, resolution=resolution)
    if pair is None:
        return wind
    begins = [first for first, _ in pairwise(limits)]
    asked: dict[str, Any] = {"speed": pair.speed, "direction": pair.direction, "limits": begins}
    for row in await connection.execute(_SUMS, asked | {"start": limits[0], "end": limits[-1]}):
        wind.time.append(begins[row.period - 1])
        wind.count.append(row.readings)
        wind.valid.append(row.samples)
        wind.quality.append(quality_of_mean(row.readings, row.samples, 0, valid_share))
        mean = None
        if row.samples:
            mean = wind_of_sums(row.samples, row.speed, row.east, row.north, row.sine, row.cosine)
        wind.speed_m_s.append(None if mean is None else mean.speed)
        wind.vector_speed_m_s.append(None if mean is None else mean.vector_speed)
        wind.from_deg.append(None if mean is None else mean.from_deg)
        wind.sigma_theta_deg.append(None if mean is None else mean.sigma_theta_deg)
    return wind
