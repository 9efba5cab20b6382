"""What the journal is told of a change besides its numbers."""

from collections.abc import Mapping

from services.alerts.conditions.baselines import Usual
from services.alerts.conditions.levels import LevelRule
from services.alerts.conditions.measures import BaselineDeviation
from services.alerts.conditions.track import Change


def explained(rule: LevelRule, datastream_id: int, changes: list[Change], usual: Mapping[int, Usual]) -> list[Change]:
    """The same changes; where the rule is about a baseline each edge tells what its reading was compared with."""
    measure = rule.measure
    if not isinstance(measure, BaselineDeviation):
        return changes
    own = usual.get(measure.over_days)
    return [
        change._replace(
            evidence={edge.time: measure.explained(own, datastream_id, edge.time) for edge in change.issued}
        )
        for change in changes
    ]
