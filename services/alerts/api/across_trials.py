"""Draft rules across stations tried over history, over HTTP. Followed, listed and cancelled as other trials are."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.alerts.api.across import check_station
from services.alerts.api.state import Resources
from services.alerts.api.trials import DEFAULT_SPAN, TrialOut, check_bounds, queue, queued
from services.alerts.engine.across_book import condition_of
from services.alerts.rules import Origin, Override
from services.alerts.rules.across import ParkRule
from shared.park_file import AcrossRule, RuleNumbers
from shared.problems import NotFound, TooManyRequests, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/rules/across", tags=["rules"])


class AcrossTrialBody(AcrossRule):
    """A draft, and the span of history that it is tried over."""

    start: UtcDatetime | None = Field(default=None, description="default: seven days before the end")
    end: UtcDatetime | None = Field(default=None, description="default: now")


@router.post("/trial", status_code=202, responses=responses(NotFound, Unprocessable, TooManyRequests, Unavailable))
async def create_across_trial(
    park_id: str, body: AcrossTrialBody, request: Request, response: Response, resources: Resources
) -> TrialOut:
    """Try a rule across stations over history before it goes live, beside the one of its name that is in force.

    The answer comes at once; follow the trial under `Location`.
    """
    check_station(resources, park_id, body)
    rule = AcrossRule(**{name: getattr(body, name) for name in AcrossRule.model_fields})
    said = ParkRule(park_id, rule, Origin("draft"))
    now = utc_now()
    end = body.end or now
    start = body.start or end - DEFAULT_SPAN
    condition = condition_of(said, resources.registry)
    if not condition.members and resources.registry.stale:
        raise Unavailable("Which datastreams there are cannot be told: ingest does not answer.")
    if not condition.members:
        raise Unprocessable("condition: no station there measures it; ask for another ring, station or property.")
    check_bounds(start, end, now, len(condition.datastreams))
    draft = Override(
        said.property_id, said.ring, None, RuleNumbers(levels=rule.levels), None, Origin("draft"), rule.name
    )
    trial = queued(park_id, draft, start, end, actor(request), now, across=rule)
    async with resources.database.begin() as connection:
        await queue(connection, trial)
    resources.trials.wake()
    response.headers["Location"] = f"../trial/{trial.id}"
    return TrialOut.of(trial)
