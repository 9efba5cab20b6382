"""Alarms and their journal: read under lock, written together with the facts that tell of them."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm, Entry, Subject, Suppressor
from services.alerts.store import floods, incident_members, waiting
from shared import outbox
from shared.levels import Colour
from shared.messages import AlarmChanged, AlarmState
from shared.text import BilingualText

STREAM = "alarms"

_NAMES = (
    *("id", "park_id", "station_id", "station_name_zh", "station_name_en", "ring", "subject_key", "datastream_id"),
    *("property_id", "unit", "amount", "rule_id", "serial", "entries", "state", "active", "colour", "peak_colour"),
    *("value", "peak_value", "threshold", "raised_at", "changed_at", "recorded_at", "withdrawn", "acknowledged_by"),
    *("acknowledged_at", "comment", "returned_at", "closed_at", "latching", "raises", "chattering", "assigned_to"),
    *("shelved_until", "shelved_once", "suppressed_by", "out_of_service"),
)
_UPSERT = text(
    f"INSERT INTO alarm ({', '.join(_NAMES)}) VALUES ({', '.join(':' + name for name in _NAMES)}) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES[_NAMES.index("entries") :])
)
_JOURNAL = text(
    """
    INSERT INTO journal (id, alarm_id, number, park_id, station_id, datastream_id, rule_id, action, told_as,
        state_before, state_after, colour_before, colour_after, value, threshold, event_time, recorded_at, actor,
        comment, detail)
    VALUES (:id, :alarm_id, :number, :park_id, :station_id, :datastream_id, :rule_id, :action, :told_as,
        :state_before, :state_after, :colour_before, :colour_after, :value, :threshold, :event_time, :recorded_at,
        :actor, :comment, CAST(:detail AS jsonb))
    """
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alarm of a page ends, for the next page."""

    raised_at: datetime
    alarm_id: UUID

    def encode(self) -> str:
        """As an opaque cursor."""
        return base64.urlsafe_b64encode(f"{self.raised_at.isoformat()}|{self.alarm_id}".encode()).decode()

    @classmethod
    def decode(cls, cursor: str) -> "Place":
        """The inverse; raises ValueError."""
        try:
            raised_at, alarm_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
            return cls(datetime.fromisoformat(raised_at), UUID(alarm_id))
        except (binascii.Error, UnicodeError, ValueError) as error:
            raise ValueError("not a cursor that this list gave") from error


async def lock_open(connection: AsyncConnection, keys: Iterable[str]) -> list[Alarm]:
    """The open alarms of these subjects, whatever their rule, locked in the order of their ids."""
    rows = await connection.execute(
        text(
            "SELECT * FROM alarm WHERE closed_at IS NULL AND subject_key = ANY(CAST(:keys AS text[])) "
            "ORDER BY id FOR UPDATE"
        ),
        {"keys": list(keys)},
    )
    return [_alarm(row) for row in rows]


async def misfits(connection: AsyncConnection, now: datetime, limit: int, station_id: str | None = None) -> list[str]:
    """The subjects (keys) of open alarms that are not what suppressions and the time ask for; at a station, or all.

    Nothing is locked: the subjects are then locked together.
    """
    rows = await connection.execute(
        text(
            """
            SELECT DISTINCT subject_key FROM alarm LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE kind = 'maintenance' AND alarm.datastream_id IS NOT NULL) > 0
                        AS maintenance,
                    count(*) FILTER (WHERE kind = 'out_of_service') > 0 AS out_of_service
                FROM suppression
                WHERE ended_at IS NULL AND suppression.station_id = alarm.station_id
                    AND (suppression.datastream_id IS NULL OR suppression.datastream_id = alarm.datastream_id)
            ) AS held ON true
            WHERE closed_at IS NULL
                AND (CAST(:station_id AS text) IS NULL OR station_id = CAST(:station_id AS text))
                AND (held.maintenance <> ('maintenance' = ANY(suppressed_by))
                    OR held.out_of_service <> alarm.out_of_service
                    OR (state = 'shelved' AND shelved_until <= :now))
            ORDER BY subject_key LIMIT :limit
            """
        ),
        {"station_id": station_id, "now": now, "limit": limit},
    )
    return list(rows.scalars())


@dataclass(frozen=True, slots=True)
class Past:
    """The last alarm of a subject and rule: its number, and the last raises up to it."""

    serial: int = 0
    raises: tuple[datetime, ...] = ()


