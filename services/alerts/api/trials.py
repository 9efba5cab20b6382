"""Draft rules tried over history, over HTTP: ask for a trial, follow it, cancel it."""

from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.api.overrides import override_of
from services.alerts.api.rule_schemas import Draft
from services.alerts.api.state import Resources
from services.alerts.engine.trials import rule_of, subjects_of
from services.alerts.rules import Origin, Override
from services.alerts.rules.trial_result import TrialResult
from services.alerts.store import rules as rule_store
from services.alerts.store import trials as store
from services.alerts.store.trials import StoredTrial
from shared.park_file import AcrossRule, RuleNumbers
from shared.problems import Conflict, NotFound, TooManyRequests, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/rules/trial", tags=["rules"])
MOST_DATASTREAMS = 200
MOST_SPAN = timedelta(days=366)
MOST_DATASTREAM_DAYS = 20_000
DEFAULT_SPAN = timedelta(days=7)
_RETRY_S = 30


class TrialBody(Draft):
    """A draft, and the span of history that it is tried over."""

    start: UtcDatetime | None = Field(default=None, description="default: seven days before the end")
    end: UtcDatetime | None = Field(default=None, description="default: now")


class TrialOut(BaseModel):
    """A trial as it stands. `result` is there once it succeeded; `problem` says why it failed."""

    id: UUID
    state: store.State
    progress: Annotated[float, Field(ge=0, le=1)]
    readings: int = Field(description="evaluated so far")
    name: str
    property_id: str
    ring: str | None
    station_id: str | None
    datastream_id: int | None
    numbers: RuleNumbers
    across: AcrossRule | None = Field(default=None, description="the draft, where it is a rule across stations")
    start: UtcDatetime
    end: UtcDatetime
    created_by: str
    created_at: UtcDatetime
    started_at: UtcDatetime | None
    ended_at: UtcDatetime | None
    problem: str | None
    result: TrialResult | None = None

    @classmethod
    def of(cls, trial: StoredTrial) -> Self:
        """From what is stored."""
        draft = trial.draft
        own = set(cls.model_fields) - {"name", "property_id", "ring", "station_id", "datastream_id", "numbers"}
        return cls.model_validate(
            {name: getattr(trial, name) for name in own}
            | {
                "name": draft.name,
                "property_id": draft.property_id,
                "ring": draft.ring,
                "station_id": draft.station_id,
                "datastream_id": draft.datastream_id,
                "numbers": draft.rule,
            }
        )


class TrialList(BaseModel):
    """The trials that are kept of a park, without their results, the latest first."""

    items: list[TrialOut]
    next: str | None = None


@router.post("", status_code=202, responses=responses(NotFound, Unprocessable, TooManyRequests, Unavailable))
async def create_trial(
    park_id: str, body: TrialBody, request: Request, response: Response, resources: Resources
) -> TrialOut:
    """Try a draft over history before it goes live: as if it were an override that is in force in that span.

    The answer comes at once; follow the trial under `Location`.
    """
    draft = override_of(resources, park_id, body, Origin("draft"))
    now = utc_now()
    end = body.end or now
    start = body.start or end - DEFAULT_SPAN
    subjects = subjects_of(resources.registry, park_id, draft)
    check_bounds(start, end, now, len(subjects))
    if not subjects and resources.registry.stale:
        raise Unavailable("Which datastreams there are cannot be told: ingest does not answer.")
    async with resources.database.begin() as connection:
        overrides = (await rule_store.overrides_of(connection, park_id)).with_draft(draft)
        if not any(rule_of(subject, draft.name, overrides, resources.settings.delays) for subject in subjects):
            raise Unprocessable(
                f"No datastream there has a level for {body.property_id}: give levels, or another ring or station."
            )
        trial = queued(park_id, draft, start, end, actor(request), now)
        await queue(connection, trial)
    resources.trials.wake()
    response.headers["Location"] = f"trial/{trial.id}"
    return TrialOut.of(trial)


@router.get("")
async def list_trials(park_id: str, resources: Resources) -> TrialList:
    """The latest trials of a park."""
    async with resources.database.connect() as connection:
        found = await store.of_park(connection, park_id)
    return TrialList(items=[TrialOut.of(trial) for trial in found])


@router.get("/{trial_id}", responses=responses(NotFound))
async def show_trial(park_id: str, trial_id: UUID, resources: Resources) -> TrialOut:
    """How far a trial is, and what came out."""
    async with resources.database.connect() as connection:
        found = await store.one(connection, park_id, trial_id)
    if found is None:
        raise _not_found(park_id, trial_id)
    return TrialOut.of(found)


@router.post("/{trial_id}/cancel", responses=responses(NotFound, Conflict))
async def cancel_trial(park_id: str, trial_id: UUID, resources: Resources) -> TrialOut:
    """Cancel a trial; one that runs stops within moments. 409 for one that has ended."""
    async with resources.database.begin() as connection:
        done = await store.cancel(connection, park_id, trial_id, utc_now())
        found = await store.one(connection, park_id, trial_id)
    if found is None:
        raise _not_found(park_id, trial_id)
    if not done:
        raise Conflict(f"The trial has ended already: it is {found.state}.", state=found.state)
    return TrialOut.of(found)


def check_bounds(start: datetime, end: datetime, now: datetime, datastreams: int) -> None:
    """Raises Unprocessable where a trial would be too large, or of the future."""
    if not start < end <= now:
        raise Unprocessable("start, end: `start` has to lie before `end`, and that not in the future.")
    if end - start > MOST_SPAN:
        raise Unprocessable(f"start, end: a trial covers at most {MOST_SPAN.days} days.")
    if datastreams > MOST_DATASTREAMS:
        raise Unprocessable(
            f"The draft is about {datastreams} datastreams, and a trial takes {MOST_DATASTREAMS}; try one ring."
        )
    if datastreams * ((end - start) / timedelta(days=1)) > MOST_DATASTREAM_DAYS:
        raise Unprocessable(
            f"start, end: a trial covers at most {MOST_DATASTREAM_DAYS} days times datastreams, here {datastreams}."
        )


async def queue(connection: AsyncConnection, trial: StoredTrial) -> None:
    """Queue a trial; raises TooManyRequests where too many of the park wait."""
    if not await store.add(connection, trial):
        raise TooManyRequests(
            f"{store.MOST_WAITING} trials of this park have not ended yet; wait for them or cancel one.",
            headers={"Retry-After": str(_RETRY_S)},
        )


def queued(
    park_id: str,
    draft: Override,
    start: datetime,
    end: datetime,
    who: str,
    now: datetime,
    across: AcrossRule | None = None,
) -> StoredTrial:
    """A trial that is new."""
    return StoredTrial(
        id=uuid4(),
        park_id=park_id,
        draft=draft,
        start=start,
        end=end,
        created_by=who,
        created_at=now,
        state="queued",
        attempts=0,
        started_at=None,
        ended_at=None,
        progress=0.0,
        readings=0,
        problem=None,
        result=None,
        across=across,
    )


def _not_found(park_id: str, trial_id: UUID) -> NotFound:
    return NotFound(f"There is no trial {trial_id} in the park {park_id!r}.")
