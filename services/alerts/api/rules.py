"""Rules over HTTP: what is in force and why, and the park file that overrides it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.alerts.api.schemas import RegistryTaken, RuleOut, RulePage, SilenceRuleOut
from services.alerts.api.state import Resources, State
from services.alerts.engine import silence
from services.alerts.rules import RINGS, EffectiveRule, Override, effective_rule
from services.alerts.store import rules as store
from shared.park_file import ParkFile
from shared.problems import Unprocessable, responses
from shared.text import BilingualText
from shared.vocabulary import observed_properties
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}", tags=["rules"])
_NOTE = BilingualText(
    zh="浓度数值有出处；以何数值对应何种颜色以及延时是本系统的可配置默认值，并非任何导则的要求。",
    en="The concentrations have sources; which of them serves as which colour, and the delays, are configurable "
    "defaults of this system, required by no guide.",
)


@router.get("/rules")
async def list_rules(
    park_id: str,
    resources: Resources,
    ring: Annotated[str | None, Query(description="only this ring")] = None,
    property_id: Annotated[str | None, Query(description="only this observed property")] = None,
) -> RulePage:
    """Every rule in force in a park, with the source of each number."""
    async with resources.database.connect() as connection:
        overrides = (await store.load_overrides(connection, park_id)).get(park_id, [])
    rules = [
        rule
        for rule in _in_force(resources, overrides)
        if ring in (None, rule.ring) and property_id in (None, rule.property_id)
    ]
    return RulePage(items=[RuleOut.of(rule) for rule in rules], silence=_silence(resources), note=_NOTE)


@router.put("/registry", responses=responses(Unprocessable))
async def put_registry(park_id: str, park_file: ParkFile, request: Request, resources: Resources) -> RegistryTaken:
    """Take the rules of a park file; they replace what the park's last file said. Safe to repeat."""
    if park_file.park.id != park_id:
        raise Unprocessable(f"park/id: the file is about {park_file.park.id!r}, the address about {park_id!r}.")
    async with resources.database.begin() as connection:
        await store.save_overrides(connection, park_id, park_file.rules, actor(request))
    return RegistryTaken(rules=len(park_file.rules))


def _in_force(resources: State, overrides: list[Override]) -> list[EffectiveRule]:
    """The rules of each ring, then those that a station has for itself."""
    delays = resources.settings.delays
    places: list[tuple[str, str, str | None]] = [
        (ring, known, None) for ring in RINGS for known in observed_properties()
    ]
    for override in overrides:
        stations = resources.registry.stations.get(override.station_id or "", [])
        if override.station_id is not None and stations:
            places.append((stations[0].ring, override.property_id, override.station_id))
    found = (effective_rule(ring, gas, overrides, delays, station) for ring, gas, station in dict.fromkeys(places))
    return [rule for rule in found if rule is not None]


def _silence(resources: State) -> SilenceRuleOut:
    return SilenceRuleOut(
        rule_id=silence.RULE_ID,
        colour=silence.COLOUR,
        realtime_after_s=resources.settings.alerts_silence_s,
        minute_after_s=resources.settings.alerts_silence_slow_s,
        source="Fenceline's default: three times the expected interval; no guide fixes it",
    )
