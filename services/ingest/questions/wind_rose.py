"""Wind roses: how often the wind came from where, and how strong."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.wind import mean_direction
from shared.park_file import Cadence
from shared.problems import NotFound

CALM_M_S = 0.2
"""Beaufort 0 (WMO-No. 306, table 1100); HJ 2.2-2018 calls the same calm."""
SPEED_EDGES_M_S = (1.6, 3.4, 5.5, 8.0, 10.8)
"""Where Beaufort 2, 3, 4, 5 and 6 begin."""
PREFERRED: tuple[Cadence, ...] = ("minute", "realtime", "hour", "day")
"""Of several cadences with readings the first is taken: means of minutes know the wind better than instants."""
MAX_STATIONS = 50
"""Of one page."""

_PAIRS = text(
    """
    SELECT s.id AS station_id, v.cadence, v.id AS speed, w.id AS direction
    FROM station s
    JOIN datastream v ON v.station_id = s.id AND v.property_id = 'wind-speed' AND v.active
    JOIN datastream w ON w.station_id = s.id AND w.property_id = 'wind-direction' AND w.active
                     AND w.cadence = v.cadence
    WHERE s.park_id = :park AND s.active AND (CAST(:station AS text) IS NULL OR s.id = :station)
      AND (CAST(:cadence AS text) IS NULL OR v.cadence = :cadence) AND s.id > :after
    ORDER BY s.id
    """
)
_HAS_READINGS = text(
    """
    SELECT id FROM unnest(CAST(:ids AS integer[])) AS id
    WHERE EXISTS (SELECT FROM observation o WHERE o.datastream_id = id AND o.time >= :start AND o.time < :end)
    """
)
# Both sides of the join have the bounds of time, so that TimescaleDB leaves out chunks on both.
_CELLS = text(
    """
    SELECT CASE WHEN v.value <= :calm THEN NULL
                ELSE floor(w.value * CAST(:sectors AS integer) / 360 + 0.5)::integer % CAST(:sectors AS integer)
           END AS sector,
           CASE WHEN v.value <= :calm THEN 0
                ELSE width_bucket(v.value, CAST(:edges AS float8[])) END AS speed_class,
           count(*) AS samples, sum(v.value) AS speeds,
           sum(v.value * sind(w.value)) AS east, sum(v.value * cosd(w.value)) AS north
    FROM observation v JOIN observation w ON w.time = v.time
    WHERE v.datastream_id = :speed AND v.time >= :start AND v.time < :end
      AND w.datastream_id = :direction AND w.time >= :start AND w.time < :end
      AND v.quality IN ('N', 'T') AND v.value >= 0
      AND w.quality IN ('N', 'T') AND w.value >= 0 AND w.value <= 360
    GROUP BY 1, 2
    """
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Samples of one sector (None: calm) and class of speed, with sums of speed and of its vector [m/s]."""

    sector: int | None
    speed_class: int
    samples: int
    speeds: float
    east: float
    north: float


async def wind_roses(
    connection: AsyncConnection,
    park_id: str,
    station_id: str | None,
    start: datetime,
    end: datetime,
    *,
    sectors: int,
    edges: Sequence[float],
    calm: float,
    cadence: Cadence | None,
    after: str = "",
) -> schemas.WindRosePage:
    """A rose for each station of a park that measures the wind, or for one. Raises NotFound.

    Stations come in the order of their ids, those after ``after``.
    """
    known: dict[str, dict[Cadence, tuple[int, int]]] = defaultdict(dict)
    question = {"park": park_id, "station": station_id, "cadence": cadence, "after": after}
    for row in await connection.execute(_PAIRS, question):
        known[row.station_id][row.cadence] = (row.speed, row.direction)
    if station_id is not None and not known and not after:
        raise NotFound(f"Park '{park_id}' has no station '{station_id}' with wind speed and wind direction.")
    chosen = dict(list(known.items())[:MAX_STATIONS])
    speeds = [speed for pairs in chosen.values() for speed, _ in pairs.values()]
    span: dict[str, Any] = {"start": start, "end": end}
    found = await having_readings(connection, speeds, start, end)
    roses = []
    for station, pairs in chosen.items():
        best = next((name for name in PREFERRED if name in pairs and pairs[name][0] in found), None)
        cells: list[Cell] = []
        if best is not None:
            speed, direction = pairs[best]
            pair = {"speed": speed, "direction": direction, "sectors": sectors, "edges": list(edges), "calm": calm}
            cells = [Cell(*row) for row in await connection.execute(_CELLS, {**pair, **span})]
        roses.append(rose(station, best if cells else None, cells, sectors=sectors, edges=edges, calm=calm))
    following = roses[-1].station_id if len(known) > len(chosen) else None
    return schemas.WindRosePage(start=start, end=end, items=roses, next=following)


async def having_readings(
    connection: AsyncConnection, ids: Sequence[int], start: datetime, end: datetime
) -> frozenset[int]:
    """Those of the datastreams that have readings with ``start <= time < end``."""
    question = {"ids": list(ids), "start": start, "end": end}
    return frozenset((await connection.execute(_HAS_READINGS, question)).scalars())


def rose(
    station_id: str,
    cadence: Cadence | None,
    cells: Iterable[Cell],
    *,
    sectors: int,
    edges: Sequence[float],
    calm: float,
) -> schemas.WindRose:
    """The rose of these cells: ``sectors`` of equal width, classes of speed that begin at 0 and at each edge [m/s]."""
    counts = [[0] * (len(edges) + 1) for _ in range(sectors)]
    speeds = [0.0] * sectors
    total = still = 0
    all_speeds = east = north = 0.0
    for cell in cells:
        total += cell.samples
        all_speeds += cell.speeds
        east += cell.east
        north += cell.north
        if cell.sector is None:
            still += cell.samples
        else:
            counts[cell.sector][cell.speed_class] += cell.samples
            speeds[cell.sector] += cell.speeds
    vector = math.hypot(east, north)
    return schemas.WindRose(
        station_id=station_id,
        cadence=cadence,
        samples=total,
        calm_m_s=calm,
        calm_share=still / total if total else None,
        speed_edges_m_s=list(edges),
        mean_speed_m_s=all_speeds / total if total else None,
        vector_speed_m_s=vector / total if total else None,
        from_deg=mean_direction(east, north) if vector > 0 else None,
        steadiness=vector / all_speeds if all_speeds > 0 else None,
        sectors=[
            schemas.WindSector(
                from_deg=index * 360 / sectors,
                share=sum(row) / total if total else 0.0,
                shares=[count / total if total else 0.0 for count in row],
                mean_speed_m_s=speeds[index] / sum(row) if sum(row) else None,
            )
            for index, row in enumerate(counts)
        ],
    )
