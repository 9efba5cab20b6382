"""The figures by which an alarm system is judged, over HTTP."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.alerts.api.state import Resources
from services.alerts.kpi import TARGETS, load
from services.alerts.store import kpi as store
from shared.levels import Colour
from shared.problems import Unprocessable, responses
from shared.text import BilingualText
from shared.time import UtcDatetime, utc_now

router = APIRouter(prefix="/parks/{park_id}", tags=["alarms"])
_LONGEST = timedelta(days=366)
_CUSTOMARY = timedelta(days=30)
_MOST_FLOODS = 100


class FloodOut(BaseModel):
    """A time with more than ten alarms in ten minutes for one operator, until there are less than five."""

    begin: UtcDatetime
    end: UtcDatetime
    alarms: float
    peak: float = Field(description="alarms in its busiest ten minutes")


class LoadOut(BaseModel):
    """How much operators were called; all but `alarms` is for one of them. Shares are from 0 to 1."""

    alarms: int = Field(description="how often an alarm called: raised, risen, or shown again, and not hidden")
    alarms_per_operator_hour: float
    alarms_per_operator_day: float
    busiest_period: float = Field(description="the most alarms in ten minutes")
    periods_over_ten_share: float = Field(description="ten minutes with more than ten alarms")
    hours_over_thirty_share: float = Field(description="hours with more than thirty alarms")
    flood_time_share: float
    floods: list[FloodOut] = Field(description=f"the latest {_MOST_FLOODS} at most")
    flood_count: int


class SubjectOut(BaseModel):
    """Whose alarms: a station, and of a rule about a reading also the datastream."""

    station_id: str
    station_name: BilingualText
    datastream_id: int | None
    property_id: str | None
    rule_id: str

    @classmethod
    def of(cls, row: dict[str, Any], **more: Any) -> Self:
        """From a row of the store."""
        name = BilingualText(zh=row["station_name_zh"], en=row["station_name_en"])
        return cls.model_validate(row | more | {"station_name": name})


class BadActor(SubjectOut):
    """One of those that called most often."""

    calls: int
    share: float


class Chattering(SubjectOut):
    """One that was raised again and again within a short time."""

    times: int = Field(description="how often that many raises lay so close together")


class ChatteringOut(BaseModel):
    """Chattering alarms by the definition in force."""

    raises: int
    within_s: float
    count: int
    items: list[Chattering]


class Stale(SubjectOut):
    """One that stood so long that nobody looks at it any more."""

    alarm_id: UUID
    began: UtcDatetime
    ended: UtcDatetime | None = Field(description="null: it stands at the end of the span")


class StaleOut(BaseModel):
    """Stale alarms by the definition in force."""

    after_s: float
    count: int
    items: list[Stale]


class Priority(BaseModel):
    """How many of the calls had one colour."""

    colour: Colour
    calls: int
    share: float


class Acknowledged(BaseModel):
    """How long it took from an alarm's call to its acknowledgement."""

    colour: Colour | None = Field(description="null: all colours")
    acknowledged: int
    median_s: float
    p95_s: float
    longest_s: float


class AcknowledgementOut(BaseModel):
    """Time to acknowledge, and what waits for it now."""

    waiting: int
    items: list[Acknowledged]


class TargetOut(BaseModel):
    """What a figure should not exceed, and who says so."""

    figure: str
    at_most: float
    note: str


class Kpi(BaseModel):
    """The figures of a park's alarms over a span of wall time."""

    park_id: str
    since: UtcDatetime
    until: UtcDatetime
    operators: float
    load: LoadOut
    bad_actors: list[BadActor]
    bad_actors_share: float
    chattering: ChatteringOut
    stale: StaleOut
    priorities: list[Priority]
    acknowledgement: AcknowledgementOut
    targets: list[TargetOut]


@router.get("/kpi", responses=responses(Unprocessable))
async def show_kpi(
    park_id: str,
    resources: Resources,
    since: Annotated[UtcDatetime | None, Query(description="wall time; default: 30 days before `until`")] = None,
    until: Annotated[UtcDatetime | None, Query(description="wall time; default: now")] = None,
    operators: Annotated[float, Query(gt=0, le=1000, description="how many share the alarms")] = 1.0,
) -> Kpi:
    """Rates, floods, bad actors, chattering and stale alarms, priorities, time to acknowledge (ISA-18.2, EEMUA 191)."""
    end = until or utc_now()
    begin = since or end - _CUSTOMARY
    if not timedelta() < end - begin <= _LONGEST:
        raise Unprocessable(f"since, until: `since` must lie before `until`, by {_LONGEST.days} days at most.")
    raises, within_s = resources.settings.alerts_chattering_raises, resources.settings.alerts_chattering_within_s
    stale_s = resources.settings.alerts_stale_s
    span = store.Span(park_id, begin, end)
    async with resources.database.connect() as connection:
        burden = load(await store.counts(connection, span), begin, end, operators)
        colours = await store.colours(connection, span)
        actors = await store.bad_actors(connection, span)
        chattering = await store.chattering(connection, span, raises, timedelta(seconds=within_s))
        stale = await store.stale(connection, span, timedelta(seconds=stale_s))
        noted = await store.acknowledgements(connection, span)
        waiting = await store.waiting(connection, span)
    total = burden.alarms or 1
    told = asdict(burden) | {"floods": burden.floods[-_MOST_FLOODS:], "flood_count": len(burden.floods)}
    return Kpi(
        park_id=park_id,
        since=begin,
        until=end,
        operators=operators,
        load=LoadOut.model_validate(told, from_attributes=True),
        bad_actors=[BadActor.of(row, share=row["calls"] / total) for row in actors],
        bad_actors_share=sum(row["calls"] for row in actors) / total,
        chattering=ChatteringOut(
            raises=raises,
            within_s=within_s,
            count=chattering[0],
            items=[Chattering.of(row) for row in chattering[1]],
        ),
        stale=StaleOut(after_s=stale_s, count=stale[0], items=[Stale.of(row) for row in stale[1]]),
        priorities=[
            Priority(colour=colour, calls=colours.get(colour, 0), share=colours.get(colour, 0) / total)
            for colour in Colour
        ],
        acknowledgement=AcknowledgementOut(
            waiting=waiting, items=[Acknowledged.model_validate(row) for row in noted if row["acknowledged"]]
        ),
        targets=[TargetOut.model_validate(target, from_attributes=True) for target in TARGETS],
    )
