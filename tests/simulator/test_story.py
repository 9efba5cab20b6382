"""Stories climb: what the instruments show passes yellow, orange and red, ring after ring."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.atmosphere import inverse_obukhov_at
from simulator.release import Release, Timing
from simulator.site import Site
from simulator.story import RATE_BOUNDS_KG_S, REACH_RED, Episode, Storyteller
from simulator.warning_levels import WARNING_LEVELS
from simulator.world import World

SAMPLED_EVERY_S = 5
SUSTAINED = 3
MIDNIGHT = datetime(2026, 3, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Watch:
    """When a station of each ring held a level for three samples: (ring, level) to seconds after the release."""

    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    station: dict[tuple[str, int], str] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    _held: dict[tuple[int, int], int] = field(default_factory=dict)

    def complete(self) -> bool:
        """Whether all that a story promises has come to pass."""
        return all(key in self.reached for key in (("source", 1), ("boundary", 2), ("receptor", 0)))

    def look(self, world: World, release: Release) -> None:
        levels = WARNING_LEVELS[release.source.property_id]
        values = world._samples[-1].value
        for index, channel in enumerate(world.site.channels):
            if channel.property_id != release.source.property_id:
                continue
            station = world.site.stations[channel.station]
            self.peak[station.ring] = max(self.peak.get(station.ring, 0.0), float(values[index]))
            for number, level in enumerate(levels.detector if station.ring == "source" else levels.air):
                held = self._held.get((index, number), 0) + 1 if values[index] >= level else 0
                self._held[index, number] = held
                if held == SUSTAINED:
                    self.reached.setdefault((station.ring, number), world.now - release.start)
                    self.station.setdefault((station.ring, number), station.id)


def _episode(site: Site, seed: int, start: int, hour: float) -> Episode:
    return Storyteller(site, seed).next_episode(start, inverse_obukhov_at(hour), Timing())


def _played(site: Site, seed: int, hour: int) -> Watch:
    start = int(MIDNIGHT.replace(hour=hour).timestamp())
    episode = _episode(site, seed, start, hour)
    world, watch = World(site, seed, start), Watch()
    while world.now < min(episode.end, episode.release.end + 900):
        index, wind = world.now - start, episode.wind
        world.step(float(wind.speed[index]), float(wind.east[index]), float(wind.north[index]), episode.release)
        if world.now % SAMPLED_EVERY_S == 0:
            watch.look(world, episode.release)
        if watch.complete():
            break
        if world.now == episode.release.start:
            assert not watch.reached, "something warned before the release"
    return watch


@pytest.mark.parametrize(("seed", "hour"), [(1, 9), (1, 13), (1, 20), (2, 9), (3, 3), (4, 15)])
def test_the_warning_climbs_ring_after_ring(site: Site, seed: int, hour: int) -> None:
    watch = _played(site, seed, hour)
    detectors = [watch.reached[("source", level)] for level in (0, 1)]
    boundary = [watch.reached[("boundary", level)] for level in (0, 1, 2)]
    assert detectors == sorted(detectors)
    assert boundary == sorted(boundary)
    assert len({watch.station[("boundary", level)] for level in (0, 1, 2)}) == 1
    assert detectors[0] < boundary[0] < watch.reached[("receptor", 0)]
    assert detectors[0] < 120


def test_the_same_seed_tells_the_same_story(site: Site) -> None:
    one, other = (_episode(site, 3, 0, 12.0) for _ in range(2))
    assert one.release == other.release
    assert np.array_equal(one.wind.east, other.wind.east)
    assert _episode(site, 4, 0, 12.0).release != one.release


def test_later_stories_go_on_elsewhere_in_the_same_wind(site: Site) -> None:
    teller = Storyteller(site, 2)
    first = teller.next_episode(0, 0.0, Timing())
    second = teller.next_episode(first.end, 0.0, Timing(release_after_s=200))
    assert second.release.source != first.release.source
    assert second.release.start == first.end + 200
    turn = (second.wind.from_deg[0] - first.wind.from_deg[-1] + 180.0) % 360.0 - 180.0
    assert abs(turn) < 5.0


def test_rates_are_believable_and_first_stories_can_reach_red(site: Site) -> None:
    low, high = RATE_BOUNDS_KG_S
    for seed in (20, 21):
        release = _episode(site, seed, 0, 12.0).release
        assert low <= release.rate_kg_s <= high
        assert release.source.property_id in REACH_RED


def test_a_leak_grows_and_ends(site: Site) -> None:
    release = Release(site.sources[0], 2.0, 1000, 1360)
    assert release.rate_at(1000) == 0.0
    assert release.rate_at(1001) == pytest.approx(6.0e-4, rel=0.1)
    assert release.rate_at(1045) == pytest.approx(2.0 * 3e-4**0.5)
    assert release.rate_at(1090) == 2.0
    assert release.rate_at(1360) == 2.0
    assert release.rate_at(1361) == 0.0
    # The integral of a ** (1 - t / T) over the growth is T (1 - a) / ln(1 / a).
    growth = 2.0 * 90 * (1 - 3e-4) / np.log(1 / 3e-4)
    assert release.mass_kg() == pytest.approx(2.0 * 270 + growth, rel=0.01)
