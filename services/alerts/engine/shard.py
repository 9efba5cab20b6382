"""One shard: its readings evaluated in memory, and what they did written at once.

Where readings change an alarm, the alarm, its journal, the facts for subscribers and `applied`, the position up to
which facts have had their effects, are committed together or not at all. The state of the evaluation itself is written
as a checkpoint every few seconds. After a crash it is taken up from there, and the facts that follow are evaluated
again: those up to `applied` without effects, for they have had them. So no edge is lost and none is doubled.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import Outcome, Readings, Unreadable, evaluate, to_bytes
from services.alerts.conditions.baselines import Usual
from services.alerts.conditions.explained import explained
from services.alerts.conditions.measures.baseline import NOTHING_USUAL, prepared
from services.alerts.engine import effects, metrics, passed_over
from services.alerts.engine.missed import MissedReadings
from services.alerts.engine.outages import is_outage
from services.alerts.engine.readings import Limits, Rows, rows_of
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.watched import Watched, number
from services.alerts.lifecycle import Habits
from services.alerts.store import alarms as alarm_store
from services.alerts.store import evaluation as store
from services.alerts.store.evaluation import Counts, Displaced
from shared.messages import ObservationsStored
from shared.streams import Fact
from shared.telemetry import get_logger
from shared.time import to_microseconds

log = get_logger(__name__)
_MOST_ROWS = 50_000
"""Readings evaluated in one go, some tens of milliseconds: others have their turn in between."""

Heard = Mapping[int, int]
"""By datastream, when a live reading was last received; microseconds of wall time."""


class Shard:
    """The evaluation of one stream of readings. `position` is the last fact evaluated.

    It has to `begin` before it processes facts, and again after it has failed (`ready` tells).
    """

    def __init__(
        self,
        stream: str,
        database: AsyncEngine,
        registry: Registry,
        rulebook: RuleBook,
        limits: Limits,
        reorder_bound: int,
        habits: Habits | None = None,
        usual: Mapping[int, Usual] = NOTHING_USUAL,
        missed: MissedReadings | None = None,
    ) -> None:
        self.stream = stream
        self.position = 0
        self.ready = False
        self._database = database
        self._registry = registry
        self._rulebook = rulebook
        self._limits = limits
        self._bound = reorder_bound
        self._habits = habits
        self._usual = usual
        self._missed = missed
        self._lost_up_to = 0
        self._turn = asyncio.Lock()
        self._watched = Watched(registry, rulebook, reorder_bound)
        self._stored_applied = 0
        self._silent_until = 0
        self._refused: frozenset[int] = frozenset()
        self._checkpoint = 0
        self._passed_over: dict[int, Counts] = {}
        self._to_tell: set[int] = set()
        self._one_by_one_until = 0

    @property
    def applied(self) -> int:
        """Up to this fact effects are written; it moves in every transaction that has some, and in no other."""
        return self._stored_applied

    async def begin(self) -> None:
        """Take up what is stored, and nothing else from before. Registry and rules must have been read."""
        async with self._turn:
            async with self._database.begin() as connection:
                stored = await store.take_up(connection, self.stream)
            self._watched = Watched(self._registry, self._rulebook, self._bound)
            try:
                self._watched.take_up(stored.state, stored.standing)
            except Unreadable:
                # What stands is known from the alarms; what was about to be reached begins anew.
                log.exception("checkpoint_unreadable", stream=self.stream)
            self.position = self._checkpoint = stored.position
            self._stored_applied = stored.applied
            self._silent_until = max(stored.applied, stored.position)
            self._refused = stored.refused
            self._passed_over = {}
            self._to_tell = set()
            self.ready = True

    async def process(self, facts: list[Fact], now: datetime) -> Heard:
        """Evaluate the facts that follow the position and commit what they did; `now` is wall time.

        A fact that cannot be used is set aside. Raises `Displaced` when another process evaluates this stream, and
        whatever outage keeps it from going on.
        """
        heard: dict[int, int] = {}
        async with self._turn:
            group: list[tuple[Fact, ObservationsStored]] = []
            reached = self.position
            for fact in facts:
                if not self.ready:
                    break
                if fact.position <= self.position:
                    continue
                if fact.position > reached + 1:
                    heard |= await self._try(group, now) if group else {}
                    group = []
                    if not await self._make_up_for(fact, now):
                        break
                reached = fact.position
                if fact.position in self._refused:
                    self.position = self.position if group else fact.position
                    continue
                if group and self._must_end(group, fact):
                    heard |= await self._try(group, now)
                    group = []
                    await asyncio.sleep(0)
                try:
                    group.append((fact, ObservationsStored.decode(fact.payload)))
                except ValueError as error:
                    heard |= await self._try(group, now) if group else {}
                    group = []
                    await self._set_aside(fact, error)
            if group and self.ready:
                heard |= await self._try(group, now)
        return heard

    async def _make_up_for(self, following: Fact, now: datetime) -> bool:
        """The facts before this one are gone for good: evaluate what ingest has stored instead, as of that time.

        What was live then is evaluated as live; that more than that reached a level is put on record. All of it is
        written in one transaction, with the position. False where memory is worth nothing any more.
        """
        last = following.position - 1
        log.warning("facts_missed", stream=self.stream, after=self.position, up_to=last)
        if not self.ready:
            return False
        if self._missed is None or last <= max(self._lost_up_to, self._silent_until):
            return True
        try:
            messages = await self._missed.before(following, self._watched, self._limits, self._bound, now)
            if messages:
                await self._evaluate([Fact(self.stream, last, b"", None)], messages, now)
        except BaseException as error:
            self.ready = False
            if not isinstance(error, Exception) or isinstance(error, Displaced) or is_outage(error):
                raise
            log.exception("missed_facts_given_up", stream=self.stream, up_to=last)
            self._lost_up_to = last
        return self.ready

    async def write_checkpoint(self) -> bool:
        """Store the state as it is, if there is news; whether it was written. Facts wait only while it is copied."""
        async with self._turn:
            if not self.ready or self.position < self._silent_until or self.position == self._checkpoint:
                return False
            self._watched.reconcile()
            position, watched, counts = self.position, self._watched, self._passed_over
            self._passed_over = {}
            state = await asyncio.to_thread(to_bytes, watched.columns)
        try:
            async with self._database.begin() as connection:
                written = await store.save_checkpoint(connection, self.stream, position, state)
                if written and counts:
                    await store.add_passed_over(connection, counts)
        except BaseException:
            if self._watched is watched:
                passed_over.add(self._passed_over, counts)
            raise
        if self._watched is watched:
            self._checkpoint = position
        return written

    async def tell_values(self) -> None:
        """Bring value and peak of standing alarms up to date; between transitions nothing else tells them."""
        async with self._turn:
            columns, slots, self._to_tell = self._watched.columns, sorted(self._to_tell), set()
            values = {
                (columns.rules[slot].rule_id, f"datastream:{columns.ids[slot]}"): (
                    number(columns.latest[slot]),
                    number(columns.head.peak[slot]),
                )
                for slot in slots
                if columns.head.level[slot]
            }
            if values:
                async with self._database.begin() as connection:
                    await alarm_store.update_values(connection, values)

    def _must_end(self, group: list[tuple[Fact, ObservationsStored]], following: Fact) -> bool:
        """Whether the facts so far have to be evaluated before the one that follows is looked at."""
        last = group[-1][0].position
        return (
            last <= self._one_by_one_until
            or last <= self._silent_until < following.position
            or sum(len(message) for _, message in group) >= _MOST_ROWS
        )

    async def _try(self, group: list[tuple[Fact, ObservationsStored]], now: datetime) -> Heard:
        """Evaluate; where that fails memory is worth nothing any more. A culprit is set aside, once it is alone."""
        try:
            return await self._evaluate([fact for fact, _ in group], [message for _, message in group], now)
        except Exception as error:
            self.ready = False
            if isinstance(error, Displaced) or is_outage(error):
                raise
            if len(group) == 1:
                await self._set_aside(group[0][0], error)
                self.ready = False
            else:
                self._one_by_one_until = group[-1][0].position
            return {}
        except BaseException:
            self.ready = False
            raise

    async def _evaluate(self, facts: list[Fact], messages: list[ObservationsStored], now: datetime) -> Heard:
        silent = facts[-1].position <= self._silent_until
        rows = rows_of(messages, self._limits, to_microseconds(now))
        known = await self._registry.known(rows.datastream.tolist())
        slots = self._watched.slots(rows.datastream, live=not silent)
        fed = np.any(slots >= 0, axis=0)[rows.which]
        judged = rows.proves & fed
        taken, slot = _under_each_rule(slots, rows, judged & rows.live)
        readings = self._prepared(slot, rows.readings.take(taken))
        outcome = evaluate(self._watched.columns, slot, rows.fact[taken], readings)
        history = judged & ~rows.live & ~rows.ahead
        if not silent:
            await self._write_effects(facts[-1], known, outcome, slots, rows, history, now)
        self.position = facts[-1].position
        passed_over.add(
            self._passed_over, passed_over.count(outcome, self._watched.columns, rows, history, judged & rows.ahead)
        )
        self._to_tell |= outcome.standing
        passed_over.gauge(fed, rows, history, messages, now)
        spoke = rows.heard > 0
        return dict(zip(rows.datastream[spoke].tolist(), rows.heard[spoke].tolist(), strict=True))

    def _prepared(self, slot: NDArray[np.int64], readings: Readings) -> Readings:
        """What is kept of these readings: for rules about a baseline the deviation from it."""
        columns = self._watched.columns
        if not columns.prepared.any():
            return readings
        return prepared(columns.measures, columns.measure[slot], columns.ids[slot], readings, self._usual)

    async def _write_effects(
        self,
        last: Fact,
        known: Mapping[int, Datastream],
        outcome: Outcome,
        slots: NDArray[np.int64],
        rows: Rows,
        history: NDArray[np.bool_],
        now: datetime,
    ) -> None:
        """In one transaction, if there are any."""
        columns = self._watched.columns
        # What measures would have made of history nobody asks: of raw values it is on record.
        past, slot = _under_each_rule(np.where(columns.of_raw(slots), slots, -1), rows, history)
        reaching = rows.readings.height()[past] >= columns.threshold[slot, 0]
        if not outcome.changes and not reaching.any():
            return
        ids, rules = columns.ids, columns.rules
        changed = [
            (known[int(ids[i])], rules[i], explained(rules[i], int(ids[i]), changes, self._usual))
            for i, changes in sorted(outcome.changes.items())
        ]
        async with self._database.begin() as connection:
            await store.advance(connection, self.stream, self._stored_applied, last.position)
            entries = await effects.respond(connection, changed, now, self._habits)
            for i in np.unique(slot[reaching]).tolist():
                samples = rows.readings.take(past[reaching & (slot == i)]).samples()
                count = int(np.count_nonzero(slot == i))
                await effects.journal_backfill(connection, known[int(ids[i])], rules[i], samples, count, last, now)
        self._stored_applied = last.position
        effects.count_transitions(entries)

    async def _set_aside(self, fact: Fact, error: Exception) -> None:
        """Go on behind a fact that cannot be used."""
        log.error("fact_refused", stream=self.stream, position=fact.position, exc_info=error)
        applied = max(self._stored_applied, fact.position)
        try:
            async with self._database.begin() as connection:
                await store.advance(connection, self.stream, self._stored_applied, applied)
                await store.refuse(connection, fact, f"{type(error).__name__}: {error}")
        except BaseException:
            self.ready = False
            raise
        self._stored_applied = applied
        self._refused |= {fact.position}
        self.position = fact.position
        metrics.REFUSED_FACTS.inc()


def _under_each_rule(
    slots: NDArray[np.int64], rows: Rows, which: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Some of the rows once for each rule of their datastream: (row, slot), of each slot in the order of the rows."""
    row = np.flatnonzero(which)
    found = slots[:, rows.which[row]]
    rule, place = np.nonzero(found >= 0)
    return row[place], found[rule, place]
