"""What the journal tells about the load of alarms; each question is answered by the database, in bounded rows.

An alarm *calls* when it asks for an operator: it comes to be unacknowledged, or its colour rises while it is so. What
is hidden (shelved, suppressed by design, out of service) does not call. Times are wall time: when operators were told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.kpi import PERIOD

MOST = 100
"""Items of a list at most; the figures count all."""
_BAD_ACTORS = 10
CALLS = "state_after = 'unacknowledged' AND (state_before <> 'unacknowledged' OR action = 'escalate')"
_STANDS = "('unacknowledged', 'acknowledged')"
_IN_SPAN = "park_id = :park_id AND recorded_at >= :since AND recorded_at < :until AND alarm_id IS NOT NULL"
_NAMED = (
    "alarm.station_id, alarm.datastream_id, alarm.rule_id, max(alarm.property_id) AS property_id, "
    "max(alarm.station_name_zh) AS station_name_zh, max(alarm.station_name_en) AS station_name_en"
)
_SUBJECT = "alarm.station_id, alarm.datastream_id, alarm.rule_id"


@dataclass(frozen=True, slots=True)
class Span:
    """A park and the time that is judged, from `since` to before `until`."""

    park_id: str
    since: datetime
    until: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        """As the statements take them."""
        return {"park_id": self.park_id, "since": self.since, "until": self.until}


async def counts(connection: AsyncConnection, span: Span) -> dict[int, int]:
    """How many alarms called in each period, by its number from the start of the span; those with none are left out."""
    rows = await connection.execute(
        text(
            "SELECT CAST(floor(extract(epoch FROM recorded_at - :since) / :period) AS integer) AS number, "  # noqa: S608
            f"count(*) AS calls FROM journal WHERE {_IN_SPAN} AND {CALLS} GROUP BY 1"
        ),
        span.parameters | {"period": PERIOD.total_seconds()},
    )
    return {row.number: row.calls for row in rows}


async def colours(connection: AsyncConnection, span: Span) -> dict[str, int]:
    """How many alarms called, by their colour."""
    rows = await connection.execute(
        text(
            f"SELECT colour_after, count(*) AS calls FROM journal WHERE {_IN_SPAN} AND {CALLS} GROUP BY colour_after"  # noqa: S608
        ),
        span.parameters,
    )
    return {row.colour_after: row.calls for row in rows}


async def bad_actors(connection: AsyncConnection, span: Span) -> list[dict[str, Any]]:
    """The ten subjects and rules that called most often, with `calls`."""
    rows = await connection.execute(
        text(
            f"""
            WITH called AS (SELECT alarm_id, count(*) AS calls FROM journal WHERE {_IN_SPAN} AND {CALLS} GROUP BY 1)
            SELECT {_NAMED}, CAST(sum(called.calls) AS bigint) AS calls
            FROM called JOIN alarm ON alarm.id = called.alarm_id
            GROUP BY {_SUBJECT} ORDER BY calls DESC, {_SUBJECT} LIMIT {_BAD_ACTORS}
            """  # noqa: S608
        ),
        span.parameters,
    )
    return [dict(row) for row in rows.mappings()]


async def chattering(
    connection: AsyncConnection, span: Span, raises: int, within: timedelta
) -> tuple[int, list[dict[str, Any]]]:
    """Subjects and rules of which `raises` raises lay within `within` of event time: how many, and the worst of them.

    `times` counts such groups of raises, each raise that ends one.
    """
    rows = await connection.execute(
        text(
            f"""
            WITH raised AS (
                SELECT journal.alarm_id, journal.event_time - lag(journal.event_time, CAST(:before AS integer)) OVER (
                    PARTITION BY journal.rule_id, journal.station_id, journal.datastream_id
                    ORDER BY journal.event_time, journal.number
                ) AS took
                FROM journal WHERE {_IN_SPAN} AND action = 'raise'
            )
            SELECT {_NAMED}, count(*) AS times, count(*) OVER () AS found
            FROM raised JOIN alarm ON alarm.id = raised.alarm_id
            WHERE took <= CAST(:within AS interval)
            GROUP BY {_SUBJECT} ORDER BY times DESC, {_SUBJECT} LIMIT {MOST}
            """  # noqa: S608
        ),
        span.parameters | {"before": raises - 1, "within": within},
    )
    return _counted([dict(row) for row in rows.mappings()])


async def stale(connection: AsyncConnection, span: Span, after: timedelta) -> tuple[int, list[dict[str, Any]]]:
    """Alarms that stood for longer than `after`, for everybody to see, and did so within the span; the longest first.

    `began` and `ended` (None: it stands at the end of the span) are when it came to stand and when it ended.
    """
    rows = await connection.execute(
        text(
            f"""
            SELECT alarm.id AS alarm_id, {_SUBJECT}, alarm.property_id, alarm.station_name_zh, alarm.station_name_en,
                journal.recorded_at AS began, over.recorded_at AS ended, count(*) OVER () AS found
            FROM alarm JOIN journal ON journal.alarm_id = alarm.id
            LEFT JOIN LATERAL (
                SELECT later.recorded_at FROM journal AS later
                WHERE later.alarm_id = alarm.id AND later.number > journal.number AND later.recorded_at < :until
                    AND later.state_after NOT IN {_STANDS}
                ORDER BY later.number LIMIT 1
            ) AS over ON true
            WHERE alarm.park_id = :park_id AND alarm.recorded_at < :until
                AND (alarm.closed_at IS NULL OR alarm.closed_at >= :since)
                AND journal.recorded_at < :until AND journal.state_after IN {_STANDS}
                AND journal.state_before NOT IN {_STANDS}
                AND coalesce(over.recorded_at, :until) >= :since
                AND coalesce(over.recorded_at, :until) - journal.recorded_at > CAST(:after AS interval)
            ORDER BY journal.recorded_at, alarm.id LIMIT {MOST}
            """  # noqa: S608
        ),
        span.parameters | {"after": after},
    )
    return _counted([dict(row) for row in rows.mappings()])


async def acknowledgements(connection: AsyncConnection, span: Span) -> list[dict[str, Any]]:
    """How long operators took from the last call to their acknowledgement: by colour, and of all (`colour` None)."""
    rows = await connection.execute(
        text(
            f"""
            WITH noted AS (
                SELECT journal.colour_after AS colour,
                    CAST(extract(epoch FROM recorded_at - called_at) AS double precision) AS took
                FROM journal CROSS JOIN LATERAL (
                    SELECT earlier.recorded_at AS called_at FROM journal AS earlier
                    WHERE earlier.alarm_id = journal.alarm_id AND earlier.number < journal.number
                        AND earlier.state_after = 'unacknowledged'
                        AND (earlier.state_before <> 'unacknowledged' OR earlier.action = 'escalate')
                    ORDER BY earlier.number DESC LIMIT 1
                ) AS called
                WHERE {_IN_SPAN} AND journal.action = 'acknowledge'
            )
            SELECT colour, count(*) AS acknowledged, percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median_s,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS p95_s, max(took) AS longest_s
            FROM noted GROUP BY GROUPING SETS ((colour), ())
            """  # noqa: S608
        ),
        span.parameters,
    )
    return [dict(row) for row in rows.mappings()]


async def waiting(connection: AsyncConnection, span: Span) -> int:
    """Alarms of the park that stand now and that nobody has taken note of."""
    rows = await connection.execute(
        text(
            "SELECT count(*) FROM alarm WHERE park_id = :park_id AND closed_at IS NULL "
            "AND state IN ('unacknowledged', 'returned_unacknowledged', 'latched_unacknowledged')"
        ),
        {"park_id": span.park_id},
    )
    return int(rows.scalar_one())


def _counted(rows: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    found = int(rows[0]["found"]) if rows else 0
    return found, [{name: value for name, value in row.items() if name != "found"} for row in rows]
