"""Watches for stations that say nothing: promise 5, what is missing never looks safe. The one thing on wall time."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import SilenceRule, is_silent
from services.alerts.engine import metrics
from services.alerts.engine.effects import count_transitions, load_cases, save_cases
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.lifecycle import Alarm, Entry, Evidence, Subject
from services.alerts.store import alarm_questions as store
from shared.levels import Colour
from shared.telemetry import get_logger
from shared.time import from_microseconds, iso, to_microseconds

log = get_logger(__name__)
RULE_ID = "silence"
COLOUR = Colour.BLUE
"""By default the lowest: silence is not gas. What matters is that it is an alarm, and is told."""


class Heard:
    """When live data of each station were last received, in microseconds of wall time."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def note(self, received: Mapping[int, int], known: Mapping[int, Datastream]) -> None:
        """Note the receipts by datastream."""
        for datastream_id, at in received.items():
            if (datastream := known.get(datastream_id)) is not None:
                station_id = datastream.station_id
                self.last[station_id] = max(at, self.last.get(station_id, at))


class SilenceWatch:
    """Raises and returns the silence alarms of the stations that `owns` accepts."""

    def __init__(
        self,
        database: AsyncEngine,
        registry: Registry,
        heard: Heard,
        *,
        fast: SilenceRule,
        slow: SilenceRule,
        owns: Callable[[str], bool],
        is_current: Callable[[], bool],
        clock: Callable[[], datetime],
        committed: Callable[[], None],
        colour: Colour = COLOUR,
    ) -> None:
        self._database = database
        self._colour = colour
        self._registry = registry
        self._heard = heard
        self._fast = fast
        self._slow = slow
        self._owns = owns
        self._is_current = is_current
        self._clock = clock
        self._committed = committed
        self._watched_since: dict[str, int] = {}
        self._last_look: int | None = None

    async def run(self, errors: tuple[type[Exception], ...], every_s: float = 2.0) -> None:
        """Look until cancelled; through the outages that `errors` names."""
        while True:
            try:
                await self.look()
                await self._gauge()
            except errors as error:
                log.warning("silence_watch_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(every_s)

    async def look(self) -> list[Entry]:
        """Judge every station once. While facts wait to be read nothing is judged: the data may be among them."""
        async with self._database.connect() as connection:
            alarms = {alarm.subject.station_id: alarm for alarm in await store.open_of_rule(connection, RULE_ID)}
        # Nothing is awaited between the clock and the verdicts: what is heard meanwhile would be later than "now".
        now = self._clock()
        wall = to_microseconds(now)
        if not self._is_current() or self._slept(wall):
            self._watched_since.clear()
            return []
        moves = [
            (subject, rule, silent)
            for station_id, datastreams in self._registry.stations.items()
            if self._owns(station_id) and (rule := self._rule(datastreams)) is not None
            for subject in [_subject(datastreams[0])]
            if (silent := self._verdict(station_id, rule, wall, alarms.get(station_id))) is not None
        ]
        return await self._write(moves, now) if moves else []

    def _slept(self, wall: int) -> bool:
        """Whether the machine stood still since the last look: then nobody could be heard."""
        before, self._last_look = self._last_look, wall
        return before is not None and wall - before > self._fast.after // 2

    def _rule(self, datastreams: list[Datastream]) -> SilenceRule | None:
        cadences = {datastream.cadence for datastream in datastreams}
        return self._fast if "realtime" in cadences else self._slow if "minute" in cadences else None

    def _verdict(self, station_id: str, rule: SilenceRule, wall: int, alarm: Alarm | None) -> bool | None:
        """True: to be raised, False: to be returned, None: as it is."""
        watched = self._watched_since.setdefault(station_id, wall)
        heard = self._heard.last.get(station_id)
        silent = is_silent(rule, wall, watched, heard)
        active = alarm is not None and alarm.active
        if silent and not active:
            return True
        return False if active and not silent and heard is not None else None

    async def _write(self, moves: list[tuple[Subject, SilenceRule, bool]], now: datetime) -> list[Entry]:
        async with self._database.begin() as connection:
            cases = await load_cases(connection, [subject for subject, _, _ in moves])
            for subject, rule, silent in moves:
                heard = self._heard.last.get(subject.station_id)
                last = iso(from_microseconds(heard)) if heard is not None else None
                evidence = Evidence(now, self._colour, detail={"last_heard": last, "silence_after_s": rule.after / 1e6})
                case = cases.of(subject)
                standing = case.open is not None and case.open.active
                if standing != silent:
                    case.move(int(standing), int(silent), evidence, now)
            entries = await save_cases(connection, cases, now)
        count_transitions(entries)
        self._committed()
        return entries

    async def _gauge(self) -> None:
        async with self._database.connect() as connection:
            counts = await store.count_open(connection)
        for colour in Colour:
            metrics.OPEN_ALARMS.labels(colour).set(counts.get(colour, 0))


def _subject(datastream: Datastream) -> Subject:
    return Subject(
        park_id=datastream.park_id,
        station_id=datastream.station_id,
        station_name=datastream.station_name,
        ring=datastream.ring,
        rule_id=RULE_ID,
    )
