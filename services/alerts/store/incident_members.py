"""Alarms put into their incidents, in the transaction that writes the alarms."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import Candidate, Member, Newcomer, Place, Standing, changes, choose, standing_of
from services.alerts.lifecycle import Alarm, Entry
from services.alerts.store.backgrounds import Background
from services.alerts.store.incidents import Incident, incident_of, write
from shared.levels import Colour
from shared.messages import AlarmState, IncidentChange, IncidentChanged

_NAMESPACE = UUID("0b0f5c36-6a9a-5b8e-9a63-2a53c8f6d1b7")
_MOST_CANDIDATES = 200

_MEMBER = tuple(field.name for field in fields(Member))
# The open incidents that have one of the alarms and, where an alarm looks for one, the latest of the park: a row for
# each station and property of an incident.
_ASK = text(
    f"""
    WITH chosen AS (
        SELECT incident.id FROM incident JOIN incident_alarm ON incident_alarm.incident_id = incident.id
        WHERE incident_alarm.alarm_id = ANY(:touched) AND incident.closed_at IS NULL
        UNION
        (SELECT id FROM incident WHERE :calling AND park_id = :park_id AND closed_at IS NULL
        ORDER BY recorded_at DESC, id DESC LIMIT :limit)
    )
    SELECT incident.*, place.longitude, place.latitude, member.touched,
        {", ".join(f"member.{name} AS member_{name}" for name in _MEMBER)}
    FROM chosen JOIN incident ON incident.id = chosen.id CROSS JOIN LATERAL (
        SELECT station_id, property_id, count(*) AS alarms,
            count(*) FILTER (WHERE stands) AS active,
            count(*) FILTER (WHERE alarm.state = ANY(:unacknowledged)) AS unacknowledged,
            coalesce(max(array_position(CAST(:colours AS text[]), alarm.colour)) FILTER (WHERE stands), 0) AS rank,
            max(array_position(CAST(:colours AS text[]), alarm.peak_colour)) AS peak_rank, min(raised_at) AS since,
            max(greatest(raised_at, returned_at)) AS until, max(raised_at) FILTER (WHERE active) AS active_since,
            array_agg(alarm.id) FILTER (WHERE alarm.id = ANY(:touched)) AS touched
        FROM incident_alarm JOIN alarm ON alarm.id = incident_alarm.alarm_id
            CROSS JOIN LATERAL (SELECT active AND alarm.state <> ALL(:hidden) AS stands) AS so
        WHERE incident_alarm.incident_id = chosen.id
        GROUP BY station_id, property_id
    ) AS member LEFT JOIN station_place AS place ON place.station_id = member.station_id
    ORDER BY incident.id, member.station_id, member.property_id
    """  # noqa: S608  (names of this file)
)
_HIDDEN = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
_CONSTANTS = {
    "colours": [colour.value for colour in Colour],
    "unacknowledged": [state.value for state in AlarmState if state.needs_acknowledgement],
    "hidden": [state.value for state in _HIDDEN],
    "limit": _MOST_CANDIDATES,
}


@dataclass(slots=True)
class _Found:
    """The incidents that matter, as they stand: `members` with those that have just come in."""

    incidents: dict[UUID, Incident] = field(default_factory=dict)
    members: defaultdict[UUID, list[Member]] = field(default_factory=lambda: defaultdict(list))
    of_alarm: dict[UUID, UUID] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    joined: defaultdict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    details: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    """What the finding of an incident rested on."""


async def follow(
    connection: AsyncConnection,
    park_id: str,
    alarms: Mapping[UUID, Alarm],
    entries: Sequence[Entry],
    background: Background | None,
) -> list[IncidentChanged]:
    """Put what has happened to alarms of a park into their incidents; in the transaction that wrote the alarms.

    An alarm that calls for attention goes into an open incident of its park, or begins one; there it stays. Doing it
    twice changes nothing. The park is locked, after the alarms; `entries` are those of which subscribers are told, and
    `background` is there if one of them calls. Gives the facts for subscribers.
    """
    now = max(entry.recorded_at for entry in entries)
    touched = {entry.alarm_id for entry in entries}
    found = await _ask(connection, park_id, touched, calling=background is not None)
    # The first entry of each alarm that calls for attention.
    calling = {entry.alarm_id: entry for entry in reversed(entries) if entry.state_after is AlarmState.UNACKNOWLEDGED}
    lonely = (calling[i] for i in calling.keys() - found.of_alarm.keys())
    if background is not None:
        _place(found, alarms, sorted(lonely, key=lambda at: (at.event_time, at.id)), background)
    told: list[IncidentChanged] = []
    for incident_id in sorted({found.of_alarm[i] for i in touched & found.of_alarm.keys()}):
        standing = standing_of(found.members[incident_id])
        before = found.incidents.get(incident_id, Incident(incident_id, park_id, standing, now, 0))
        told += await _renew(connection, before, standing, now, found)
    return told


async def _renew(
    connection: AsyncConnection, before: Incident, standing: Standing, now: datetime, found: _Found
) -> list[IncidentChanged]:
    news = changes(before.standing if before.entries else None, standing)
    after = replace(before, standing=standing, entries=before.entries + len(news))
    if after == before and before.entries:
        return []
    placed = (IncidentChange.OPENED, IncidentChange.GREW)
    details = {change: found.details.get(before.id) if change in placed else None for change in news}
    return await write(connection, after, details, standing.last_at, now, joined=found.joined[before.id])


def _place(found: _Found, alarms: Mapping[UUID, Alarm], lonely: Sequence[Entry], background: Background) -> None:
    """Find an incident for each alarm, in the order of their raises."""
    places = found.places | background.places
    candidates = {
        known.id: Candidate(known.id, known.standing.opened_at, tuple(found.members[known.id]))
        for known in found.incidents.values()
    }
    for entry in lonely:
        alarm = alarms[entry.alarm_id]
        newcomer = Newcomer(alarm.subject.station_id, alarm.subject.property_id, entry.event_time)
        wind = background.wind_at(entry.event_time)
        chosen = choose(newcomer, candidates.values(), places, wind, background.policy.grouping)
        if chosen is None:
            chosen = uuid5(_NAMESPACE, str(entry.id))
            candidates[chosen] = Candidate(chosen, entry.event_time, ())
        candidates[chosen] = _with(candidates[chosen], newcomer)
        found.of_alarm[alarm.id] = chosen
        found.joined[chosen].append(alarm.id)
        found.members[chosen].append(_alone(alarm))
        found.details[chosen] = {
            "alarm_ids": [str(alarm_id) for alarm_id in found.joined[chosen]],
            "wind_from_deg": wind.from_deg if wind is not None else None,
            "wind_speed_m_s": wind.speed_m_s if wind is not None else None,
        }


def _with(candidate: Candidate, newcomer: Newcomer) -> Candidate:
    at = newcomer.raised_at
    member = Member(newcomer.station_id, newcomer.property_id, 1, 1, 1, 0, 0, at, at, at)
    return replace(candidate, members=(*candidate.members, member))


def _alone(alarm: Alarm) -> Member:
    """One alarm as `_ASK` counts it."""
    stands = alarm.active and alarm.state not in _HIDDEN
    return Member(
        station_id=alarm.subject.station_id,
        property_id=alarm.subject.property_id,
        alarms=1,
        active=int(stands),
        unacknowledged=int(alarm.state.needs_acknowledgement),
        rank=alarm.colour.rank if stands else 0,
        peak_rank=alarm.peak_colour.rank,
        since=alarm.raised_at,
        until=max(alarm.raised_at, alarm.returned_at or alarm.raised_at),
        active_since=alarm.raised_at if alarm.active else None,
    )


async def _ask(connection: AsyncConnection, park_id: str, touched: Collection[UUID], *, calling: bool) -> _Found:
    asked = {"park_id": park_id, "touched": sorted(touched), "calling": calling}
    found = _Found()
    for row in await connection.execute(_ASK, _CONSTANTS | asked):
        found.incidents[row.id] = found.incidents.get(row.id) or incident_of(row)
        found.members[row.id].append(Member(**{name: getattr(row, f"member_{name}") for name in _MEMBER}))
        found.of_alarm |= dict.fromkeys(row.touched or (), row.id)
        if row.longitude is not None:
            found.places[row.member_station_id] = Place(row.longitude, row.latitude)
    return found
