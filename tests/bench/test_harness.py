"""The benchmarks' own logic: what a name selects, how turns are taken, what a run leaves in the results."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import __main__ as bench_main
from bench import results
from bench.benchmark import Benchmark, Limit, Measured, NoSuchBenchmark, selected
from bench.catalogue import BENCHMARKS
from bench.timing import LEAST_ROUNDS, MOST_ROUNDS, Timing, alternate, ratio

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def benchmark(key: str, value: float = 1.0, limit: Limit | None = None) -> Benchmark:
    return Benchmark(key, "what", "ms", limit, lambda _: Measured(value))


class TurningClock:
    """A clock that each piece of work moves by its own cost."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, seconds: float) -> None:
        self.order.append(name)
        self.now += seconds


def test_contenders_take_turns_and_the_order_turns_too() -> None:
    clock = TurningClock()
    found = alternate({"a": lambda: clock.work("a", 1.0), "b": lambda: clock.work("b", 2.0)}, 8.0, clock)
    assert clock.order == ["a", "b", "a", "b", "b", "a", "a", "b"]  # the first pair is not counted
    assert found["a"].seconds == (1.0,) * 3
    assert found["b"].median_ms == 2000.0


@pytest.mark.parametrize(("budget_s", "rounds"), [(0.0, LEAST_ROUNDS), (5.0, 5), (1e9, MOST_ROUNDS)])
def test_time_is_bounded_and_there_is_always_a_median(budget_s: float, rounds: int) -> None:
    clock = TurningClock()
    assert len(alternate({"a": lambda: clock.work("a", 1.0)}, budget_s, clock)["a"].seconds) == rounds


def test_a_ratio_is_taken_round_by_round() -> None:
    # A machine that is three times as slow in one round is so for both.
    assert ratio(Timing((2.0, 6.0, 2.0)), Timing((1.0, 3.0, 1.0))) == 2.0


def test_names_select_a_key_or_all_that_begin_so() -> None:
    entries = [benchmark("model.a_ms"), benchmark("model.b"), benchmark("ingest.c")]
    assert selected(entries, []) == entries
    assert selected(entries, ["model"]) == entries[:2]
    assert selected(entries, ["ingest.c", "model.b"]) == entries[1:]
    with pytest.raises(NoSuchBenchmark, match=r"'modal'; there are model\.a_ms, model\.b, ingest\.c"):
        selected(entries, ["model", "modal"])


def test_limits() -> None:
    assert Limit("at most", 50.0).holds(50.0)
    assert not Limit("at most", 50.0).holds(50.1)
    assert Limit("at least", 1.0).holds(2.0)
    assert not Limit("at least", 1.0).holds(0.9)


def test_a_run_of_a_part_leaves_the_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "results" / "latest.json"
    results.record(path, {"b.one": 1.0}, {"b.one": {"unit": "ms"}}, "make bench", AT)
    results.record(path, {"a.two": 2.0}, {"a.two": {"unit": "s"}}, "make bench ONLY=a", AT)
    results.record(path, {"b.one": 3.0}, {"b.one": {"unit": "ms"}}, "make bench ONLY=b", AT)
    document = json.loads(path.read_text())
    assert {key: document[key] for key in ("a.two", "b.one")} == {"a.two": 2.0, "b.one": 3.0}
    assert document["about"]["b.one"]["command"] == "make bench ONLY=b"
    assert document["about"]["a.two"]["date"] == "2026-11-01T12:00:00+00:00"
    assert set(document["about"]["a.two"]["machine"]) == {"cores", "load", "cpu", "memory_gb", "python", "system"}
    assert [entry.name for entry in path.parent.iterdir()] == ["latest.json"]


def test_the_processor_is_named() -> None:
    facts = results.machine()
    assert facts["cores"] >= 1
    assert facts["cpu"]


def test_what_was_measured_is_kept_when_another_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: float) -> Measured:
        raise RuntimeError("the peer is gone")

    entries = [
        Benchmark("m.gone", "what", "ms", None, fails),
        benchmark("m.kept", 1.0, Limit("at most", 2.0)),
        benchmark("m.missed", 3.0, Limit("at most", 2.0)),
    ]
    latest = tmp_path / "bench" / "results" / "latest.json"
    monkeypatch.setattr(bench_main, "BENCHMARKS", entries)
    monkeypatch.setattr(bench_main, "LATEST", latest)
    assert bench_main.main([]) == 1
    said = capsys.readouterr().out
    assert "the peer is gone" in said
    assert "missed" in said
    document = json.loads(latest.read_text())
    assert (document["m.kept"], document["m.missed"]) == (1.0, 3.0)
    assert "m.gone" not in document
    assert document["about"]["m.kept"]["kept"] is True
    assert document["about"]["m.missed"]["kept"] is False


def test_a_name_that_selects_nothing_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_main.main(["nothing"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_keys_are_told_once_and_kept_results_belong_to_keys_that_exist() -> None:
    keys = [entry.key for entry in BENCHMARKS]
    assert len(set(keys)) == len(keys)
    kept = json.loads(results.LATEST.read_text(encoding="utf-8"))
    assert {key for key in kept if key.startswith("model.")} <= set(keys)
