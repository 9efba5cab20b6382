"""Rules: the defaults that come with Fenceline, a park's overrides, and the effective rule of a datastream."""

from services.alerts.rules.catalogue import levels_at, set_points
from services.alerts.rules.effective import (
    RINGS,
    Delays,
    EffectiveRule,
    Override,
    effective_rule,
    overrides_of,
    rule_id_of,
)

__all__ = [
    "RINGS",
    "Delays",
    "EffectiveRule",
    "Override",
    "effective_rule",
    "levels_at",
    "overrides_of",
    "rule_id_of",
    "set_points",
]
