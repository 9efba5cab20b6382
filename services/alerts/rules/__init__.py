"""Rules: the defaults that come with Fenceline, a park's overrides, and the effective rules of a datastream."""

from services.alerts.rules.catalogue import levels_at, set_points
from services.alerts.rules.effective import RINGS, Delays, EffectiveRule, Said, effective_rules
from services.alerts.rules.overrides import DEFAULT_NAME, SCOPES, Origin, Override, Overrides, Scope

__all__ = [
    "DEFAULT_NAME",
    "RINGS",
    "SCOPES",
    "Delays",
    "EffectiveRule",
    "Origin",
    "Override",
    "Overrides",
    "Said",
    "Scope",
    "effective_rules",
    "levels_at",
    "set_points",
]
