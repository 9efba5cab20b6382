"""Puts a report together from the roll-ups."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.validity import quality_of_mean
from services.ingest.meaning.wind import mean_direction
from services.ingest.questions.wind_rose import CALM_M_S, PREFERRED, SPEED_EDGES_M_S, having_readings, wind_roses
from services.ingest.reports.period import Period
from shared.problems import NotFound, Unprocessable
from shared.text import BilingualText
from shared.vocabulary import observed_properties

MAX_DATASTREAMS = 4_000
_SECTORS = 16

_DATASTREAMS = text(
    """
    SELECT d.id, d.station_id, s.name, s.ring, d.property_id, d.cadence
    FROM datastream d JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park AND s.active AND d.active
      AND (CAST(:station AS text) IS NULL OR s.id = :station)
    ORDER BY d.station_id, d.property_id, d.id LIMIT :limit
    """
)
_PARTS = {
    width: text(
        f"""
        SELECT datastream_id, width_bucket(bucket, CAST(:parts AS timestamptz[])) - 1 AS part,
               sum(count)::bigint AS readings, sum(valid)::bigint AS valid, sum(over_range)::bigint AS over_range,
               sum(total) AS total, min(minimum) AS minimum, max(maximum) AS maximum,
               sum(total_sine) AS sine, sum(total_cosine) AS cosine
        FROM observation_{width}s(CAST(:ids AS integer[]), :start, :end) GROUP BY 1, 2 ORDER BY 1, 2
        """  # noqa: S608  (constants of this file)
    )
    for width in ("minute", "hour")
}


@dataclass(frozen=True, slots=True)
class Park:
    """Of whom the report is."""

    id: str
    name: BilingualText
    timezone: str


async def report(
    connection: AsyncConnection,
    park: Park,
    period: Period,
    *,
    station_id: str | None,
    now: datetime,
    valid_share: float,
) -> schemas.Report:
    """The report of a park, or of one of its stations. Raises NotFound, Unprocessable."""
    question = {"park": park.id, "station": station_id, "limit": MAX_DATASTREAMS + 1}
    datastreams = (await connection.execute(_DATASTREAMS, question)).all()
    if station_id is not None and not datastreams:
        raise NotFound(f"Park '{park.id}' has no station '{station_id}'.")
    if len(datastreams) > MAX_DATASTREAMS:
        raise Unprocessable(
            f"Park '{park.id}' has more than {MAX_DATASTREAMS} datastreams: ask for its stations one by one."
        )
    chosen = await _chosen(connection, datastreams, period)
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    span = {"parts": list(period.parts), "start": period.start, "end": period.end}
    statement = _PARTS["hour" if period.of_whole_hours else "minute"]
    for row in await connection.execute(statement, {"ids": [row.id for row in chosen], **span}):
        found[row.datastream_id].append(row)
    wind: list[schemas.WindRose] = []
    if _measures_wind(datastreams):
        classes: dict[str, Any] = {"sectors": _SECTORS, "edges": SPEED_EDGES_M_S, "calm": CALM_M_S, "cadence": None}
        page = await wind_roses(connection, park.id, station_id, period.start, period.end, **classes)
        wind = page.items
    return schemas.Report(
        park_id=park.id,
        park_name=park.name,
        kind=period.kind,
        period=period.name,
        timezone=park.timezone,
        start=period.start,
        end=period.end,
        ended=period.end <= now,
        parts=list(period.parts),
        rows=[_row(row, found[row.id], period, valid_share) for row in chosen],
        wind=wind,
    )


def _measures_wind(datastreams: Sequence[Row[Any]]) -> bool:
    """Whether there is a station with speed and direction at one cadence."""
    speeds, directions = (
        {(row.station_id, row.cadence) for row in datastreams if row.property_id == name}
        for name in ("wind-speed", "wind-direction")
    )
    return bool(speeds & directions)


async def _chosen(connection: AsyncConnection, datastreams: Sequence[Row[Any]], period: Period) -> list[Row[Any]]:
    """Of each property at each station one datastream."""
    read = await having_readings(connection, [row.id for row in datastreams], period.start, period.end)
    best: dict[tuple[str, str], Row[Any]] = {}
    for row in sorted(datastreams, key=lambda row: (row.id not in read, PREFERRED.index(row.cadence))):
        best.setdefault((row.station_id, row.property_id), row)
    return [best[key] for key in sorted(best)]


def _row(datastream: Row[Any], parts: list[Row[Any]], period: Period, share: float) -> schemas.ReportRow:
    known = observed_properties()[datastream.property_id]
    angle = known.unit == "deg"
    readings, valid, over_range = (sum(getattr(part, name) for part in parts) for name in _COUNTS)
    means: list[float | None] = [None] * len(period.parts)
    for part in parts:
        if part.valid and part.valid >= share * part.readings:
            means[part.part] = mean_direction(part.sine, part.cosine) if angle else part.total / part.valid
    highest = None if angle else max((part for part in parts if part.valid), key=_maximum, default=None)
    return schemas.ReportRow(
        station_id=datastream.station_id,
        station_name=BilingualText.model_validate(datastream.name),
        ring=datastream.ring,
        property_id=known.id,
        property_name=known.name,
        unit=known.unit,
        datastream_id=datastream.id,
        cadence=datastream.cadence,
        readings=readings,
        valid=valid,
        over_range=over_range,
        valid_parts=sum(mean is not None for mean in means),
        mean=_mean(parts, valid, angle=angle),
        quality=quality_of_mean(readings, valid, over_range, share),
        minimum=None if highest is None else min(part.minimum for part in parts if part.valid),
        maximum=None if highest is None else highest.maximum,
        maximum_at=None if highest is None else period.parts[highest.part],
        means=means,
    )


_COUNTS = ("readings", "valid", "over_range")


def _maximum(part: Row[Any]) -> float:
    return float(part.maximum)


def _mean(parts: list[Row[Any]], valid: int, *, angle: bool) -> float | None:
    if not valid:
        return None
    counted = [part for part in parts if part.valid]
    if angle:
        return mean_direction(sum(part.sine for part in counted), sum(part.cosine for part in counted))
    return float(sum(part.total for part in counted)) / valid
