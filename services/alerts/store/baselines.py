"""What is usual for datastreams, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.conditions.baselines import Baseline

_COLUMNS = "datastream_id, over_days, day, time_zone, median, mad, readings, days, learned_at"


@dataclass(frozen=True, slots=True)
class Learned:
    """The baseline of one datastream, learned at a time."""

    datastream_id: int
    baseline: Baseline
    learned_at: datetime


async def save(connection: AsyncConnection, learned: Sequence[Learned]) -> None:
    """Write baselines; of a datastream, number of days and day the one that was first stays: alarms rest on it."""
    await connection.execute(
        text(
            f"INSERT INTO baseline ({_COLUMNS}) VALUES (:datastream_id, :over_days, :day, :time_zone, :median, :mad, "  # noqa: S608
            ":readings, :days, :learned_at) ON CONFLICT DO NOTHING"
        ),
        [
            {
                "datastream_id": each.datastream_id,
                "over_days": each.baseline.over,
                "day": each.baseline.day,
                "time_zone": each.baseline.time_zone,
                "median": list(each.baseline.median),
                "mad": list(each.baseline.mad),
                "readings": list(each.baseline.readings),
                "days": list(each.baseline.days),
                "learned_at": each.learned_at,
            }
            for each in learned
        ],
    )


async def between(
    connection: AsyncConnection, over_days: int, datastream_ids: Sequence[int], first: date, last: date
) -> list[Learned]:
    """The baselines of these datastreams for the days from `first` to `last`."""
    rows = await connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM baseline WHERE over_days = :over_days AND day >= :first AND day <= :last "  # noqa: S608
            "AND datastream_id = ANY(CAST(:ids AS bigint[]))"
        ),
        {"over_days": over_days, "first": first, "last": last, "ids": list(datastream_ids)},
    )
    return [_learned(row) for row in rows]


async def latest(connection: AsyncConnection, datastream_id: int, day: date | None, now: datetime) -> list[Learned]:
    """The last baseline up to a day (None: the day of `now` in its zone) of each number of days, at most sixty."""
    rows = await connection.execute(
        text(
            f"SELECT DISTINCT ON (over_days) {_COLUMNS} FROM baseline WHERE datastream_id = :id "  # noqa: S608
            "AND day <= coalesce(CAST(:day AS date), CAST(CAST(:now AS timestamptz) AT TIME ZONE time_zone AS date)) "
            "ORDER BY over_days, day DESC LIMIT 60"
        ),
        {"id": datastream_id, "day": day, "now": now},
    )
    return [_learned(row) for row in rows]


async def forget(connection: AsyncConnection, before: date) -> None:
    """Delete the baselines of days before one."""
    await connection.execute(text("DELETE FROM baseline WHERE day < :before"), {"before": before})


def _learned(row: Row[tuple[object, ...]]) -> Learned:
    baseline = Baseline(
        row.day,
        row.time_zone,
        row.over_days,
        tuple(row.median),
        tuple(row.mad),
        tuple(row.readings),
        tuple(row.days),
    )
    return Learned(row.datastream_id, baseline, row.learned_at)
