"""Simulated time, what is remembered between runs, and the options."""

from pathlib import Path

import pytest

from simulator.clock import SimulatedClock
from simulator.options import PARK_FILE, parse
from simulator.outages import outages_between
from simulator.state import Memory

NOW = 1_790_000_000.0


def test_a_fast_story_ends_as_simulated_time_reaches_the_wall() -> None:
    clock = SimulatedClock.for_story(NOW, 1500.0, 20.0, None)
    assert clock.start == NOW - 1425.0
    assert clock.at(NOW) == clock.start
    assert clock.at(NOW + 10.0) == clock.start + 200.0
    assert clock.at(NOW + 75.0) == NOW + 75.0
    assert clock.at(NOW + 500.0) == NOW + 500.0


@pytest.mark.parametrize("speed", [1.0, 2.5, 20.0, 1000.0])
def test_simulated_time_never_overtakes_the_wall(speed: float) -> None:
    clock = SimulatedClock.for_story(NOW, 1500.0, speed, None)
    for passed in (0.0, 0.3, 1.0, 74.0, 76.0, 2000.0):
        assert clock.at(NOW + passed) <= NOW + passed
        simulated = clock.start + passed
        assert clock.wall_when(simulated) >= simulated
        assert clock.at(clock.wall_when(simulated)) == pytest.approx(simulated)


def test_at_speed_one_simulated_time_is_wall_time() -> None:
    clock = SimulatedClock.for_story(NOW, 1500.0, 1.0, None)
    assert clock.at(NOW + 60.0) == NOW + 60.0


def test_a_second_run_begins_after_the_last_time_told() -> None:
    assert SimulatedClock.for_story(NOW, 1500.0, 20.0, NOW - 100.0).start == NOW - 100.0
    assert SimulatedClock.for_story(NOW, 1500.0, 20.0, NOW + 1.0).start == NOW + 1.0
    assert SimulatedClock.for_story(NOW, 1500.0, 20.0, NOW - 9000.0).start == NOW - 1425.0


def test_a_time_far_in_the_future_is_not_waited_for() -> None:
    assert SimulatedClock.for_story(NOW, 1500.0, 1.0, NOW + 86_400.0).start == NOW


def test_memory_survives_and_counts_runs(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    first = Memory(path)
    assert (first.last_told, first.runs) == (None, 0)
    first.told(NOW)
    first.told(NOW + 5)
    second = Memory(path)
    assert (second.last_told, second.runs) == (NOW + 5, 1)
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", ["", "no json", "[1, 2]", '{"last_told": "soon"}'])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content, encoding="utf-8")
    assert Memory(path).last_told is None


def test_options_come_from_the_environment_and_the_command_line_wins() -> None:
    environment = {
        "FENCELINE_DEMO_SPEED": "30",
        "FENCELINE_SIMULATOR_RELEASE_AFTER": "20",
        "FENCELINE_SIMULATOR_SEED": "4",
    }
    options = parse(["--seed", "9"], environment)
    assert (options.speed, options.release_after_s, options.seed) == (30.0, 20, 9)
    plain = parse([], {})
    assert (plain.park, plain.port, plain.seed, plain.state) == (PARK_FILE, 9212, None, None)


@pytest.mark.parametrize(
    "arguments", [["--speed", "0"], ["--speed", "nan"], ["--interval", "0"], ["--port", "x"], ["--seed", "-1"]]
)
def test_wrong_options_are_refused_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments, {})
    assert arguments[0] in capsys.readouterr().err.splitlines()[-1]


def test_lines_fail_now_and_then() -> None:
    outages = [outage for day in range(10) for outage in outages_between(day * 86_400, (day + 1) * 86_400, 42, 1)]
    assert len(outages) == pytest.approx(10 * 6 * 42, rel=0.1)
    assert {outage.station for outage in outages} == set(range(42))
    assert all(20 <= outage.end - outage.start < 90 for outage in outages)
    assert outages_between(0, 1500, 42, 1) == outages_between(0, 1500, 42, 1)
