"""Ranges of observations, as they are or by the minute, hour or day, of many datastreams at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.validity import quality_of_mean
from services.ingest.meaning.wind import mean_direction, yamartino_sigma
from services.ingest.questions.as_sent import AsSent, as_sent
from services.ingest.questions.days import midnights, split_hours
from services.ingest.questions.position import Position, Resolution
from shared.problems import NotFound
from shared.quality import Quality
from shared.vocabulary import observed_properties

WIDTH: dict[Resolution, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_QUALITY = {flag.value: flag for flag in Quality}

_OWNED = text(
    """
    SELECT d.id, d.property_id, p.timezone FROM datastream d JOIN station s ON s.id = d.station_id
    JOIN park p ON p.id = s.park_id WHERE s.park_id = :park AND d.id = ANY(:ids)
    """
)
_READINGS = text(
    """
    SELECT datastream_id, time, value, quality, minimum, maximum FROM observation
    WHERE datastream_id = ANY(:ids) AND time >= :start AND time < :end
      AND (datastream_id, time) >= (:from_id, :from_time)
    ORDER BY datastream_id, time LIMIT :limit
    """
)
_FEW = text(
    """
    SELECT count(*) <= :limit FROM (
        SELECT FROM observation WHERE datastream_id = ANY(:ids) AND time >= :start AND time < :end LIMIT :limit + 1
    ) found
    """
)
_PERIODS: dict[Resolution, str] = {
    **{
        resolution: f"""
            SELECT datastream_id, bucket, mean, minimum, maximum, count, valid, over_range, total_sine, total_cosine
            FROM observation_{resolution}s(:ids, :start, :end)
        """  # noqa: S608  (names of this file)
        for resolution in ("minute", "hour")
    },
    # Days are the park's own: of whole hours, and of the minutes of an hour that midnight lies in.
    "day": """
        SELECT datastream_id,
               (CAST(:limits AS timestamptz[]))[width_bucket(bucket, CAST(:limits AS timestamptz[]))] AS bucket,
               sum(total) / nullif(sum(valid), 0)::float8 AS mean, min(minimum) AS minimum, max(maximum) AS maximum,
               sum(count)::bigint AS count, sum(valid)::bigint AS valid, sum(over_range)::bigint AS over_range,
               sum(total_sine) AS total_sine, sum(total_cosine) AS total_cosine
        FROM (
            SELECT h.* FROM observation_hours(:ids, :start, :end) h WHERE h.bucket <> ALL(CAST(:split AS timestamptz[]))
            UNION ALL
            SELECT m.* FROM unnest(CAST(:split AS timestamptz[])) hour
            CROSS JOIN LATERAL observation_minutes(:ids, hour, hour + interval '1 hour') m
            WHERE m.bucket >= :start AND m.bucket < :end
        ) part
        GROUP BY 1, 2
    """,
}
_COLUMNS = ("bucket", "mean", "minimum", "maximum", "count", "valid", "over_range")
_VECTOR = ("total_sine", "total_cosine")


def _in_columns(periods: str, names: Sequence[str]) -> TextClause:
    """A row a datastream and an array a column; what no column asks for is not computed."""
    arrays = ", ".join(f"array_agg({name} ORDER BY bucket)" for name in names)
    return text(f"SELECT datastream_id, {arrays} FROM ({periods}) period GROUP BY 1")  # noqa: S608  (names of this file)


_MEANS = {resolution: _in_columns(periods, _COLUMNS) for resolution, periods in _PERIODS.items()}
_VECTOR_MEANS = {resolution: _in_columns(periods, _COLUMNS + _VECTOR) for resolution, periods in _PERIODS.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """The datastreams of a question, by id and all of one park; and that park's zone."""

    properties: dict[int, str]
    zone: ZoneInfo

    @property
    def ids(self) -> list[int]:
        """In order."""
        return list(self.properties)

    def unit(self, number: int) -> str:
        """The unit of a datastream's values."""
        return observed_properties()[self.properties[number]].unit

    def is_direction(self, number: int) -> bool:
        """Whether a datastream's mean is that of vectors."""
        return self.unit(number) == "deg"


async def asked(connection: AsyncConnection, park_id: str, ids: Sequence[int]) -> Asked:
    """Look the datastreams up; raises NotFound for one that is not the park's."""
    wanted = sorted(set(ids))
    owned = {row.id: row for row in await connection.execute(_OWNED, {"park": park_id, "ids": wanted})}
    missing = [str(number) for number in wanted if number not in owned]
    if missing:
        raise NotFound(f"Park '{park_id}' has no datastream {', '.join(missing[:10])}.")
    return Asked({number: owned[number].property_id for number in wanted}, ZoneInfo(owned[wanted[0]].timezone))