async def past_of(
    connection: AsyncConnection, rule_ids: Iterable[str], keys: Iterable[str]
) -> dict[tuple[str, str], Past]:
    """The last alarm of each (rule, subject) of these (position i of both); those without any are left out."""
    rows = await connection.execute(
        text(
            "SELECT DISTINCT ON (subject_key, rule_id) rule_id, subject_key, serial, raises FROM alarm "
            "WHERE (rule_id, subject_key) IN "
            "(SELECT * FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]))) "
            "ORDER BY subject_key, rule_id, serial DESC"
        ),
        {"rules": list(rule_ids), "keys": list(keys)},
    )
    return {(rule_id, key): Past(serial, tuple(raises)) for rule_id, key, serial, raises in rows}


async def lock(connection: AsyncConnection, park_id: str, alarm_id: UUID) -> Alarm | None:
    """One alarm of a park, locked until the end of the transaction."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE park_id = :park_id AND id = :id FOR UPDATE"),
        {"park_id": park_id, "id": alarm_id},
    )
    row = rows.first()
    return _alarm(row) if row is not None else None


async def lock_free(connection: AsyncConnection, alarm_ids: Iterable[UUID]) -> list[Alarm]:
    """Those of these alarms that nobody else has locked, locked in the order of their ids."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED"), {"ids": sorted(alarm_ids)}
    )
    return [_alarm(row) for row in rows]


async def open_of_rule(connection: AsyncConnection, rule_id: str) -> list[Alarm]:
    """Every open alarm of one rule."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE closed_at IS NULL AND rule_id = :rule_id"), {"rule_id": rule_id}
    )
    return [_alarm(row) for row in rows]


async def save(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: list[Entry]) -> None:
    """Write alarms, their journal entries and the facts for subscribers."""
    # What closes goes first: of a subject and a rule there is one open alarm at any moment.
    for alarm_id in sorted(alarms, key=lambda alarm_id: (alarms[alarm_id].is_open, alarm_id)):
        await connection.execute(_UPSERT, _parameters(alarms[alarm_id]))
    for entry in entries:
        subject = alarms[entry.alarm_id].subject
        await connection.execute(_JOURNAL, _journal_parameters(entry, subject))
        if entry.told_as is not None:
            await outbox.enqueue(connection, STREAM, _fact(entry, alarms[entry.alarm_id]))
    await incident_members.follow(connection, alarms, entries)
    await waiting.follow(connection, alarms, entries)
    await floods.follow(connection, alarms, entries)


async def record(connection: AsyncConnection, entry_id: UUID, subject: Subject, row: Mapping[str, Any]) -> None:
    """Write a journal row that belongs to no alarm; once, whoever repeats it."""
    empty = dict.fromkeys(
        ("told_as", "state_before", "state_after", "colour_before", "value", "threshold", "actor", "comment")
    )
    parameters = {
        **empty,
        "id": entry_id,
        "alarm_id": None,
        "number": 0,
        "park_id": subject.park_id,
        "station_id": subject.station_id,
        "datastream_id": subject.datastream_id,
        "rule_id": subject.rule_id,
        **row,
        "detail": json.dumps(row.get("detail")),
    }
    await connection.execute(_JOURNAL, parameters)


async def update_values(
    connection: AsyncConnection, values: Mapping[tuple[str, str], tuple[float | None, float | None]]
) -> None:
    """Current and peak value of active alarms by (rule, subject key); no transition, so neither journal nor fact."""
    which = sorted(values)
    await connection.execute(
        text(
            """
            UPDATE alarm SET value = new.value, peak_value = greatest(alarm.peak_value, new.peak)
            FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:values AS float8[]),
                CAST(:peaks AS float8[])) AS new (rule, key, value, peak)
            WHERE alarm.subject_key = new.key AND alarm.rule_id = new.rule AND alarm.active AND alarm.closed_at IS NULL
                AND alarm.datastream_id IS NOT NULL
            """
        ),
        {
            "rules": [rule for rule, _ in which],
            "keys": [key for _, key in which],
            "values": [values[each][0] for each in which],
            "peaks": [values[each][1] for each in which],
        },
    )


async def page(
    connection: AsyncConnection, park_id: str, *, which: str, limit: int, after: Place | None
) -> list[Alarm]:
    """Alarms of a park, the latest first: `all`, the `open` ones, or those in the state that `which` names."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM alarm
            WHERE park_id = :park_id AND (:which = 'all' OR closed_at IS NULL)
                AND (:which IN ('all', 'open') OR state = :which)
                AND (CAST(:alarm_id AS uuid) IS NULL
                    OR (raised_at, id) < (CAST(:raised_at AS timestamptz), CAST(:alarm_id AS uuid)))
            ORDER BY raised_at DESC, id DESC LIMIT :limit
            """
        ),
        {
            "park_id": park_id,
            "which": which,
            "raised_at": after.raised_at if after is not None else None,
            "alarm_id": after.alarm_id if after is not None else None,
            "limit": limit,
        },
    )
    return [_alarm(row) for row in rows]


async def one(connection: AsyncConnection, park_id: str, alarm_id: UUID) -> Alarm | None:
    """One alarm of a park."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE park_id = :park_id AND id = :id"),
        {"park_id": park_id, "id": alarm_id},
    )
    row = rows.first()
    return _alarm(row) if row is not None else None


