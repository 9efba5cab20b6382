"""The journal: a row for each thing that happened to an alarm; what is written stays."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Entry, Subject

_INSERT = text(
    """
    INSERT INTO journal (id, alarm_id, number, park_id, station_id, datastream_id, rule_id, action, told_as,
        state_before, state_after, colour_before, colour_after, value, threshold, event_time, recorded_at, actor,
        comment, detail)
    VALUES (:id, :alarm_id, :number, :park_id, :station_id, :datastream_id, :rule_id, :action, :told_as,
        :state_before, :state_after, :colour_before, :colour_after, :value, :threshold, :event_time, :recorded_at,
        :actor, :comment, CAST(:detail AS jsonb))
    """
)


async def write(connection: AsyncConnection, entries: Sequence[tuple[Entry, Subject]]) -> None:
    """Write entries, each with the subject of its alarm, in one go."""
    if entries:
        await connection.execute(_INSERT, [_parameters(entry, subject) for entry, subject in entries])


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
    await connection.execute(_INSERT, parameters)


async def of_alarm(connection: AsyncConnection, alarm_id: UUID) -> list[dict[str, Any]]:
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


def _parameters(entry: Entry, subject: Subject) -> dict[str, Any]:
    own = ("id", "alarm_id", "number", "action", "told_as", "state_before", "state_after", "colour_before")
    also = ("colour_after", "value", "threshold", "event_time", "recorded_at", "actor", "comment")
    return {name: getattr(entry, name) for name in own + also} | {
        "park_id": subject.park_id,
        "station_id": subject.station_id,
        "datastream_id": subject.datastream_id,
        "rule_id": subject.rule_id,
        "detail": json.dumps(entry.detail),
    }
