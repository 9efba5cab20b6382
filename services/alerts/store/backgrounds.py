"""What must be known of a park when one of its alarms calls for attention; all of it in one question."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import Place, Wind
from services.alerts.notifications import FloodRule, Policy
from services.alerts.store import policies
from services.alerts.store.kpi import CALLS
from services.alerts.store.surroundings import FRESH
from shared.levels import Colour

_MOST_WINDS = 2000
_ASK = text(
    f"""
    WITH said AS (
        SELECT document, CAST(:now AS timestamptz) - make_interval(secs => coalesce(
            CAST(document #>> '{{flood,window_s}}' AS float8), CAST(:window_s AS float8))) AS since
        FROM (SELECT 1) AS one LEFT JOIN park_policy ON park_id = :park_id
    )
    SELECT CAST(said.document AS text) AS document, said.since,
        EXISTS (SELECT FROM flood WHERE park_id = :park_id AND ended_at IS NULL) AS flooded,
        calling.colours, calling.counts, wind.times, wind.from_deg, wind.speed_m_s,
        place.stations, place.longitudes, place.latitudes
    FROM said CROSS JOIN LATERAL (
        SELECT array_agg(colour_after) AS colours, array_agg(found) AS counts FROM (
            SELECT colour_after, count(*) AS found FROM journal
            WHERE park_id = :park_id AND recorded_at > said.since AND recorded_at <= :now AND {CALLS}
            GROUP BY colour_after
        ) AS by_colour
    ) AS calling CROSS JOIN (
        SELECT array_agg(at) AS times, array_agg(from_deg) AS from_deg, array_agg(speed_m_s) AS speed_m_s FROM (
            SELECT at, from_deg, speed_m_s FROM park_wind
            WHERE park_id = :park_id AND at > :first AND at <= :last ORDER BY at DESC LIMIT :most_winds
        ) AS latest
    ) AS wind CROSS JOIN (
        SELECT array_agg(station_id) AS stations, array_agg(longitude) AS longitudes, array_agg(latitude) AS latitudes
        FROM station_place WHERE station_id = ANY(CAST(:stations AS text[]))
    ) AS place
    """  # noqa: S608  (words of this service)
)


@dataclass(frozen=True, slots=True)
class Background:
    """`calls` are the alarms that called for attention after `since`, the policy's window of a flood, by colour."""

    policy: Policy
    flooded: bool
    since: datetime
    calls: dict[Colour, int]
    winds: list[tuple[datetime, Wind]]
    """The latest first."""
    places: dict[str, Place]

    def wind_at(self, moment: datetime) -> Wind | None:
        """The wind as it was last known then, None where that is too long before."""
        return next((wind for at, wind in self.winds if moment - FRESH < at <= moment), None)


async def of_park(
    connection: AsyncConnection, park_id: str, now: datetime, moments: Collection[datetime], stations: Collection[str]
) -> Background:
    """The background at `now` [wall time], with the winds up to `moments` [event time] and where `stations` stand."""
    rows = await connection.execute(
        _ASK,
        {
            "park_id": park_id,
            "now": now,
            "window_s": FloodRule().window_s,
            "first": min(moments) - FRESH,
            "last": max(moments),
            "most_winds": _MOST_WINDS,
            "stations": sorted(stations),
        },
    )
    return _background(rows.one())


def _background(row: Row[Any]) -> Background:
    counts = dict(zip(row.colours or (), row.counts or (), strict=True))
    winds = zip(row.times or (), row.from_deg or (), row.speed_m_s or (), strict=True)
    places = zip(row.stations or (), row.longitudes or (), row.latitudes or (), strict=True)
    return Background(
        policy=policies.read(row.document) if row.document is not None else Policy(),
        flooded=row.flooded,
        since=row.since,
        calls={colour: counts.get(colour, 0) for colour in Colour},
        winds=[(at, Wind(from_deg, speed_m_s)) for at, from_deg, speed_m_s in winds],
        places={station: Place(longitude, latitude) for station, longitude, latitude in places},
    )