async def journal_of(connection: AsyncConnection, alarm_id: UUID) -> list[dict[str, Any]]:
    """The journal of one alarm, in order."""
    rows = await connection.execute(
        text(
            "SELECT id, action, state_before, state_after, colour_before, colour_after, value, threshold, event_time, "
            "recorded_at, actor, comment, CAST(detail AS text) AS detail "
            "FROM journal WHERE alarm_id = :id ORDER BY number"
        ),
        {"id": alarm_id},
    )
    return [dict(row) | {"detail": json.loads(row["detail"] or "null")} for row in rows.mappings()]


async def count_open(connection: AsyncConnection) -> dict[str, int]:
    """Number of open alarms by colour."""
    rows = await connection.execute(
        text("SELECT colour, count(*) AS open FROM alarm WHERE closed_at IS NULL GROUP BY colour")
    )
    return {row.colour: row.open for row in rows}


def _alarm(row: Row[Any]) -> Alarm:
    subject = Subject(
        park_id=row.park_id,
        station_id=row.station_id,
        station_name=BilingualText(zh=row.station_name_zh, en=row.station_name_en),
        ring=row.ring,
        rule_id=row.rule_id,
        datastream_id=row.datastream_id,
        property_id=row.property_id,
        unit=row.unit,
        amount=row.amount,
    )
    same = {name: getattr(row, name) for name in _NAMES[_NAMES.index("value") :]} | {
        "raises": tuple(row.raises),
        "suppressed_by": tuple(Suppressor(why) for why in row.suppressed_by),
    }
    return Alarm(
        id=row.id,
        subject=subject,
        serial=row.serial,
        entries=row.entries,
        state=AlarmState(row.state),
        active=row.active,
        colour=Colour(row.colour),
        peak_colour=Colour(row.peak_colour),
        **same,
    )


def _parameters(alarm: Alarm) -> dict[str, Any]:
    subject = alarm.subject
    own = {name: getattr(alarm, name) for name in ("id", *_NAMES[_NAMES.index("serial") :])}
    return own | {
        "raises": list(alarm.raises),
        "suppressed_by": [why.value for why in alarm.suppressed_by],
        "park_id": subject.park_id,
        "station_id": subject.station_id,
        "station_name_zh": subject.station_name.zh,
        "station_name_en": subject.station_name.en,
        "ring": subject.ring,
        "subject_key": subject.key,
        "datastream_id": subject.datastream_id,
        "property_id": subject.property_id,
        "unit": subject.unit,
        "amount": subject.amount,
        "rule_id": subject.rule_id,
    }


def _journal_parameters(entry: Entry, subject: Subject) -> dict[str, Any]:
    own = ("id", "alarm_id", "number", "action", "told_as", "state_before", "state_after", "colour_before")
    also = ("colour_after", "value", "threshold", "event_time", "recorded_at", "actor", "comment")
    return {name: getattr(entry, name) for name in own + also} | {
        "park_id": subject.park_id,
        "station_id": subject.station_id,
        "datastream_id": subject.datastream_id,
        "rule_id": subject.rule_id,
        "detail": json.dumps(entry.detail),
    }


def _fact(entry: Entry, alarm: Alarm) -> AlarmChanged:
    """What subscribers are told: the alarm as it was after this entry."""
    if entry.told_as is None:
        raise ValueError(f"the action {entry.action} is for the journal alone")
    subject = alarm.subject
    return AlarmChanged(
        transition_id=entry.id,
        alarm_id=alarm.id,
        park_id=subject.park_id,
        station_id=subject.station_id,
        datastream_id=subject.datastream_id,
        property_id=subject.property_id,
        rule_id=subject.rule_id,
        transition=entry.told_as,
        state=entry.state_after,
        colour=entry.colour_after,
        peak_colour=entry.peak_colour,
        value=entry.value,
        unit=subject.unit,
        threshold=entry.threshold,
        event_time=entry.event_time,
        recorded_at=entry.recorded_at,
        raised_at=entry.raised_at,
        actor=entry.actor,
        comment=entry.comment,
        active=entry.active,
        chattering=entry.chattering,
        assigned_to=entry.assigned_to,
    )
