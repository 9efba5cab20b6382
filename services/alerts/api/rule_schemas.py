"""What the alerts service tells, and is told, about rules over HTTP."""

from dataclasses import fields
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.alerts.conditions import Level
from services.alerts.rules import DEFAULT_NAME, EffectiveRule, Override, Said, Scope
from shared.levels import Colour
from shared.measures import Measure
from shared.park_file import Code, Line, PropertyId, RuleNumbers, StationRing
from shared.text import BilingualText
from shared.time import UtcDatetime
from shared.vocabulary import observed_properties

DatastreamId = Annotated[int, Field(ge=1, lt=2**31)]


class LevelOut(BaseModel):
    """One level of a rule."""

    colour: Colour
    threshold: float
    source: str
    deadband: float | None = Field(default=None, description="in the unit of the threshold; null: the rule's fraction")

    @classmethod
    def of(cls, level: Level) -> Self:
        """From the level itself."""
        return cls(colour=level.colour, threshold=level.threshold, source=level.source, deadband=level.deadband)


class RuleOut(BaseModel):
    """A rule as it is applied. `sources` tells where each number but the levels' comes from."""

    rule_id: str
    name: str
    ring: str
    station_id: str | None = Field(description="set where the park gave this station a rule of its own")
    datastream_id: int | None = Field(default=None, description="set where the rule is told of one datastream")
    property_id: str
    property_name: BilingualText
    unit: str = Field(description="of the levels")
    levels: list[LevelOut]
    on_delay_s: float
    off_delay_s: float
    deadband_fraction: float
    max_gap_s: float
    latching: bool = Field(description="the alarm has to be reset by hand once the condition is over")
    measure: Measure | None = Field(description="what is compared with the levels; null: the reading itself")
    sources: dict[str, str]

    @classmethod
    def of(cls, rule: EffectiveRule) -> Self:
        """From the effective rule."""
        same = {field.name for field in fields(rule)} & set(RuleOut.model_fields) - {"levels"}
        return cls(
            property_name=observed_properties()[rule.property_id].name,
            levels=[LevelOut.of(level) for level in rule.levels],
            rule_id=rule.rule_id,
            sources=rule.sources,
            **{name: getattr(rule, name) for name in same},
        )


class SilenceRuleOut(BaseModel):
    """When a station counts as silent, in seconds of wall time without live data."""

    rule_id: str
    colour: Colour
    realtime_after_s: float = Field(description="stations with real-time data")
    minute_after_s: float = Field(description="stations with minute data only")
    source: str


class RulePage(BaseModel):
    """Every effective rule of a park."""

    items: list[RuleOut]
    next: str | None = None
    silence: SilenceRuleOut
    note: BilingualText


class RegistryTaken(BaseModel):
    """What was taken from the park file."""

    rules: int


class OriginOut(BaseModel):
    """One value that was given for a field of a rule, and by whom."""

    value: list[LevelOut] | bool | float | Measure | None
    scope: Literal["default"] | Scope = Field(description="how near to the datastream it was said")
    source: Literal["default", "park_file", "api", "draft"]
    text: str = Field(description="the same in words")
    override_id: UUID | None = Field(default=None, description="of what was set over the API")
    version: int | None = None
    updated_by: str | None = None
    updated_at: UtcDatetime | None = None
    reason: str | None = None

    @classmethod
    def of(cls, said: Said, default: str) -> Self:
        """From what was said; `default` tells a default in words."""
        value = [LevelOut.of(level) for level in said.value] if isinstance(said.value, tuple) else said.value
        if said.override is None:
            text = default if not isinstance(value, list) else "Fenceline's set-points; each level tells its source"
            return cls(value=value, scope="default", source="default", text=text)
        origin = said.override.origin
        return cls(
            value=value,
            scope=said.override.scope,
            source=origin.source,
            text=said.override.said_by,
            override_id=origin.override_id,
            version=origin.version,
            updated_by=origin.by,
            updated_at=origin.at,
            reason=origin.reason,
        )


class EffectiveRuleOut(RuleOut):
    """A rule of one datastream; `origins` has for each field every value that was given, the one in force last."""

    origins: dict[str, list[OriginOut]]

    @classmethod
    def of(cls, rule: EffectiveRule) -> Self:
        """From the effective rule."""
        origins = {
            field: [OriginOut.of(each, rule.default_source) for each in said] for field, said in rule.said.items()
        }
        return cls(**dict(RuleOut.of(rule)), origins=origins)


class EffectiveRules(BaseModel):
    """The rules of one datastream. `evaluated` is false where no alarm rests on it; `note` says why."""

    datastream_id: int
    station_id: str
    ring: str
    property_id: str
    unit: str
    cadence: str
    evaluated: bool
    note: str | None
    items: list[EffectiveRuleOut]


class SaidOfRule(RuleNumbers):
    """What a rule shall be; what is left out is not overridden."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.numbers().model_dump(exclude_none=True):
            raise ValueError(f"give at least one of {', '.join(RuleNumbers.model_fields)}")
        return self

    def numbers(self) -> RuleNumbers:
        """What is said, without what else stands in the body."""
        return RuleNumbers(**{name: getattr(self, name) for name in RuleNumbers.model_fields})


class Draft(SaidOfRule):
    """What is said of a property: everywhere in the park, or in a ring, at a station, or of one datastream."""

    name: Code = Field(default=DEFAULT_NAME, description="which rule of the property; only `level` has defaults")
    property_id: PropertyId
    ring: StationRing | None = None
    station_id: str | None = Field(default=None, max_length=130)
    datastream_id: DatastreamId | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if sum(part is not None for part in (self.ring, self.station_id, self.datastream_id)) > 1:
            raise ValueError("give one of ring, station_id and datastream_id, or none for the whole park")
        return self


class OverrideBody(Draft):
    """A new override."""

    reason: Line = Field(description="why; it is kept with every version")


class OverrideNextVersion(SaidOfRule):
    """An override as it shall be from now on, in place of what it said."""

    reason: Line = Field(description="why; it is kept with every version")
    version: int = Field(ge=1, description="the version that was read: 409 where somebody else changed it since")


class OverrideOut(BaseModel):
    """An override that was set over the API."""

    id: UUID
    version: int
    name: str
    property_id: str
    scope: Scope
    ring: str | None
    station_id: str | None
    datastream_id: int | None
    numbers: RuleNumbers
    reason: str
    updated_by: str
    updated_at: UtcDatetime

    @classmethod
    def of(cls, override: Override) -> Self:
        """From an override that is stored."""
        origin = override.origin
        return cls.model_validate(
            {
                "id": origin.override_id,
                "version": origin.version,
                "name": override.name,
                "property_id": override.property_id,
                "scope": override.scope,
                "ring": override.ring,
                "station_id": override.station_id,
                "datastream_id": override.datastream_id,
                "numbers": override.rule,
                "reason": origin.reason,
                "updated_by": origin.by,
                "updated_at": origin.at,
            }
        )


class OverridePage(BaseModel):
    """Overrides by id; `next` is the cursor of the next page."""

    items: list[OverrideOut]
    next: str | None


class OverrideVersion(BaseModel):
    """One version of an override; `numbers` is null in the last one of an override that was removed."""

    version: int
    numbers: RuleNumbers | None
    reason: str
    updated_by: str
    updated_at: UtcDatetime


class OverrideVersionPage(BaseModel):
    """Versions, the latest first; `next` is the cursor of the next page."""

    items: list[OverrideVersion]
    next: str | None
