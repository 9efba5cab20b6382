"""The effective rules of a gas at a station: its ring's default, then what the park overrides, the nearest last."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.alerts.conditions import Level, LevelRule
from services.alerts.rules.catalogue import levels_at
from services.alerts.rules.measures import measure_of
from services.alerts.rules.overrides import DEFAULT_NAME, Override, Overrides
from shared.levels import Colour
from shared.measures import Measure
from shared.park_file import RuleLevel
from shared.vocabulary import observed_properties

RINGS = ("source", "boundary", "receptor")
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Delays:
    """Defaults that no guide fixes, in seconds: how long a level must stand, and how long it must be left."""

    on_source_s: float = 10.0
    on_fence_s: float = 30.0
    off_s: float = 60.0
    deadband_fraction: float = 0.1
    max_gap_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Said:
    """One value of a field of a rule, and the override that says it; None: it is Fenceline's default."""

    value: Any
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule as it is applied. Delays in seconds.

    `said` tells of each field every value that was given for it, the widest first: the last one counts.
    """

    name: str
    ring: str
    station_id: str | None
    property_id: str
    unit: str
    said: dict[str, tuple[Said, ...]]
    levels: tuple[Level, ...]
    on_delay_s: float
    off_delay_s: float
    deadband_fraction: float
    max_gap_s: float
    latching: bool = False
    measure: Measure | None = None
    datastream_id: int | None = None

    @property
    def rule_id(self) -> str:
        """Of the rule of this name and property; overrides change its numbers, not its identity."""
        return f"{self.name}.{self.property_id}"

    @property
    def default_source(self) -> str:
        """Where a number comes from that nobody overrides."""
        return f"Fenceline's default for the {self.ring} ring; no guide fixes it"

    @property
    def sources(self) -> dict[str, str]:
        """Where each field comes from; each level tells that itself."""
        return {
            field: said[-1].override.said_by if said[-1].override is not None else self.default_source
            for field, said in self.said.items()
            if field != "levels"
        }

    def condition(self) -> LevelRule:
        """The rule as the evaluation takes it."""
        return LevelRule(
            self.rule_id,
            self.levels,
            round(self.on_delay_s * _SECOND),
            round(self.off_delay_s * _SECOND),
            self.deadband_fraction,
            round(self.max_gap_s * _SECOND),
            self.latching,
            measure_of(self.measure),
        )


def effective_rules(
    ring: str,
    property_id: str,
    overrides: Overrides,
    delays: Delays,
    station_id: str | None = None,
    datastream_id: int | None = None,
) -> list[EffectiveRule]:
    """The rules of a gas in a ring, at one station, or of one datastream: none where there is no level for it."""
    speaking = overrides.about(ring, property_id, station_id, datastream_id)
    names = dict.fromkeys([DEFAULT_NAME, *(override.name for override in speaking)])
    found = []
    for name in names:
        said = _defaults(ring, property_id, delays, name)
        for override in speaking:
            if override.name == name:
                for field, value in override.rule:
                    if field in said and value is not None:
                        said[field] += (Said(_levels_of(override) if field == "levels" else value, override),)
        if said["levels"]:
            found.append(
                EffectiveRule(
                    name=name,
                    ring=ring,
                    station_id=station_id,
                    property_id=property_id,
                    unit=measure_of(said["measure"][-1].value).unit_of(observed_properties()[property_id].unit),
                    datastream_id=datastream_id,
                    said=said,
                    **{field: values[-1].value for field, values in said.items()},
                )
            )
    return found


def _defaults(ring: str, property_id: str, delays: Delays, name: str) -> dict[str, tuple[Said, ...]]:
    """By field of a rule, the default: none for levels that are not known."""
    levels = levels_at(ring, property_id) if name == DEFAULT_NAME else ()
    return {
        "levels": (Said(levels),) if levels else (),
        "on_delay_s": (Said(delays.on_source_s if ring == "source" else delays.on_fence_s),),
        "off_delay_s": (Said(delays.off_s),),
        "deadband_fraction": (Said(delays.deadband_fraction),),
        "max_gap_s": (Said(delays.max_gap_s),),
        "latching": (Said(value=False),),
        "measure": (Said(None),),
    }


def _levels_of(override: Override) -> tuple[Level, ...]:
    return levels_from(override.rule.levels or ())


def levels_from(said: Iterable[RuleLevel]) -> tuple[Level, ...]:
    """The levels of a document as the evaluation takes them, from the lowest colour to the highest."""
    levels = (Level(Colour(level.colour), level.threshold, level.source, level.deadband) for level in said)
    return tuple(sorted(levels, key=lambda level: level.colour.rank))