async def fitting(connection: AsyncConnection, question: Asked, start: datetime, end: datetime, cap: int) -> Resolution:
    """The finest resolution with at most ``cap`` points in all; by the day where there is none."""
    parameters = {"ids": question.ids, "start": start, "end": end, "limit": cap}
    if (await connection.execute(_FEW, parameters)).scalar_one():
        return "raw"
    for resolution in ("minute", "hour"):
        if len(question.ids) * -(-(end - start) // WIDTH[resolution]) <= cap:
            return resolution
    return "day"


async def observations(
    connection: AsyncConnection,
    question: Asked,
    position: Position,
    limit: int,
    valid_share: float,
    *,
    sent: bool = False,
) -> schemas.SeriesPage:
    """Observations from a position on: at most ``limit``, whose work is bounded by it as well.

    With ``sent``, readings are told as they were sent too.
    """
    series = {number: _empty(question, number, position.resolution, sent=sent) for number in question.ids}
    if position.resolution == "raw":
        rows, following = await _readings(connection, question, position, limit)
        for number, own in groupby(rows, itemgetter(0)):
            _take_readings(series[number], list(own))
        if sent:
            units = {number: question.unit(number) for number in question.ids}
            told = zip(rows, await as_sent(connection, rows, units), strict=True)
            for number, pairs in groupby(told, lambda pair: pair[0][0]):
                _take_sent(series[number], [pair[1] for pair in pairs])
    else:
        rows, following = await _means(connection, question, position, limit)
        for row in rows:
            _take_means(series[row[0]], row[1:], valid_share)
    return schemas.SeriesPage(items=list(series.values()), next=following and following.cursor)


async def _readings(
    connection: AsyncConnection, question: Asked, position: Position, limit: int
) -> tuple[Sequence[Row[Any]], Position | None]:
    parameters = {
        "ids": question.ids,
        "start": position.start,
        "end": position.end,
        "from_id": position.datastream_id,
        "from_time": position.time,
        "limit": limit + 1,
    }
    rows = (await connection.execute(_READINGS, parameters)).all()
    following = position.at(rows[limit].datastream_id, rows[limit].time) if len(rows) > limit else None
    return rows[:limit], following


async def _means(
    connection: AsyncConnection, question: Asked, position: Position, limit: int
) -> tuple[Sequence[Row[Any]], Position | None]:
    """As many whole datastreams as must fit, or a part of one: a page costs what it may show, not what is asked.

    A row a datastream, of its columns.
    """
    left = [number for number in question.ids if number >= position.datastream_id]
    if not left:
        return [], None
    since = position.time if left[0] == position.datastream_id else position.start
    limits, points = _periods(question, position.resolution, since, position.end, limit)
    following: Position | None
    if limits[-1] < position.end:
        portion, following = left[:1], position.at(left[0], limits[-1])
    else:
        portion = left[: max(1, limit // points)] if since == position.start else left[:1]
        rest = left[len(portion) :]
        following = position.at(rest[0], position.start) if rest else None
    parameters: dict[str, Any] = {"ids": portion, "start": limits[0], "end": limits[-1]}
    if position.resolution == "day":
        parameters |= {"limits": limits, "split": split_hours(limits)}
    statements = _VECTOR_MEANS if any(map(question.is_direction, portion)) else _MEANS
    return (await connection.execute(statements[position.resolution], parameters)).all(), following


def _periods(
    question: Asked, resolution: Resolution, since: datetime, end: datetime, most: int
) -> tuple[list[datetime], int]:
    """Where the first periods of a span begin and end, at most so many of them, and how many they are."""
    if resolution == "day":
        limits = midnights(question.zone, since, end, most)
        return limits, len(limits) - 1
    width = WIDTH[resolution]
    count = min(most, -(-(end - since) // width))
    return [since, min(end, since + count * width)], count


def _empty(question: Asked, number: int, resolution: Resolution, *, sent: bool) -> schemas.Series:
    extra: dict[str, Any] = {} if resolution == "raw" else {"count": [], "valid": []}
    if sent:
        extra |= {"sent_value": [], "sent_unit": [], "sent_minimum": [], "sent_maximum": []}
    if question.is_direction(number) and resolution != "raw":
        extra["sigma_theta_deg"] = []
    return schemas.Series(datastream_id=number, unit=question.unit(number), resolution=resolution, **extra)


def _take_readings(series: schemas.Series, rows: list[Row[Any]]) -> None:
    _, time, value, flags, minimum, maximum = map(list, zip(*rows, strict=True))
    series.time, series.value, series.minimum, series.maximum = time, value, minimum, maximum
    series.quality = [_QUALITY[flag] for flag in flags]


def _take_sent(series: schemas.Series, sent: list[AsSent]) -> None:
    units, values, minima, maxima = zip(*sent, strict=True)
    series.sent_unit, series.sent_value = list(units), list(values)
    series.sent_minimum, series.sent_maximum = list(minima), list(maxima)


def _take_means(series: schemas.Series, columns: Sequence[list[Any]], valid_share: float) -> None:
    time, mean, minimum, maximum, count, valid, over_range, *vector = columns
    series.time, series.value, series.minimum, series.maximum = time, mean, minimum, maximum
    series.count, series.valid = count, valid
    numbers = list(zip(count, valid, over_range, strict=True))
    judged = {each: quality_of_mean(*each, valid_share) for each in set(numbers)}  # most periods have the same
    series.quality = [judged[each] for each in numbers]
    if series.sigma_theta_deg is not None:
        sums = list(zip(valid, *vector, strict=True))
        series.value = [mean_direction(*both) if number else None for number, *both in sums]
        series.sigma_theta_deg = [yamartino_sigma(*three) if three[0] else None for three in sums]
