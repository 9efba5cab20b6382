"""One share of the parks: their rules across stations, evaluated over the readings of all shards.

The stations of a park are in different shards, so a share reads all streams that its members are in, each from a
position of its own. What readings do to alarms is written together with the positions and the state of the evaluation,
or not at all. So after a crash it goes on from there: no edge is lost and none is doubled, in whatever order the
streams are read again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.conditions import Change, LevelRule, Readings, Unreadable
from services.alerts.conditions.across import Group, Kept, by_datastream, from_bytes, to_bytes
from services.alerts.engine.across_book import AcrossBook
from services.alerts.engine.across_missed import MissedByMembers
from services.alerts.engine.effects import count_transitions, load_cases, save_cases
from services.alerts.engine.readings import Limits, rows_of
from services.alerts.engine.registry import Registry
from services.alerts.lifecycle import Evidence, Habits, Subject
from services.alerts.rules.across import PREFIX, ParkRule
from services.alerts.store import across_state as store
from services.alerts.store import alarms as alarm_store
from services.alerts.store.evaluation import Standing
from shared.messages import ObservationsStored
from shared.streams import READ_COUNT, Fact, observation_stream, shard_of
from shared.telemetry import get_logger
from shared.text import BilingualText
from shared.time import to_microseconds

log = get_logger(__name__)
Key = tuple[str, str]
"""Park and rule."""


class AcrossShare:
    """The rules of the parks that `owns` accepts. It has to `begin` before it processes facts, and again after it has
    failed (`ready` tells). `positions` is by stream the last fact evaluated; only streams with members are read."""

    def __init__(
        self,
        name: str,
        database: AsyncEngine,
        registry: Registry,
        book: AcrossBook,
        limits: Limits,
        shards: int,
        *,
        owns: Callable[[str], bool],
        habits: Habits | None = None,
        missed: MissedByMembers | None = None,
    ) -> None:
        self.name = name
        self.positions: dict[str, int] = {}
        self.ready = False
        self._database = database
        self._registry = registry
        self._book = book
        self._limits = limits
        self._shards = shards
        self._owns = owns
        self._habits = habits
        self._missed = missed
        self._turn = asyncio.Lock()
        self._groups: dict[Key, Group] = {}
        self._subjects: dict[Key, Subject] = {}
        self._kept: dict[str, Kept] = {}
        self._standing: dict[Key, Standing] = {}
        self._left_over: set[Key] = set()
        self._as_of: tuple[int, int] | None = None
        self._version = 0
        self._news = False
        self._forgotten = False

    @property
    def is_idle(self) -> bool:
        """Whether it has no rule, and nothing is stored of one."""
        return self._forgotten and not any(self._owns(rule.park_id) for rule in self._book.rules())

    async def begin(self) -> None:
        """Take up what is stored, and nothing else from before. Registry and rules must have been read."""
        async with self._turn:
            async with self._database.connect() as connection:
                stored = await store.take_up(connection, self.name)
            try:
                self._kept = from_bytes(stored.state) if stored.state else {}
            except Unreadable:
                # What stands is known from the alarms; what was about to be reached begins anew.
                log.exception("across_state_unreadable", share=self.name)
                self._kept = {}
            self.positions, self._version, self._standing = stored.positions, stored.version, stored.standing
            self._groups, self._subjects, self._as_of, self._news = {}, {}, None, False
            self.ready, self._forgotten = True, False

    def needed(self) -> list[str]:
        """The streams that the members of its rules are in, with the rules as they are now; none: nothing to do."""
        self._renew()
        stations = {
            datastream.station_id
            for group in self._groups.values()
            for i in group.condition.datastreams
            if (datastream := self._registry.datastream(i)) is not None
        }
        streams = sorted({observation_stream(shard_of(station, self._shards)) for station in stations})
        if streams:
            # One that is not needed now would be far behind by the time that it is needed again.
            self.positions = {stream: at for stream, at in self.positions.items() if stream in streams}
        return streams

    async def process(self, facts: list[Fact], now: datetime) -> int:
        """Evaluate facts that follow the positions and commit what they did; how many were taken.

        Where a stream is far behind, the others wait for it: what was received later is left to be read again. Raises
        `Displaced` where another process evaluates this share, and whatever outage keeps it from going on.
        """
        async with self._turn:
            if not self.ready:
                return 0
            try:
                return await self._process(facts, now)
            except BaseException:
                self.ready = False
                raise

    async def write_checkpoint(self) -> None:
        """Store the state, if there is news."""
        async with self._turn:
            if self.ready and self._news:
                try:
                    async with self._database.begin() as connection:
                        await self._save(connection)
                except BaseException:
                    self.ready = False
                    raise
                self._version += 1
                self._news = False

    async def end_left_over(self, now: datetime) -> bool:
        """Return the alarms whose rule was taken away: nothing else would tell when they are over."""
        async with self._turn:
            if not self._left_over:
                return False
            subjects = [_subject(park_id, rule_id) for park_id, rule_id in sorted(self._left_over)]
            async with self._database.begin() as connection:
                cases = await load_cases(connection, subjects, self._habits)
                for case in map(cases.of, subjects):
                    if case.open is not None and case.open.active:
                        detail = {"rule": "it was taken away while the alarm stood"}
                        case.move(1, 0, Evidence(now, case.open.colour, detail=detail), now)
                entries = await save_cases(connection, cases, now)
            self._left_over = set()
            count_transitions(entries)
            return bool(entries)

    async def begin_streams(self, ends: Mapping[str, int]) -> None:
        """Read these streams from here on; it is stored at once, so that a restart misses nothing that follows."""
        self.positions |= {stream: end for stream, end in ends.items() if stream not in self.positions}
        self._news = True
        await self.write_checkpoint()

    async def forget(self) -> None:
        """No rule is left: nothing is read any more, and a rule that comes begins anew."""
        async with self._turn:
            if self._version:
                async with self._database.begin() as connection:
                    await store.forget(connection, self.name)
            self.ready, self._forgotten = False, True

    async def tell_values(self) -> None:
        """Bring value and peak of standing alarms up to date; between transitions nothing else tells them."""
        async with self._turn:
            values = {
                (rule_id, park_id): (group.value, group.head.peak)
                for (park_id, rule_id), group in self._groups.items()
                if self.ready and group.head.level
            }
            if values:
                async with self._database.begin() as connection:
                    await alarm_store.update_values(connection, values)

    async def _process(self, facts: list[Fact], now: datetime) -> int:
        taken = _up_to_the_slowest([*_decoded(facts)])
        if not taken:
            return 0
        wall = to_microseconds(now)
        messages = [message for _, message in taken]
        if self._missed is not None:
            members = {i for group in self._groups.values() for i in group.condition.datastreams}
            messages += await self._missed.before(taken, self.positions, members, self._limits, wall)
        rows = rows_of(messages, self._limits, wall)
        counts = rows.proves & rows.live
        found = by_datastream(rows.datastream[rows.which[counts]], rows.readings.take(counts))
        clock = max((message.received_at for message in messages if message.received_at is not None), default=wall)
        changed: list[tuple[Subject, LevelRule, Change]] = []
        for key, group in self._groups.items():
            own = {i: found[i] for i in group.condition.datastreams if i in found}
            change = await self._take(key, group, own, clock) if own else None
            if change is not None:
                changed.append((self._subjects[key], group.rule, change))
        self.positions |= {fact.stream: fact.position for fact, _ in taken}
        self._news = True
        if changed:
            await self._write(changed, now)
        return len(taken)

    async def _take(self, key: Key, group: Group, readings: Mapping[int, Readings], clock: int) -> Change | None:
        """In a thread: a late reading of many members is much to evaluate again, and others wait for the loop."""
        try:
            return await asyncio.to_thread(group.take, readings, clock)
        except Exception:
            # Pure code: it would fail again. What stands stays, and the rules of all others go on.
            log.exception("across_rule_failed", park_id=key[0], rule_id=key[1])
            group.samples = {}
            group.begin_anew(group.condition, group.rule, group.standing(), group.head.peak)
            return None

    async def _write(self, changed: list[tuple[Subject, LevelRule, Change]], now: datetime) -> None:
        async with self._database.begin() as connection:
            await self._save(connection)
            cases = await load_cases(connection, [subject for subject, _, _ in changed], self._habits)
            for subject, rule, change in changed:
                cases.of(subject).respond(rule, change, now)
            entries = await save_cases(connection, cases, now)
        self._version += 1
        self._news = False
        count_transitions(entries)

    async def _save(self, connection: AsyncConnection) -> None:
        kept = {"|".join(key): group.keep() for key, group in self._groups.items()}
        state = await asyncio.to_thread(to_bytes, kept)
        await store.save(connection, self.name, self._version, self.positions, state)

    def _renew(self) -> None:
        """Bring every rule to what it is now: what stands goes on, delays begin anew where it changed."""
        as_of = (self._registry.version, self._book.version)
        if as_of == self._as_of:
            return
        wanted = {(rule.park_id, rule.rule_id): rule for rule in self._book.rules() if self._owns(rule.park_id)}
        gone = {key for key, group in self._groups.items() if group.head.level} | self._standing.keys()
        self._left_over |= {key for key in gone - wanted.keys() if self._owns(key[0])}
        self._groups = {key: self._group(key, rule) for key, rule in wanted.items()}
        self._subjects = {key: subject_of(rule) for key, rule in wanted.items()}
        self._as_of, self._kept, self._standing = as_of, {}, {}

    def _group(self, key: Key, rule: ParkRule) -> Group:
        condition, levels = self._book.evaluated(rule)
        group = self._groups.get(key)
        if group is not None:
            if Group(condition, levels, 0).fingerprint() != group.fingerprint():
                group.begin_anew(condition, levels, group.standing(), group.head.peak)
                self._news = True
            group.rule = levels
            return group
        kept = self._kept.get("|".join(key))
        bound = self._limits.live_horizon
        group = Group.resume(condition, levels, bound, kept) if kept else Group(condition, levels, bound)
        standing = self._standing.get(key)
        colour = standing.colour if standing is not None else None
        if group.standing() != colour:
            # Who saw it raised must see it return, whatever became of the state.
            group.begin_anew(condition, levels, colour, standing.peak if standing is not None else None)
        return group


def subject_of(rule: ParkRule) -> Subject:
    """What its alarms are about: the park. Which stations contributed is in their evidence."""
    return replace(
        _subject(rule.park_id, rule.rule_id),
        ring=rule.ring or "park",
        property_id=rule.property_id,
        unit=rule.unit,
    )


def _subject(park_id: str, rule_id: str) -> Subject:
    name = rule_id.removeprefix(PREFIX)
    return Subject(park_id, park_id, BilingualText(zh=name, en=name), "park", rule_id)


def _decoded(facts: Iterable[Fact]) -> Iterable[tuple[Fact, ObservationsStored]]:
    for fact in facts:
        try:
            yield fact, ObservationsStored.decode(fact.payload)
        except ValueError:
            # The evaluation of its shard sets it aside, with the reason.
            yield fact, ObservationsStored.of([], received_at=None)


def _up_to_the_slowest(facts: list[tuple[Fact, ObservationsStored]]) -> list[tuple[Fact, ObservationsStored]]:
    """Those received before the end of what was read of the stream that is furthest behind."""
    by_stream: dict[str, list[tuple[Fact, ObservationsStored]]] = {}
    for each in facts:
        by_stream.setdefault(each[0].stream, []).append(each)
    ends = [
        max((message.received_at or 0 for _, message in found), default=0)
        for found in by_stream.values()
        if len(found) >= READ_COUNT
    ]
    if not ends:
        return facts
    taken: list[tuple[Fact, ObservationsStored]] = []
    for found in by_stream.values():
        for each in found:
            if (each[1].received_at or 0) > min(ends):
                break
            taken.append(each)
    return taken
