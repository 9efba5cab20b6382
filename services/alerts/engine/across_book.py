"""The rules across stations that are in force, and which stations do not count now, loaded again when they change."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import LevelRule
from services.alerts.conditions.across import AcrossCondition
from services.alerts.engine.registry import Registry
from services.alerts.rules import Delays
from services.alerts.rules.across import DIRECTION, SPEED, ParkRule
from services.alerts.store import across_rules as store
from services.alerts.store import rules as rule_store


class AcrossBook:
    """Rules by park. `version` counts how often they, or what is suspended, changed."""

    def __init__(self, database: AsyncEngine, registry: Registry, delays: Delays) -> None:
        self._database = database
        self._registry = registry
        self._delays = delays
        self._rules: dict[str, list[ParkRule]] = {}
        self._versions: Mapping[str, int] | None = None
        self._suspended: frozenset[tuple[str, int | None]] = frozenset()
        self.version = 0

    async def refresh(self) -> None:
        """Load what changed: cheap where nothing did."""
        async with self._database.connect() as connection:
            versions = await rule_store.versions(connection)
            if versions != self._versions:
                self._rules = await store.in_force(connection)
                self._versions = versions
                self.version += 1
            if not self._rules:
                return
            suspended = await store.suspended(connection, self._rules)
        if suspended != self._suspended:
            self._suspended = suspended
            self.version += 1

    def rules(self) -> list[ParkRule]:
        """All that are in force."""
        return [rule for rules in self._rules.values() for rule in rules]

    def evaluated(self, rule: ParkRule) -> tuple[AcrossCondition, LevelRule]:
        """A rule with its members as they are. Who is under maintenance or out of service is none."""
        return condition_of(rule, self._registry, self._suspended), rule.level_rule(self._delays)


def condition_of(
    rule: ParkRule, registry: Registry, suspended: frozenset[tuple[str, int | None]] = frozenset()
) -> AcrossCondition:
    """What is evaluated of a rule, of the datastreams that the registry knows."""
    own = [
        datastream
        for datastreams in registry.stations.values()
        for datastream in datastreams
        if datastream.park_id == rule.park_id
        and not suspended & {(datastream.station_id, None), (datastream.station_id, datastream.id)}
    ]
    feeds = [datastream for datastream in own if registry.is_feed(datastream.id)]
    finest: dict[tuple[str, str], tuple[bool, int]] = {}
    for datastream in own:
        if datastream.property_id in (DIRECTION, SPEED) and datastream.cadence in ("realtime", "minute"):
            key, rank = (datastream.station_id, datastream.property_id), datastream.cadence != "realtime"
            finest[key] = min(finest.get(key, (True, datastream.id)), (rank, datastream.id))
    chosen = {datastream_id for _, datastream_id in finest.values()}
    return rule.condition(feeds, [datastream for datastream in own if datastream.id in chosen])
