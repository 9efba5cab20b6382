"""The park comes alive: the clock, the story, the world and its stations in one loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from shared.park_file import read_park_file
from shared.telemetry import get_logger
from simulator.atmosphere import inverse_obukhov_at
from simulator.clock import SimulatedClock
from simulator.options import Options
from simulator.outages import outages_between
from simulator.release import STORY_LENGTH_S, Timing
from simulator.site import Site
from simulator.state import Memory
from simulator.stations import Stations
from simulator.story import Episode, Storyteller
from simulator.truth import TruthFile
from simulator.world import World

# After the first story the park rests for a while before each further one.
LATER_CALM_S = (150, 300)
LATER_LENGTH_S = (1350, 1650)
CLEARING_S = 600
REPORT_EVERY_S = 30.0
STRAY_STATIONS = 2
FIRST_SEED = 1

log = get_logger("simulator")


class Simulation:
    """One run of the simulated park."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._memory = Memory(options.state)
        self._seed = FIRST_SEED + self._memory.runs if options.seed is None else options.seed
        self._site = Site(read_park_file(options.park))
        self._teller = Storyteller(self._site, self._seed)
        park_id = self._site.park.park.id
        self._truth = TruthFile(options.truth, park_id) if options.truth else None
        calm, lasting = options.release_after_s, options.release_for_s
        self._first = Timing(calm, lasting, max(STORY_LENGTH_S, calm + lasting + CLEARING_S))
        self._later = random.Random(self._seed)

    async def run(self) -> None:
        """Play stories until cancelled."""
        log.info("choosing_the_first_story", park=self._site.park.park.name.en)
        draft = await asyncio.to_thread(self._plan, int(self._clock().start), self._first)
        # Choosing takes seconds, which simulated time must not lag behind: so the clock starts only now.
        clock = self._clock()
        world = World(self._site, self._seed, int(clock.start))
        episode = draft.beginning_at(world.now)
        address = (self._options.host, self._options.port)
        stations = Stations(world, address, self._options.interval_s, self._seed)
        self._memory.told(world.now)
        stations.start_up()
        log.info("park_open", stations=len(stations.devices), platform=f"{address[0]}:{address[1]}")
        async with asyncio.TaskGroup() as group:
            group.create_task(stations.run())
            group.create_task(report(stations))
            group.create_task(self._play(clock, world, stations, episode))

    def _clock(self) -> SimulatedClock:
        length = self._first.length_s
        return SimulatedClock.for_story(time.time(), length, self._options.speed, self._memory.last_told)

    async def _play(self, clock: SimulatedClock, world: World, stations: Stations, episode: Episode) -> None:
        while True:
            if self._truth is not None:
                self._truth.add(episode.release)
            log.info("quiet", until_release_s=episode.release.start - world.now)
            stations.expect(outages_between(episode.start, episode.end, len(stations.devices), self._seed))
            following: asyncio.Task[Episode] | None = None
            while world.now < episode.end:
                await asyncio.sleep(max(clock.wall_when(world.now + 1) - time.time(), 0.0))
                self._second(world, stations, episode)
                if following is None and world.now > episode.release.end + CLEARING_S / 2:
                    following = asyncio.create_task(self._plan_later(episode.end))
            episode = await (following or self._plan_later(episode.end))

    def _second(self, world: World, stations: Stations, episode: Episode) -> None:
        index, release = world.now - episode.start, episode.release
        wind = episode.wind
        self._memory.told(world.now + 1)
        world.step(float(wind.speed[index]), float(wind.east[index]), float(wind.north[index]), release)
        stations.tell()
        if world.now == release.start:
            source = {"source": release.source.code, "rate_kg_s": release.rate_kg_s}
            log.info("a_release_begins", **(source if self._options.reveal else {}))
        elif world.now == release.end:
            log.info("the_release_has_ended")

    async def _plan_later(self, start: int) -> Episode:
        timing = Timing(
            self._later.randint(*LATER_CALM_S),
            self._options.release_for_s,
            max(self._later.randint(*LATER_LENGTH_S), self._options.release_for_s + 2 * CLEARING_S),
        )
        return await asyncio.to_thread(self._plan, start, timing)

    def _plan(self, start: int, timing: Timing) -> Episode:
        hour = self._local_hour(start + timing.release_after_s)
        return self._teller.next_episode(start, inverse_obukhov_at(hour), timing)

    def _local_hour(self, moment: int) -> float:
        local = self._site.local_time(moment)
        return local.hour + local.minute / 60.0


async def report(stations: Stations) -> None:
    """Log how many stations are connected, when that changes by more than a stray one, and what was lost."""
    known, lost = -1, 0
    while True:
        connected = stations.connected
        at_an_end = connected in (0, len(stations.devices)) and connected != known
        if at_an_end or abs(connected - known) > STRAY_STATIONS:
            known = connected
            log.info("stations_connected", connected=connected, frames_waiting=stations.waiting)
        if stations.dropped > lost:
            lost = stations.dropped
            log.warning("frames_lost_memory_full", frames=lost)
        await asyncio.sleep(REPORT_EVERY_S if known > 0 else 2.0)


async def run_until_stopped(options: Options, stop: asyncio.Event) -> None:
    """Play until `stop` is set."""
    playing = asyncio.create_task(Simulation(options).run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if playing.done():
        playing.result()
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    log.info("park_closed")
