"""What the alerts service tells, and is told, about rules across stations over HTTP."""

from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.api.rule_schemas import LevelOut
from services.alerts.conditions.across import MOST_MEMBERS, AcrossCondition
from services.alerts.rules import Delays
from services.alerts.rules.across import ParkRule
from shared import across as documents
from shared.park_file import AcrossRule, Line
from shared.time import UtcDatetime


class AcrossBody(AcrossRule):
    """A new rule across stations."""

    reason: Line = Field(description="why; it is kept with every version")

    def rule(self) -> AcrossRule:
        """The rule, without what else stands in the body."""
        return AcrossRule(**{name: getattr(self, name) for name in AcrossRule.model_fields})


class AcrossNextVersion(AcrossBody):
    """A rule as it shall be from now on; its name stays."""

    version: int = Field(ge=1, description="the version that was read: 409 where somebody else changed it since")


class NumberOut(BaseModel):
    """A number of a rule, and where it comes from."""

    value: float | bool
    source: str


class AcrossRuleOut(BaseModel):
    """A rule across stations that is in force."""

    id: UUID
    version: int
    name: str
    rule_id: str = Field(description="of its alarms")
    origin: Literal["park_file", "api"]
    condition: documents.AcrossCondition
    property_id: str = Field(description="what its alarms are about; of a mixture the substance that is named first")
    unit: str = Field(description="of the levels")
    levels: list[LevelOut]
    numbers: dict[str, NumberOut] = Field(description="delays in seconds")
    reason: str
    updated_by: str
    updated_at: UtcDatetime

    @classmethod
    def of(cls, rule: ParkRule, delays: Delays) -> Self:
        """From what is stored."""
        origin = rule.origin
        said = f"version {origin.version} by {origin.by}: {origin.reason}"
        numbers = {
            name: NumberOut(value=value, source="Fenceline's default; no guide fixes it" if default else said)
            for name, (value, default) in rule.numbers(delays).items()
        }
        return cls.model_validate(
            {
                "id": origin.override_id,
                "version": origin.version,
                "name": rule.rule.name,
                "rule_id": rule.rule_id,
                "origin": origin.source,
                "condition": rule.rule.condition,
                "property_id": rule.property_id,
                "unit": rule.unit,
                "levels": [LevelOut.of(level) for level in rule.level_rule(delays).levels],
                "numbers": numbers,
                "reason": origin.reason,
                "updated_by": origin.by,
                "updated_at": origin.at,
            }
        )


class MemberOut(BaseModel):
    """A datastream whose readings count."""

    datastream_id: int
    station_id: str
    property_id: str
    limit: float | None = Field(description="what its readings are divided by, in a sum of ratios")


class EffectiveAcrossRule(AcrossRuleOut):
    """A rule across stations with the datastreams that it is about now. `note` says where it can prove nothing."""

    members: list[MemberOut] = Field(max_length=MOST_MEMBERS)
    wind_directions: list[int] = Field(description="datastreams that tell where the wind comes from")
    wind_speeds: list[int]
    note: str | None

    @classmethod
    def with_members(cls, rule: ParkRule, delays: Delays, condition: AcrossCondition) -> Self:
        """From the rule and what is evaluated of it."""
        is_sum = isinstance(rule.rule.condition, documents.SumOfRatios)
        return cls(
            **dict(AcrossRuleOut.of(rule, delays)),
            members=[
                MemberOut(
                    datastream_id=member.datastream_id,
                    station_id=member.station_id,
                    property_id=member.property_id,
                    limit=member.limit if is_sum else None,
                )
                for member in condition.members
            ],
            wind_directions=list(condition.weather.directions) if condition.wind_mean else [],
            wind_speeds=list(condition.weather.speeds) if condition.wind_mean else [],
            note=_note(rule, condition),
        )


class AcrossRulePage(BaseModel):
    """Rules by name; `next` is the cursor of the next page."""

    items: list[AcrossRuleOut]
    next: str | None


class AcrossVersion(BaseModel):
    """One version of a rule; `rule` is null in the last one of a rule that was removed."""

    version: int
    rule: AcrossRule | None
    reason: str
    updated_by: str
    updated_at: UtcDatetime


class AcrossVersionPage(BaseModel):
    """Versions, the latest first; `next` is the cursor of the next page."""

    items: list[AcrossVersion]
    next: str | None


def _note(rule: ParkRule, condition: AcrossCondition) -> str | None:
    about = rule.rule.condition
    stations = {member.station_id for member in condition.members}
    if not stations:
        return "No alarm can be raised: no station there measures it, or all are under maintenance."
    if isinstance(about, documents.KOfN) and len(stations) < about.k:
        return f"No alarm can be raised: {len(stations)} stations measure it; {about.k} have to reach a level."
    if condition.wind_mean and not condition.weather.directions:
        return "No alarm can be raised: no station of the park tells the direction of the wind."
    return None
