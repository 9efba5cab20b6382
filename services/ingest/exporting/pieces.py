"""Observations of some datastreams, piece by piece, each piece by a question of its own.

No connection is held while a piece is on its way to a reader who may be slow. What is stored meanwhile may be in it or
not.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.meaning.validity import quality_of_mean
from services.ingest.meaning.wind import mean_direction
from services.ingest.questions.as_sent import AsSent, as_sent
from services.ingest.questions.days import midnights
from services.ingest.questions.position import Resolution
from shared.problems import NotFound
from shared.text import BilingualText
from shared.vocabulary import observed_properties

ROWS = 10_000
"""Of a piece, at most."""
MAX_DATASTREAMS = 5_000
_WINDOW = {"minute": timedelta(days=6), "hour": timedelta(days=400)}
_LONGEST = 1900
_DAY = timedelta(days=1)
COLUMNS_OF_PERIODS = ("readings", "valid")
COLUMNS_AS_SENT = ("sent_unit", "sent_value", "sent_minimum", "sent_maximum")

_DATASTREAMS = text(
    """
    SELECT d.id, d.station_id, s.name, d.property_id, d.cadence, p.timezone
    FROM datastream d JOIN station s ON s.id = d.station_id JOIN park p ON p.id = s.park_id
    WHERE s.park_id = :park
      AND CASE WHEN CAST(:ids AS integer[]) IS NULL THEN d.active AND s.active ELSE d.id = ANY(:ids) END
      AND (CAST(:cadence AS text) IS NULL OR d.cadence = :cadence)
    ORDER BY d.id LIMIT :limit
    """
)
_READINGS = text(
    """
    SELECT datastream_id, time, value, quality, minimum, maximum FROM observation
    WHERE datastream_id = :id AND time >= :start AND time < :end AND time > :after ORDER BY time LIMIT :limit
    """
)
_COLUMNS = "bucket AS time, mean, minimum, maximum, count AS readings, valid, over_range, total_sine, total_cosine"
_PERIODS = {
    resolution: text(
        f"SELECT {_COLUMNS} FROM observation_{resolution}s(ARRAY[CAST(:id AS integer)], :start, :end) ORDER BY bucket"  # noqa: S608
    )
    for resolution in ("minute", "hour")
}
# Days are the park's own and whole, put together from hours, or from minutes where midnights are not on the hour.
_DAYS = {
    part: text(
        f"""
        SELECT day AS time, sum(total) / nullif(sum(valid), 0) AS mean, min(minimum) AS minimum,
               max(maximum) AS maximum, sum(count)::bigint AS readings, sum(valid)::bigint AS valid,
               sum(over_range)::bigint AS over_range, sum(total_sine) AS total_sine, sum(total_cosine) AS total_cosine
        FROM (SELECT *, width_bucket(bucket, CAST(:days AS timestamptz[])) AS nth
              FROM observation_{part}s(ARRAY[CAST(:id AS integer)], :start, :end)) AS parts
        JOIN unnest(CAST(:days AS timestamptz[])) WITH ORDINALITY AS d (day, nth) USING (nth)
        GROUP BY day ORDER BY day
        """  # noqa: S608  (constants of this file)
    )
    for part in ("minute", "hour")
}

Ask = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Gives a connection for one question."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: ``start <= time < end`` of some datastreams at one resolution; readings as ``sent`` too."""

    datastreams: Sequence["Datastream"]
    resolution: Resolution
    start: datetime
    end: datetime
    zone: ZoneInfo
    valid_share: float
    sent: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Fields of an entry that not every export has."""
        if self.resolution != "raw":
            return COLUMNS_OF_PERIODS
        return COLUMNS_AS_SENT if self.sent else ()


@dataclass(frozen=True, slots=True)
class Datastream:
    """What stands in every row of a datastream."""

    id: int
    station_id: str
    station_name: BilingualText
    property_id: str
    cadence: str
    unit: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; ``readings`` and ``valid`` are told of periods only, ``sent_...`` of readings only."""

    time: datetime
    value: float | None
    quality: str
    minimum: float | None
    maximum: float | None
    readings: int | None = None
    valid: int | None = None
    sent_unit: str | None = None
    sent_value: float | None = None
    sent_minimum: float | None = None
    sent_maximum: float | None = None


