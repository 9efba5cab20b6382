"""The change feed: everything that was committed since a cursor, in the order in which it was committed.

It reads the outbox of ingest. A fact gets its position, the next of its stream, as its transaction commits, and the
stream is locked for that moment, so nothing can ever come to stand before a position that a reader has passed: that is
what an id or a time given inside the transaction cannot promise. A cursor holds the position in each stream.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.questions import cursors
from services.ingest.questions.cursors import Place
from shared.messages import CORRECTIONS_STREAM, ObservationsCorrected, ObservationsStored
from shared.problems import Gone
from shared.quality import Quality
from shared.time import from_microseconds
from shared.vocabulary import observed_properties

Since = Literal["oldest", "now"]
_WINDOWS = (250, 4000)
"""Positions of each stream that one question looks at: the second number where the first shows nothing of the park."""
_FACTS = 256
"""Facts of the park, of each stream, that one question takes at most."""
_PAYLOADS_AT_ONCE = 16

_STREAMS = text(
    """
    SELECT s.stream, s.last_position,
           coalesce((SELECT min(position) FROM outbox o WHERE o.stream = s.stream AND position IS NOT NULL),
                    s.last_position + 1) AS oldest
    FROM outbox_stream s WHERE s.stream LIKE 'observations.%' OR s.stream = :corrections
    """
)
# Facts that do not say whom they concern are looked into.
_LOOK = text(
    """
    SELECT w.stream, w.after, w.until, f.present, f.ids, f.positions
    FROM unnest(CAST(:streams AS text[]), CAST(:after AS bigint[]), CAST(:until AS bigint[]))
         AS w (stream, after, until)
    CROSS JOIN LATERAL (
        SELECT count(*) AS present,
               array_agg(id ORDER BY position) FILTER (WHERE mine) AS ids,
               array_agg(position ORDER BY position) FILTER (WHERE mine) AS positions
        FROM (
            SELECT id, position, coalesce(cardinality(parks), 0) = 0 OR :park = ANY(parks) AS mine
            FROM outbox WHERE stream = w.stream AND position > w.after AND position <= w.until
        ) AS seen
    ) AS f
    """
)
_PAYLOADS = text("SELECT id, payload FROM outbox WHERE id = ANY(:ids)")
_DATASTREAMS = text(
    """
    SELECT d.id, d.station_id, d.property_id, d.cadence FROM datastream d JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park AND d.id = ANY(:ids)
    """
)
_EXTREMES = text(
    """
    SELECT o.datastream_id, o.time, o.minimum, o.maximum
    FROM unnest(CAST(:ids AS integer[]), CAST(:times AS timestamptz[])) AS k (datastream_id, time)
    JOIN observation o ON o.datastream_id = k.datastream_id AND o.time = k.time
    WHERE o.time >= :first AND o.time <= :last AND (o.minimum IS NOT NULL OR o.maximum IS NOT NULL)
    """
)

_Entry = tuple[int, int, float | None, str]
"""Datastream, time [us], value, flag."""
_Taken = tuple[schemas.ChangeKind, _Entry, Row[Any]]
"""With the row of the datastream."""


@dataclass(slots=True)
class _Stream:
    """What a question sees of a stream: the facts of the park among the positions up to ``until``."""

    name: str
    place: Place
    until: int
    facts: list[tuple[int, int]] = field(default_factory=list)
    """(id, position), in order of position."""


async def changes(
    connection: AsyncConnection, park_id: str, cursor: str | None, since: Since, limit: int
) -> schemas.ChangePage:
    """What was committed of a park after ``cursor``; without one, after ``since``. At most ``limit`` changes.

    Raises BadRequest for what is no cursor, Gone for one that lies outside of what is kept. The connection must not
    have begun a transaction: what is read has to come of one state.
    """
    await connection.execution_options(isolation_level="REPEATABLE READ")
    rows = (await connection.execute(_STREAMS, {"corrections": CORRECTIONS_STREAM})).all()
    ends = {row.stream: row.last_position for row in rows}
    places = _begin(rows, cursor, since)
    streams: list[_Stream] = []
    for window in _WINDOWS:
        streams = await _look(connection, park_id, places, ends, window)
        if any(stream.facts for stream in streams):
            break
    taken = await _take(connection, park_id, streams, limit)
    reached = {**places, **{stream.name: stream.place for stream in streams}}
    return schemas.ChangePage(
        items=await _described(connection, taken),
        next=cursors.write(reached),
        more=any(reached[name].position < end for name, end in ends.items()),
    )


def _begin(rows: Sequence[Row[Any]], cursor: str | None, since: Since) -> dict[str, Place]:
    """Where the question begins in each stream."""
    ends = {row.stream: Place(row.last_position) for row in rows}
    if cursor is None:
        return ends if since == "now" else {row.stream: Place(row.oldest - 1) for row in rows}
    given = cursors.read(cursor)
    # A stream that the cursor does not name did not exist when it was given.
    places = {row.stream: given.pop(row.stream, Place(0)) for row in rows}
    ahead = given or any(places[row.stream].position > row.last_position for row in rows)
    if ahead or any(places[row.stream].position + 1 < row.oldest for row in rows):
        raise _gone(ends)
    return places


def _gone(ends: Mapping[str, Place]) -> Gone:
    return Gone(
        "What was committed right after this cursor is no longer kept, or was lost with a restored backup. Go on from "
        "the `next` of this answer, and then read the time that you may have missed from "
        "GET /parks/{park_id}/observations or its export: what is stored twice is the same.",
        next=cursors.write(ends),
    )


async def _look(
    connection: AsyncConnection, park_id: str, places: Mapping[str, Place], ends: Mapping[str, int], window: int
) -> list[_Stream]:
    waiting = sorted(name for name, place in places.items() if place.position < ends[name])
    question = {
        "park": park_id,
        "streams": waiting,
        "after": [places[name].position for name in waiting],
        "until": [min(ends[name], places[name].position + window) for name in waiting],
    }
    streams = []
    for row in await connection.execute(_LOOK, question):
        if row.present != row.until - row.after:
            # Retention deletes by age and not by position.
            raise _gone({name: Place(end) for name, end in ends.items()})
        facts = list(zip(row.ids or (), row.positions or (), strict=True))
        until = facts[_FACTS - 1][1] if len(facts) > _FACTS else row.until
        streams.append(_Stream(row.stream, places[row.stream], until, facts[:_FACTS]))
    return streams


def _in_order(streams: list[_Stream]) -> Iterator[tuple[_Stream, int, int]]:
    """(stream, id, position): each stream in its own order, and of their next ones that which was written first."""
    heads = [(stream.facts[0][0], number, 0) for number, stream in enumerate(streams) if stream.facts]
    heapq.heapify(heads)
    while heads:
        fact, number, index = heapq.heappop(heads)
        stream = streams[number]
        yield stream, fact, stream.facts[index][1]
        if index + 1 < len(stream.facts):
            heapq.heappush(heads, (stream.facts[index + 1][0], number, index + 1))


async def _take(connection: AsyncConnection, park_id: str, streams: list[_Stream], limit: int) -> list[_Taken]:
    """Changes in order until there are ``limit``; moves the place of each stream to where it ends."""
    taken: list[_Taken] = []
    order = list(_in_order(streams))
    start, size = 0, 1  # a bulk load's first fact may fill the page
    while portion := order[start : start + size]:
        start, size = start + size, min(4 * size, _PAYLOADS_AT_ONCE)
        rows = await connection.execute(_PAYLOADS, {"ids": [fact for _, fact, _ in portion]})
        payloads = {row.id: bytes(row.payload) for row in rows}
        entries = {fact: _entries(stream.name, payloads[fact], park_id) for stream, fact, _ in portion}
        numbers = sorted({entry[0] for listed in entries.values() for entry in listed})
        known = await connection.execute(_DATASTREAMS, {"park": park_id, "ids": numbers})
        own = {row.id: row for row in known}
        for stream, fact, position in portion:
            kind: schemas.ChangeKind = "corrected" if stream.name == CORRECTIONS_STREAM else "stored"
            skip = stream.place.taken if stream.place.position == position - 1 else 0
            listed = entries[fact]
            for index in range(skip, len(listed)):
                if len(taken) == limit:
                    stream.place = Place(position - 1, index)
                    return taken
                entry = listed[index]
                if entry[0] in own:
                    taken.append((kind, entry, own[entry[0]]))
            stream.place = Place(position)
    for stream in streams:
        stream.place = Place(stream.until)
    return taken


def _entries(stream: str, payload: bytes, park_id: str) -> list[_Entry]:
    """The observations of one fact. Which park has them is for the registry to say, whatever the fact says."""
    if stream != CORRECTIONS_STREAM:
        return list(ObservationsStored.decode(payload).rows())
    told = ObservationsCorrected.decode(payload)
    if told.park_id != park_id:
        return []
    return list(zip(told.datastream_id, told.time, told.value, told.quality, strict=True))


async def _described(connection: AsyncConnection, taken: list[_Taken]) -> list[schemas.Change]:
    if not taken:
        return []
    times = [from_microseconds(entry[1]) for _, entry, _ in taken]
    question = {
        "ids": [entry[0] for _, entry, _ in taken],
        "times": times,
        "first": min(times),
        "last": max(times),
    }
    extremes = {(row.datastream_id, row.time): row for row in await connection.execute(_EXTREMES, question)}
    found = []
    for (kind, entry, datastream), time in zip(taken, times, strict=True):
        extreme = extremes.get((entry[0], time))
        found.append(
            schemas.Change(
                change=kind,
                datastream_id=entry[0],
                station_id=datastream.station_id,
                property_id=datastream.property_id,
                cadence=datastream.cadence,
                unit=observed_properties()[datastream.property_id].unit,
                time=time,
                value=entry[2],
                quality=Quality(entry[3]),
                minimum=None if extreme is None else extreme.minimum,
                maximum=None if extreme is None else extreme.maximum,
            )
        )
    return found
