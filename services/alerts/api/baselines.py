"""What is usual for a datastream by the hour of the day, over HTTP."""

from datetime import date, timedelta
from math import isnan
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.alerts.api.rule_schemas import DatastreamId
from services.alerts.api.rules import datastream_of
from services.alerts.api.state import Resources
from services.alerts.conditions.baselines import HOURS, LAG, first_day
from services.alerts.store import baselines as store
from services.alerts.store.baselines import Learned
from shared.problems import NotFound, Unavailable, responses
from shared.time import UtcDatetime, utc_now

router = APIRouter(prefix="/parks/{park_id}/rules", tags=["rules"])


class UsualHourOut(BaseModel):
    """One hour of the day. `median` and `mad` are null where nothing is known."""

    hour: int = Field(ge=0, lt=24, description="it begins at this hour of the park's day")
    median: float | None
    mad: float | None = Field(description="median absolute deviation from the median")
    readings: int = Field(description="minute means that they rest on")
    days: int = Field(description="on how many days there were any")


class BaselineOut(BaseModel):
    """What is usual on `day`, from the `over_days` days from `first_day` to `last_day`, the day before yesterday."""

    datastream_id: int
    unit: str
    over_days: int
    day: date
    time_zone: str
    first_day: date
    last_day: date
    learned_at: UtcDatetime
    hours: list[UsualHourOut]

    @classmethod
    def of(cls, learned: Learned, unit: str) -> Self:
        """From what is stored."""
        baseline = learned.baseline
        return cls(
            datastream_id=learned.datastream_id,
            unit=unit,
            over_days=baseline.over,
            day=baseline.day,
            time_zone=baseline.time_zone,
            first_day=first_day(baseline.day, baseline.over),
            last_day=baseline.day - timedelta(days=LAG + 1),
            learned_at=learned.learned_at,
            hours=[
                UsualHourOut(
                    hour=hour,
                    median=_number(baseline.median[hour]),
                    mad=_number(baseline.mad[hour]),
                    readings=baseline.readings[hour],
                    days=baseline.days[hour],
                )
                for hour in range(HOURS)
            ],
        )


class BaselinePage(BaseModel):
    """One for each number of days that a rule of the datastream asks for, or asked; `next` is always null."""

    items: list[BaselineOut]
    next: str | None = None


@router.get("/baselines", responses=responses(NotFound, Unavailable))
async def baselines(
    park_id: str,
    resources: Resources,
    datastream: Annotated[DatastreamId, Query(description="its id")],
    day: Annotated[date | None, Query(description="of the park; default: today")] = None,
) -> BaselinePage:
    """What readings of a datastream were compared with on a day; none where no rule is about its baseline."""
    asked = datastream_of(resources, park_id, datastream)
    async with resources.database.connect() as connection:
        found = await store.latest(connection, asked.id, day, utc_now())
    return BaselinePage(items=[BaselineOut.of(each, asked.unit) for each in found])


def _number(value: float) -> float | None:
    return None if isnan(value) else value
