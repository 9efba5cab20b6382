"""The effective rule of a gas at a station: the default of its ring, then what the park overrides, the nearest last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.alerts.conditions import Level, LevelRule
from services.alerts.rules.catalogue import levels_at
from shared.levels import Colour
from shared.park_file import ParkFile
from shared.park_file import Rule as ParkRule
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
class Override:
    """What a park says otherwise about one property: everywhere, in one ring, or at one station."""

    property_id: str
    ring: str | None
    station_id: str | None
    rule: ParkRule

    def applies(self, ring: str, station_id: str | None, property_id: str) -> bool:
        """Whether it speaks of this property at this station (None: at any station of the ring)."""
        return self.property_id == property_id and self.ring in (None, ring) and self.station_id in (None, station_id)

    @property
    def nearness(self) -> int:
        """A station's own word counts more than its ring's, and that more than the park's."""
        return 2 if self.station_id else 1 if self.ring else 0

    @property
    def said_by(self) -> str:
        """How the source of an overridden number is told."""
        where = self.station_id or (f"ring {self.ring}" if self.ring else "all rings")
        return f"park file, rule for {self.property_id} at {where}"


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule as it is applied, with the source of each number. Delays in seconds."""

    rule_id: str
    ring: str
    station_id: str | None
    property_id: str
    unit: str
    levels: tuple[Level, ...]
    on_delay_s: float
    off_delay_s: float
    deadband_fraction: float
    max_gap_s: float
    latching: bool = False
    sources: dict[str, str] = field(default_factory=dict)

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
        )


def rule_id_of(property_id: str) -> str:
    """The id of the level rule of a property; overrides change its numbers, not its identity."""
    return f"level.{property_id}"


def overrides_of(park_file: ParkFile) -> list[Override]:
    """The rules of a park file, with ids that are unique among all parks."""
    return [
        Override(rule.property, rule.ring, park_file.id_of(rule.station) if rule.station else None, rule)
        for rule in park_file.rules
    ]


def effective_rule(
    ring: str,
    property_id: str,
    overrides: Iterable[Override],
    delays: Delays,
    station_id: str | None = None,
) -> EffectiveRule | None:
    """The rule of a gas in a ring or at one station; None where neither a default nor the park gives a level."""
    default = f"Fenceline's default for the {ring} ring; no guide fixes it"
    numbers: dict[str, Any] = {
        "on_delay_s": delays.on_source_s if ring == "source" else delays.on_fence_s,
        "off_delay_s": delays.off_s,
        "deadband_fraction": delays.deadband_fraction,
        "latching": False,
    }
    sources = dict.fromkeys([*numbers, "max_gap_s"], default)
    levels: Sequence[Level] = levels_at(ring, property_id)
    speaking = [override for override in overrides if override.applies(ring, station_id, property_id)]
    for override in sorted(speaking, key=lambda override: override.nearness):
        if override.rule.levels:
            levels = _levels_of(override.rule)
        for name in numbers:
            if (said := getattr(override.rule, name)) is not None:
                numbers[name] = said
                sources[name] = override.said_by
    if not levels:
        return None
    return EffectiveRule(
        rule_id=rule_id_of(property_id),
        ring=ring,
        station_id=station_id,
        property_id=property_id,
        unit=observed_properties()[property_id].unit,
        levels=tuple(levels),
        max_gap_s=delays.max_gap_s,
        sources=sources,
        **numbers,
    )


def _levels_of(rule: ParkRule) -> list[Level]:
    levels = [Level(Colour(level.colour), level.threshold, level.source) for level in rule.levels or []]
    return sorted(levels, key=lambda level: level.colour.rank)
