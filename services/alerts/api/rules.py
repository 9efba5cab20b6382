"""Rules over HTTP: what is in force and why, and the park file that overrides it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.alerts.api.rule_schemas import (
    DatastreamId,
    EffectiveRuleOut,
    EffectiveRules,
    RegistryTaken,
    RuleOut,
    RulePage,
    SilenceRuleOut,
)
from services.alerts.api.state import Resources, State
from services.alerts.engine import silence
from services.alerts.engine.registry import Datastream
from services.alerts.rules import RINGS, EffectiveRule, Overrides, effective_rules
from services.alerts.store import across_rules
from services.alerts.store import rules as store
from shared.park_file import ParkFile
from shared.problems import NotFound, Unavailable, Unprocessable, responses
from shared.text import BilingualText
from shared.time import utc_now
from shared.vocabulary import observed_properties
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}", tags=["rules"])
_NOTE = BilingualText(
    zh="浓度数值有出处；以何数值对应何种颜色以及延时是本系统的可配置默认值，并非任何导则的要求。",
    en="The concentrations have sources; which of them serves as which colour, and the delays, are configurable "
    "defaults of this system, required by no guide.",
)
_NOT_FED = "No alarm rests on it: it is no gas, or a finer datastream of the same property at the station is evaluated."
_NOT_KNOWN = "No level is known for this property here; an override can give one."


@router.get("/rules")
async def list_rules(
    park_id: str,
    resources: Resources,
    ring: Annotated[str | None, Query(description="only this ring")] = None,
    property_id: Annotated[str | None, Query(description="only this observed property")] = None,
) -> RulePage:
    """Every rule in force in a park, with the source of each number."""
    async with resources.database.connect() as connection:
        overrides = await store.overrides_of(connection, park_id)
    rules = [
        rule
        for rule in _in_force(resources, overrides)
        if ring in (None, rule.ring) and property_id in (None, rule.property_id)
    ]
    return RulePage(items=[RuleOut.of(rule) for rule in rules], silence=_silence(resources), note=_NOTE)


@router.get("/rules/effective", responses=responses(NotFound, Unavailable))
async def effective(
    park_id: str, resources: Resources, datastream: Annotated[DatastreamId, Query(description="its id")]
) -> EffectiveRules:
    """The rules of one datastream: every number with who said it, and what it overrides."""
    asked = datastream_of(resources, park_id, datastream)
    async with resources.database.connect() as connection:
        overrides = await store.overrides_of(connection, park_id)
    rules = effective_rules(
        asked.ring, asked.property_id, overrides, resources.settings.delays, asked.station_id, asked.id
    )
    fed = resources.registry.is_feed(asked.id)
    note = None if fed and rules else _NOT_KNOWN if fed else _NOT_FED
    return EffectiveRules(
        **{name: getattr(asked, name) for name in ("station_id", "ring", "property_id", "unit", "cadence")},
        datastream_id=asked.id,
        evaluated=fed and bool(rules),
        note=note,
        items=[EffectiveRuleOut.of(rule) for rule in rules],
    )


@router.put("/registry", responses=responses(Unprocessable))
async def put_registry(park_id: str, park_file: ParkFile, request: Request, resources: Resources) -> RegistryTaken:
    """Take the rules of a park file; they replace what the park's last file said. Safe to repeat."""
    if park_file.park.id != park_id:
        raise Unprocessable(f"park/id: the file is about {park_file.park.id!r}, the address about {park_id!r}.")
    async with resources.database.begin() as connection:
        await store.save_overrides(connection, park_id, park_file.rules, actor(request))
        await across_rules.take_file(connection, park_id, park_file.rules_across, actor(request), utc_now())
    return RegistryTaken(rules=len(park_file.rules) + len(park_file.rules_across))


def station_of(resources: State, park_id: str, station_id: str) -> list[Datastream]:
    """The datastreams of a station of the park; raises NotFound, or Unavailable where that cannot be told now."""
    found = resources.registry.stations.get(station_id)
    if found is None and resources.registry.stale:
        raise Unavailable("Which stations there are cannot be told: ingest does not answer.")
    if found is None or found[0].park_id != park_id:
        raise NotFound(f"station_id: park {park_id!r} has no station {station_id!r} with datastreams.")
    return found


def datastream_of(resources: State, park_id: str, datastream_id: int) -> Datastream:
    """A datastream of the park; raises NotFound, or Unavailable where that cannot be told now."""
    found = resources.registry.datastream(datastream_id)
    if found is None and resources.registry.stale:
        raise Unavailable("Which datastreams there are cannot be told: ingest does not answer.")
    if found is None or found.park_id != park_id:
        raise NotFound(f"Park {park_id!r} has no datastream {datastream_id}.")
    return found


def _in_force(resources: State, overrides: Overrides) -> list[EffectiveRule]:
    """The rules of each ring, then those that a station or a datastream has for itself."""
    registry, delays = resources.registry, resources.settings.delays
    places: list[tuple[str, str, str | None, int | None]] = [
        (ring, known, None, None) for ring in RINGS for known in observed_properties()
    ]
    for override in overrides.all:
        stations = registry.stations.get(override.station_id or "", [])
        own = registry.datastream(override.datastream_id) if override.datastream_id is not None else None
        if own is not None:
            places.append((own.ring, override.property_id, own.station_id, own.id))
        elif override.station_id is not None and stations:
            places.append((stations[0].ring, override.property_id, override.station_id, None))
    return [
        rule
        for ring, gas, station, datastream in dict.fromkeys(places)
        for rule in effective_rules(ring, gas, overrides, delays, station, datastream)
    ]


def _silence(resources: State) -> SilenceRuleOut:
    return SilenceRuleOut(
        rule_id=silence.RULE_ID,
        colour=resources.settings.alerts_silence_colour,
        realtime_after_s=resources.settings.alerts_silence_s,
        minute_after_s=resources.settings.alerts_silence_slow_s,
        source="Fenceline's default: three times the expected interval; no guide fixes it",
    )
