"""The datastreams that a shard evaluates: which have a rule, and that what stands in memory stands as an alarm too."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.alerts.conditions import Columns, LevelRule, from_bytes
from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.store.evaluation import Standing


class Watched:
    """Columns of datastreams under the rules as they are."""

    def __init__(self, registry: Registry, rulebook: RuleBook, bound: int) -> None:
        self.columns = Columns(bound)
        self._registry = registry
        self._rulebook = rulebook
        self._bound = bound
        self._fed: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._rules_as_of: tuple[int, int] | None = None
        self._standing: dict[int, Standing] = {}
        self._reconciled = False

    def take_up(self, state: bytes, standing: dict[int, Standing]) -> None:
        """Go on from a checkpoint, empty for none, with the alarms that are active; raises `Unreadable`."""
        self._standing = standing
        if state:
            self.columns = from_bytes(state, self._bound, self._rule)
            self._fed = np.ones(len(self.columns), np.bool_)

    def slots(self, ids: NDArray[np.int64], *, live: bool) -> NDArray[np.int64]:
        """The slots of these datastreams, new ones among them; -1 where no alarm rests on one.

        `live`: all effects of what was evaluated are written, so the alarms tell what stands.
        """
        self._renew_rules()
        if live:
            self.reconcile()
        lacking = [(i, rule) for i in ids[self.columns.find(ids) < 0].tolist() if (rule := self._rule(i)) is not None]
        if lacking:
            before = len(self.columns)
            self.columns.add([i for i, _ in lacking], [rule for _, rule in lacking])
            self._fed = np.concatenate([self._fed, np.ones(len(lacking), np.bool_)])
            if live:
                self._take_up_alarms(range(before, len(self.columns)))
        slots = self.columns.find(ids)
        return np.where((slots >= 0) & self._fed[slots], slots, -1) if len(self.columns) else slots

    def reconcile(self) -> None:
        """Once all effects are known to be written: what stands in memory must be what stands as an alarm.

        It is, unless a rule changed before a crash, or the state was lost. Then the alarm is right: who saw it raised
        must see it return.
        """
        if not self._reconciled:
            self._take_up_alarms(range(len(self.columns)))
            self._reconciled = True

    def _take_up_alarms(self, slots: Iterable[int]) -> None:
        columns = self.columns
        for slot in slots:
            standing = self._standing.pop(int(columns.ids[slot]), None)
            rule = columns.rules[slot]
            level = rule.level_of(standing.colour) if standing is not None else 0
            if level != columns.head.level[slot]:
                columns.begin_anew(slot, rule, level, standing.peak if standing is not None else None)

    def _renew_rules(self) -> None:
        """Bring every slot under its rule as it is now: what stands goes on, delays begin anew."""
        as_of = (self._registry.version, self._rulebook.version)
        if as_of == self._rules_as_of:
            return
        columns = self.columns
        for slot, datastream_id in enumerate(columns.ids.tolist()):
            rule, before = self._rule(datastream_id), columns.rules[slot]
            self._fed[slot] = rule is not None
            if rule is None or rule is before:
                continue
            if rule.fingerprint() == columns.fingerprints[slot]:
                columns.rules[slot] = rule
                continue
            level = int(columns.head.level[slot])
            stood = rule.level_of(before.levels[level - 1].colour) if level else 0
            columns.begin_anew(slot, rule, stood, number(columns.head.peak[slot]))
        self._rules_as_of = as_of

    def _rule(self, datastream_id: int) -> LevelRule | None:
        datastream = self._registry.datastream(datastream_id)
        if datastream is None or not self._registry.is_feed(datastream_id):
            return None
        return self._rulebook.rule_for(datastream)


def number(value: float) -> float | None:
    """None for NaN, which stands for no value in columns."""
    return None if np.isnan(value) else float(value)
