"""Statistics of observations: moments, percentiles, exceedances."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.questions.days import midnights
from services.ingest.questions.position import Resolution
from shared.problems import NotFound, Unprocessable
from shared.vocabulary import observed_properties

MAX_SPAN: dict[Resolution, timedelta] = {
    "raw": timedelta(days=31),
    "minute": timedelta(days=92),
    "hour": timedelta(days=1831),
    "day": timedelta(days=1831),
}
_MOST_DAYS = 1900

_OWNED = text(
    """
    SELECT d.id, d.station_id, d.property_id, p.timezone FROM datastream d JOIN station s ON s.id = d.station_id
    JOIN park p ON p.id = s.park_id WHERE s.park_id = :park AND d.id = ANY(:ids) ORDER BY d.id
    """
)
# What is looked at: `value` is NULL where it is not valid, `beyond` where the instrument was over its range.
_READINGS = """
    SELECT datastream_id, time, quality = 'T' AS beyond,
           CASE WHEN quality IN ('N', 'T') THEN value END AS value
    FROM observation WHERE datastream_id = ANY(:ids) AND time >= :start AND time < :end
"""
_PERIODS = """
    SELECT datastream_id, bucket AS time, over_range > 0 AS beyond,
           CASE WHEN valid > 0 AND valid >= CAST(:share AS float8) * count THEN mean END AS value
    FROM observation_{resolution}s(CAST(:ids AS integer[]), :start, :end)
"""
# Days are the park's own and whole, put together from hours, or from minutes where midnights are not on the hour.
_DAYS = """
    SELECT datastream_id, day AS time, sum(over_range) > 0 AS beyond,
           CASE WHEN sum(valid) > 0 AND sum(valid) >= CAST(:share AS float8) * sum(count)
                THEN sum(total) / sum(valid) END AS value
    FROM (SELECT *, width_bucket(bucket, CAST(:days AS timestamptz[])) AS nth
          FROM observation_{part}s(CAST(:ids AS integer[]), :start, :end)) AS parts
    JOIN unnest(CAST(:days AS timestamptz[])) WITH ORDINALITY AS d (day, nth) USING (nth)
    GROUP BY datastream_id, day
"""
# percentile_cont interpolates between ranks 1 + (n - 1) p, as HJ 663-2013 does.
_STATISTICS = """
    WITH looked_at AS MATERIALIZED ({source})
    SELECT datastream_id, count(value) AS values, count(*) - count(value) AS left_out,
           count(*) FILTER (WHERE beyond) AS over_range,
           avg(value) AS mean, stddev_samp(value) AS deviation, min(value) AS minimum, max(value) AS maximum,
           percentile_cont(CAST(:fractions AS float8[])) WITHIN GROUP (ORDER BY value) AS percentiles,
           (SELECT time FROM looked_at h WHERE h.datastream_id = looked_at.datastream_id AND value IS NOT NULL
            ORDER BY value DESC, time LIMIT 1) AS maximum_at
    FROM looked_at GROUP BY datastream_id
"""
# A run begins where the value before it, in time, was not above.
_EXCEEDANCES = """
    WITH looked_at AS MATERIALIZED ({source}), judged AS (
        SELECT datastream_id, time, threshold, value,
               CASE WHEN value IS NULL THEN beyond ELSE value > threshold END AS above
        FROM looked_at CROSS JOIN unnest(CAST(:thresholds AS float8[])) AS threshold
        WHERE value IS NOT NULL OR beyond
    ), followed AS (
        SELECT *, lag(above, 1, false) OVER (PARTITION BY datastream_id, threshold ORDER BY time) AS above_before
        FROM judged
    )
    SELECT datastream_id, threshold, count(*) AS judged, count(*) FILTER (WHERE above) AS above,
           count(*) FILTER (WHERE above AND NOT above_before) AS episodes,
           min(time) FILTER (WHERE above) AS first_at, max(time) FILTER (WHERE above) AS last_at,
           max(value) FILTER (WHERE above) AS highest
    FROM followed GROUP BY 1, 2 ORDER BY 1, 2
