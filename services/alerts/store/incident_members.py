"""Alarms put into their incidents, in the transaction that writes the alarms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import Candidate, Member, Newcomer, Standing, changes, choose, standing_of
from services.alerts.lifecycle import Alarm, Entry
from services.alerts.store import policies, surroundings
from services.alerts.store.incidents import Incident, load, lock_park, tell, write
from shared.levels import Colour
from shared.messages import AlarmState, IncidentChange

_NAMESPACE = UUID("0b0f5c36-6a9a-5b8e-9a63-2a53c8f6d1b7")
_MOST_CANDIDATES = 200

_COUNT = """
    WITH member AS (
        SELECT incident_alarm.incident_id, chosen.opened_at, alarm.*,
            alarm.active AND alarm.state NOT IN ('shelved', 'suppressed', 'out_of_service') AS stands,
            array_position(CAST(:colours AS text[]), alarm.colour) AS rank,
            array_position(CAST(:colours AS text[]), alarm.peak_colour) AS peak_rank
        FROM ({chosen}) AS chosen JOIN incident_alarm ON incident_alarm.incident_id = chosen.id
            JOIN alarm ON alarm.id = incident_alarm.alarm_id
    )
    SELECT incident_id, opened_at, station_id, property_id, count(*) AS alarms,
        count(*) FILTER (WHERE stands) AS active,
        count(*) FILTER (WHERE state = ANY(:unacknowledged)) AS unacknowledged,
        coalesce(max(rank) FILTER (WHERE stands), 0) AS rank, max(peak_rank) AS peak_rank, min(raised_at) AS since,
        max(greatest(raised_at, returned_at)) AS until, max(raised_at) FILTER (WHERE active) AS active_since
    FROM member GROUP BY incident_id, opened_at, station_id, property_id
    ORDER BY incident_id, station_id, property_id
    """
_MEMBERS = text(
    _COUNT.format(chosen="SELECT id, CAST(NULL AS timestamptz) AS opened_at FROM unnest(CAST(:ids AS uuid[])) AS id")
)
_CANDIDATES = text(
    _COUNT.format(
        chosen="SELECT id, opened_at FROM incident WHERE park_id = :park_id AND closed_at IS NULL "
        "ORDER BY recorded_at DESC, id DESC LIMIT :limit"
    )
)
_COUNTED = {
    "colours": [colour.value for colour in Colour],
    "unacknowledged": [state.value for state in AlarmState if state.needs_acknowledgement],
}


async def follow(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: Sequence[Entry]) -> None:
    """Put what has happened to alarms into their incidents, and tell; in the transaction that wrote the alarms.

    An alarm that calls for attention goes into an open incident of its park, or begins one; there it stays. Doing it
    twice changes nothing. Parks are locked in the order of their ids, after the alarms.
    """
    by_park: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.told_as is not None:
            by_park[alarms[entry.alarm_id].subject.park_id].append(entry)
    for park_id in sorted(by_park):
        await _follow_park(connection, park_id, alarms, by_park[park_id])


async def _follow_park(
    connection: AsyncConnection, park_id: str, alarms: Mapping[UUID, Alarm], entries: list[Entry]
) -> None:
    await lock_park(connection, park_id)
    now = max(entry.recorded_at for entry in entries)
    touched = {entry.alarm_id for entry in entries}
    incident_of = await _open_incidents_of(connection, touched)
    # The first entry of each alarm that calls for attention.
    calling = {entry.alarm_id: entry for entry in reversed(entries) if entry.state_after is AlarmState.UNACKNOWLEDGED}
    lonely = sorted((calling[i] for i in calling.keys() - incident_of.keys()), key=lambda at: (at.event_time, at.id))
    details: dict[UUID, dict[str, Any]] = {}
    if lonely:
        incident_of |= await _place(connection, park_id, alarms, lonely, details)
    if not incident_of:
        return
    ids = sorted(set(incident_of.values()))
    before = {incident.id: incident for incident in await load(connection, ids)}
    members = await _members(connection, ids)
    for incident_id in ids:
        standing = standing_of(members[incident_id])
        await _renew(
            connection,
            before.get(incident_id, Incident(incident_id, park_id, standing, now, 0)),
            standing,
            now,
            details.get(incident_id),
        )


async def _place(
    connection: AsyncConnection,
    park_id: str,
    alarms: Mapping[UUID, Alarm],
    lonely: list[Entry],
    details: dict[UUID, dict[str, Any]],
) -> dict[UUID, UUID]:
    """Find an incident for each alarm, in the order of their raises. `details` says what the finding rested on."""
    rule = (await policies.of_park(connection, park_id)).grouping
    candidates = await _candidates(connection, park_id)
    stations = {alarms[entry.alarm_id].subject.station_id for entry in lonely}
    stations |= {member.station_id for candidate in candidates.values() for member in candidate.members}
    places = await surroundings.places_of(connection, stations)
    winds = await surroundings.winds_at(connection, park_id, (entry.event_time for entry in lonely))
    found: dict[UUID, UUID] = {}
    for entry in lonely:
        subject = alarms[entry.alarm_id].subject
        newcomer = Newcomer(subject.station_id, subject.property_id, entry.event_time)
        wind = winds[entry.event_time]
        chosen = choose(newcomer, candidates.values(), places, wind, rule)
        if chosen is None:
            chosen = uuid5(_NAMESPACE, str(entry.id))
            candidates[chosen] = Candidate(chosen, entry.event_time, ())
        candidates[chosen] = _with(candidates[chosen], newcomer)
        found[entry.alarm_id] = chosen
        details[chosen] = {
            "alarm_ids": [*details.get(chosen, {}).get("alarm_ids", []), str(entry.alarm_id)],
            "wind_from_deg": wind.from_deg if wind is not None else None,
            "wind_speed_m_s": wind.speed_m_s if wind is not None else None,
        }
        await connection.execute(
            text("INSERT INTO incident_alarm (incident_id, alarm_id) VALUES (:incident_id, :alarm_id)"),
            {"incident_id": chosen, "alarm_id": entry.alarm_id},
        )
    return found


def _with(candidate: Candidate, newcomer: Newcomer) -> Candidate:
    at = newcomer.raised_at
    member = Member(newcomer.station_id, newcomer.property_id, 1, 1, 1, 0, 0, at, at, at)
    return replace(candidate, members=(*candidate.members, member))


async def _renew(
    connection: AsyncConnection, before: Incident, standing: Standing, now: datetime, detail: dict[str, Any] | None
) -> None:
    news = changes(before.standing if before.entries else None, standing)
    after = replace(before, standing=standing, entries=before.entries + len(news))
    if after != before or not before.entries:
        await write(connection, after)
    for number, change in enumerate(news, start=before.entries + 1):
        placed = detail if change in (IncidentChange.OPENED, IncidentChange.GREW) else None
        await tell(connection, after, change, number, standing.last_at, now, detail=placed)


async def _open_incidents_of(connection: AsyncConnection, alarm_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    rows = await connection.execute(
        text(
            "SELECT alarm_id, incident_id FROM incident_alarm JOIN incident ON incident.id = incident_id "
            "WHERE alarm_id = ANY(:ids) AND closed_at IS NULL"
        ),
        {"ids": sorted(alarm_ids)},
    )
    return {row.alarm_id: row.incident_id for row in rows}


async def _candidates(connection: AsyncConnection, park_id: str) -> dict[UUID, Candidate]:
    rows = await connection.execute(_CANDIDATES, _COUNTED | {"park_id": park_id, "limit": _MOST_CANDIDATES})
    found: dict[UUID, Candidate] = {}
    for row in rows:
        known = found.get(row.incident_id, Candidate(row.incident_id, row.opened_at, ()))
        found[row.incident_id] = replace(known, members=(*known.members, _member(row)))
    return found


async def _members(connection: AsyncConnection, incident_ids: list[UUID]) -> defaultdict[UUID, list[Member]]:
    found: defaultdict[UUID, list[Member]] = defaultdict(list)
    for row in await connection.execute(_MEMBERS, _COUNTED | {"ids": incident_ids}):
        found[row.incident_id].append(_member(row))
    return found


def _member(row: Row[Any]) -> Member:
    return Member(**{field.name: getattr(row, field.name) for field in fields(Member)})
