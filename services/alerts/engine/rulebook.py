"""The rules of each datastream, from the defaults and the parks' overrides, loaded again when a park changes them."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import LevelRule
from services.alerts.engine.registry import Datastream
from services.alerts.rules import Delays, Overrides, effective_rules
from services.alerts.store import rules as store

_NO_OVERRIDES = Overrides()


class RuleBook:
    """Effective rules, computed once a station and property. `version` counts how often they changed."""

    def __init__(self, database: AsyncEngine, delays: Delays) -> None:
        self._database = database
        self._delays = delays
        self._overrides: dict[str, Overrides] = {}
        self._versions: Mapping[str, int] | None = None
        self._rules: dict[tuple[str, str, str, int | None], tuple[LevelRule, ...]] = {}
        self.version = 0

    async def refresh(self) -> None:
        """Load the overrides if any park's changed."""
        async with self._database.connect() as connection:
            versions = await store.versions(connection)
            if versions == self._versions:
                return
            self._overrides = await store.load_overrides(connection)
        self._rules.clear()
        self.version += 1
        self._versions = versions

    def parks_measuring(self, kind: str) -> set[str]:
        """The parks in which some override is about a measure of this kind."""
        return {
            park_id
            for park_id, overrides in self._overrides.items()
            if any(said.rule.measure is not None and said.rule.measure.kind == kind for said in overrides.all)
        }

    def rules_for(self, datastream: Datastream) -> tuple[LevelRule, ...]:
        """The level rules of a datastream; none where no level is known for it."""
        overrides = self._overrides.get(datastream.park_id, _NO_OVERRIDES)
        own = datastream.id if overrides.has_datastream(datastream.id) else None
        key = (datastream.station_id, datastream.ring, datastream.property_id, own)
        if key not in self._rules:
            rules = effective_rules(
                datastream.ring, datastream.property_id, overrides, self._delays, datastream.station_id, own
            )
            self._rules[key] = tuple(rule.condition() for rule in rules)
        return self._rules[key]