"""


async def statistics(
    connection: AsyncConnection,
    park_id: str,
    ids: Sequence[int],
    basis: Resolution,
    start: datetime,
    end: datetime,
    *,
    percents: Sequence[float],
    thresholds: Sequence[float],
    valid_share: float,
) -> list[schemas.Statistics]:
    """Statistics of each datastream over ``start <= time < end``. Raises NotFound, Unprocessable.

    ``percents`` lie in 0 to 100; ``thresholds`` are in the unit of the datastreams, which then measure one property. A
    mean counts where at least ``valid_share`` of the readings of its period are valid.
    """
    wanted = sorted(set(ids))
    owned = {row.id: row for row in await connection.execute(_OWNED, {"park": park_id, "ids": wanted})}
    _check(park_id, wanted, owned, thresholds)
    question: dict[str, Any] = {"ids": wanted, "start": start, "end": end}
    if basis != "raw":
        question["share"] = valid_share
    source = {"raw": _READINGS}.get(basis, _PERIODS.format(resolution=basis))
    if basis == "day":
        days = midnights(ZoneInfo(next(iter(owned.values())).timezone), start, end, _MOST_DAYS)
        question |= {"days": days[:-1], "start": days[0], "end": days[-1]}
        whole = all(day.minute == day.second == 0 for day in days)
        source = _DAYS.format(part="hour" if whole else "minute")
    summaries = {
        row.datastream_id: row
        for row in await connection.execute(
            text(_STATISTICS.format(source=source)), {**question, "fractions": [percent / 100 for percent in percents]}
        )
    }
    exceedances: dict[int, dict[float, Row[Any]]] = defaultdict(dict)
    if thresholds:
        levels = sorted(set(thresholds))
        for row in await connection.execute(
            text(_EXCEEDANCES.format(source=source)), {**question, "thresholds": levels}
        ):
            exceedances[row.datastream_id][row.threshold] = row
    return [
        _statistics(owned[number], summaries.get(number), exceedances[number], percents, sorted(set(thresholds)))
        for number in wanted
    ]


def _check(park_id: str, wanted: list[int], owned: dict[int, Row[Any]], thresholds: Sequence[float]) -> None:
    missing = [str(number) for number in wanted if number not in owned]
    if missing:
        raise NotFound(f"Park '{park_id}' has no datastream {', '.join(missing[:10])}.")
    angles = [str(row.id) for row in owned.values() if observed_properties()[row.property_id].unit == "deg"]
    if angles:
        raise Unprocessable(
            f"Directions have no mean or percentile (datastream {', '.join(angles[:10])}): ask wind-rose."
        )
    properties = sorted({row.property_id for row in owned.values()})
    if thresholds and len(properties) > 1:
        raise Unprocessable(f"A threshold is one of one property; these are {', '.join(properties[:10])}.")


def _statistics(
    datastream: Row[Any],
    summary: Row[Any] | None,
    exceedances: dict[float, Row[Any]],
    percents: Sequence[float],
    thresholds: Sequence[float],
) -> schemas.Statistics:
    known = observed_properties()[datastream.property_id]
    values = None if summary is None else summary.percentiles
    return schemas.Statistics(
        datastream_id=datastream.id,
        station_id=datastream.station_id,
        property_id=known.id,
        unit=known.unit,
        values=0 if summary is None else summary.values,
        left_out=0 if summary is None else summary.left_out,
        over_range=0 if summary is None else summary.over_range,
        mean=None if summary is None else summary.mean,
        standard_deviation=None if summary is None else summary.deviation,
        minimum=None if summary is None else summary.minimum,
        maximum=None if summary is None else summary.maximum,
        maximum_at=None if summary is None else summary.maximum_at,
        percentiles=[
            schemas.Percentile(percent=percent, value=values[index] if values else None)
            for index, percent in enumerate(percents)
        ],
        exceedances=[_exceedance(threshold, exceedances.get(threshold)) for threshold in thresholds],
    )


def _exceedance(threshold: float, row: Row[Any] | None) -> schemas.Exceedance:
    if row is None:
        return schemas.Exceedance(
            threshold=threshold, count=0, share=None, episodes=0, first_at=None, last_at=None, highest_ratio=None
        )
    return schemas.Exceedance(
        threshold=threshold,
        count=row.above,
        share=row.above / row.judged,
        episodes=row.episodes,
        first_at=row.first_at,
        last_at=row.last_at,
        highest_ratio=None if row.highest is None else row.highest / threshold,
    )
