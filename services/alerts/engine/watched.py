"""The datastreams that a shard evaluates: which have rules, and that what stands in memory stands as an alarm too."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.alerts.conditions import Columns, LevelRule, from_bytes
from services.alerts.conditions.levels import LONG_AGO
from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.store.evaluation import Standing


class Watched:
    """Columns of datastreams under the rules as they are: a slot for each rule of each datastream."""

    def __init__(self, registry: Registry, rulebook: RuleBook, bound: int) -> None:
        self.columns = Columns(bound)
        self._registry = registry
        self._rulebook = rulebook
        self._bound = bound
        self._fed: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._rules_as_of: tuple[int, int] | None = None
        self._standing: dict[tuple[int, str], Standing] = {}
        self._reconciled = False

    def take_up(self, state: bytes, standing: dict[tuple[int, str], Standing]) -> None:
        """Go on from a checkpoint, empty for none, with the alarms that are active; raises `Unreadable`."""
        self._standing = standing
        if state:
            self.columns = from_bytes(state, self._bound, lambda i, rule_id: self._rules(i).get(rule_id))
            self._fed = np.ones(len(self.columns), np.bool_)

    def slots(self, ids: NDArray[np.int64], *, live: bool) -> NDArray[np.int64]:
        """The slots of these datastreams, new ones among them: column i is of `ids[i]`, -1 where it has no more rules.

        There is at least one row. `live`: all effects of what was evaluated are written, so the alarms tell what
        stands.
        """
        self._renew_rules(live=live)
        if live:
            self.reconcile()
        unknown = ids[self.columns.find(ids) < 0].tolist()
        self._add([(i, rule) for i in unknown for rule in self._rules(i).values()], live=live)
        if not len(self.columns):
            return np.full((1, len(ids)), -1)
        slots = np.array([self.columns.find(ids, nth) for nth in range(self.columns.most_rules)])
        return np.where((slots >= 0) & self._fed[slots], slots, -1)

    def heads(self) -> dict[int, int]:
        """By datastream the time of the newest reading that was evaluated [us]; none where there was none."""
        last = self.columns.head.last
        heads: dict[int, int] = {}
        for i, at in zip(self.columns.ids.tolist(), last.tolist(), strict=True):
            if at != LONG_AGO:
                heads[i] = max(at, heads.get(i, at))
        return heads

    def standing(self) -> set[int]:
        """The datastreams with a level that stands, in memory or as an alarm that is still to be taken up."""
        return {i for i, _ in self._standing} | set(self.columns.ids[self.columns.head.level > 0].tolist())

    def reconcile(self) -> None:
        """Once all effects are known to be written: what stands in memory must be what stands as an alarm.

        It is, unless a rule changed before a crash, or the state was lost. Then the alarm is right: who saw it raised
        must see it return.
        """
        if not self._reconciled:
            self._take_up_alarms(range(len(self.columns)))
            self._reconciled = True

    def _add(self, lacking: list[tuple[int, LevelRule]], *, live: bool) -> None:
        if not lacking:
            return
        before = len(self.columns)
        self.columns.add([i for i, _ in lacking], [rule for _, rule in lacking])
        self._fed = np.concatenate([self._fed, np.ones(len(lacking), np.bool_)])
        if live and self._reconciled:
            self._take_up_alarms(range(before, len(self.columns)))

    def _take_up_alarms(self, slots: Iterable[int]) -> None:
        columns = self.columns
        for slot in slots:
            rule = columns.rules[slot]
            standing = self._standing.pop((int(columns.ids[slot]), rule.rule_id), None)
            level = rule.level_of(standing.colour) if standing is not None else 0
            if level != columns.head.level[slot]:
                columns.begin_anew(slot, rule, level, standing.peak if standing is not None else None)

    def _renew_rules(self, *, live: bool) -> None:
        """Bring every slot under its rule as it is now: what stands goes on, delays begin anew."""
        as_of = (self._registry.version, self._rulebook.version)
        if as_of == self._rules_as_of:
            return
        columns = self.columns
        lacking = {
            (i, rule_id): rule for i in np.unique(columns.ids).tolist() for rule_id, rule in self._rules(i).items()
        }
        for slot, datastream_id in enumerate(columns.ids.tolist()):
            before = columns.rules[slot]
            rule = lacking.pop((datastream_id, before.rule_id), None)
            self._fed[slot] = rule is not None
            if rule is None or rule is before:
                continue
            if rule.fingerprint() == columns.fingerprints[slot]:
                columns.rules[slot] = rule
                continue
            level = int(columns.head.level[slot])
            stood = rule.level_of(before.levels[level - 1].colour) if level else 0
            columns.begin_anew(slot, rule, stood, number(columns.head.peak[slot]))
        self._add([(i, rule) for (i, _), rule in lacking.items()], live=live)
        self._rules_as_of = as_of

    def _rules(self, datastream_id: int) -> dict[str, LevelRule]:
        """By rule id."""
        datastream = self._registry.datastream(datastream_id)
        if datastream is None or not self._registry.is_feed(datastream_id):
            return {}
        return {rule.rule_id: rule for rule in self._rulebook.rules_for(datastream)}


def number(value: float) -> float | None:
    """None for NaN, which stands for no value in columns."""
    return None if np.isnan(value) else float(value)