async def datastreams(
    connection: AsyncConnection, park_id: str, ids: Sequence[int] | None, cadence: str | None
) -> list[Datastream]:
    """These datastreams of a park, or all that are in use. Raises NotFound."""
    wanted = None if ids is None else sorted(set(ids))
    question = {"park": park_id, "ids": wanted, "cadence": cadence, "limit": MAX_DATASTREAMS}
    rows = (await connection.execute(_DATASTREAMS, question)).all()
    missing = [str(number) for number in sorted(set(wanted or ()) - {row.id for row in rows})]
    if missing:
        raise NotFound(f"Park '{park_id}' has no such datastream: {', '.join(missing[:10])}.")
    return [
        Datastream(
            row.id,
            row.station_id,
            BilingualText.model_validate(row.name),
            row.property_id,
            row.cadence,
            observed_properties()[row.property_id].unit,
        )
        for row in rows
    ]


async def pieces(ask: Ask, wanted: Wanted) -> AsyncIterator[tuple[Datastream, list[Entry]]]:
    """Every observation by datastream and time, in pieces that are not empty."""
    for datastream in wanted.datastreams:
        of_one = _readings(ask, wanted, datastream) if wanted.resolution == "raw" else _periods(ask, wanted, datastream)
        async for entries in of_one:
            if entries:
                yield datastream, entries


async def _readings(ask: Ask, wanted: Wanted, datastream: Datastream) -> AsyncIterator[list[Entry]]:
    after = wanted.start - _DAY
    while True:
        question = {"id": datastream.id, "start": wanted.start, "end": wanted.end, "after": after, "limit": ROWS}
        async with ask() as connection:
            rows = (await connection.execute(_READINGS, question)).all()
            sent = await as_sent(connection, rows, {datastream.id: datastream.unit}) if wanted.sent else None
        entries = [Entry(*row[1:]) for row in rows]
        yield entries if sent is None else list(map(_with_sent, entries, sent))
        if len(rows) < ROWS:
            return
        after = rows[-1].time


async def _periods(ask: Ask, wanted: Wanted, datastream: Datastream) -> AsyncIterator[list[Entry]]:
    if wanted.resolution == "day":
        days = midnights(wanted.zone, wanted.start, wanted.end, _LONGEST)
        whole = all(day.minute == day.second == 0 for day in days)
        spans = [(days[0], days[-1])]
        statement, more = _DAYS["hour" if whole else "minute"], {"days": days[:-1]}
    else:
        window = _WINDOW[wanted.resolution]
        count = -((wanted.start - wanted.end) // window)
        limits = [min(wanted.start + step * window, wanted.end) for step in range(count + 1)]
        spans = list(pairwise(limits))
        statement, more = _PERIODS[wanted.resolution], {}
    for start, end in spans:
        question: dict[str, Any] = {"id": datastream.id, "start": start, "end": end, **more}
        async with ask() as connection:
            rows = (await connection.execute(statement, question)).all()
        yield [_entry(row, datastream, wanted.valid_share) for row in rows]


def _with_sent(entry: Entry, sent: AsSent) -> Entry:
    return replace(
        entry,
        sent_unit=sent.unit,
        sent_value=sent.value,
        sent_minimum=sent.minimum,
        sent_maximum=sent.maximum,
    )


def _entry(row: Row[Any], datastream: Datastream, share: float) -> Entry:
    angle = datastream.unit == "deg" and row.total_sine is not None
    return Entry(
        time=row.time,
        value=mean_direction(row.total_sine, row.total_cosine) if angle else row.mean,
        quality=quality_of_mean(row.readings, row.valid, row.over_range, share),
        minimum=row.minimum,
        maximum=row.maximum,
        readings=row.readings,
        valid=row.valid,
    )
