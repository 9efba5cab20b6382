"""The rule of each datastream, from the defaults and the parks' overrides, loaded again when a park changes them."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import LevelRule
from services.alerts.engine.registry import Datastream
from services.alerts.rules import Delays, Override, effective_rule
from services.alerts.store import rules as store


class RuleBook:
    """Effective rules, computed once a station and property. `version` counts how often they changed."""

    def __init__(self, database: AsyncEngine, delays: Delays) -> None:
        self._database = database
        self._delays = delays
        self._overrides: dict[str, list[Override]] = {}
        self._versions: Mapping[str, int] | None = None
        self._rules: dict[tuple[str, str, str], LevelRule | None] = {}
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

    def rule_for(self, datastream: Datastream) -> LevelRule | None:
        """The level rule of a datastream; None where no level is known for it."""
        key = (datastream.station_id, datastream.ring, datastream.property_id)
        if key not in self._rules:
            overrides = self._overrides.get(datastream.park_id, [])
            rule = effective_rule(
                datastream.ring, datastream.property_id, overrides, self._delays, datastream.station_id
            )
            self._rules[key] = rule.condition() if rule is not None else None
        return self._rules[key]
