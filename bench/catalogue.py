"""Every benchmark that there is. What measures it is imported when it is run: peers are heavy."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from bench.benchmark import Benchmark, Limit, Measured


def _at(module: str, function: str) -> Callable[[float], Measured]:
    def measure(budget_s: float) -> Measured:
        found = cast(Callable[[float], Measured], getattr(import_module(f"bench.{module}"), function))
        return found(budget_s)

    return measure


BENCHMARKS = [
    Benchmark(
        "model.footprint_ms",
        "10-min release followed for 30 min, 400 x 400, with its zones",
        "ms",
        Limit("at most", 50.0),
        _at("footprint", "measure"),
    ),
    Benchmark(
        "model.over_pyeldqm",
        "pyeldqm's puff over ours, the same footprint",
        "times",
        Limit("at least", 1.0),
        _at("over_pyeldqm", "measure_puff"),
        budget_s=15.0,
    ),
    Benchmark(
        "model.over_pyeldqm_plume",
        "pyeldqm's plume over ours, 400 x 400",
        "times",
        Limit("at least", 1.0),
        _at("over_pyeldqm", "measure_plume"),
    ),
    Benchmark(
        "model.ensemble200_ms",
        "200 members of the same footprint, 400 x 400",
        "ms",
        Limit("at most", 1000.0),
        _at("ensemble", "measure"),
    ),
    Benchmark(
        "model.dense_overhead",
        "the slabx adapter over slabx alone, less one",
        "",
        Limit("at most", 0.10),
        _at("dense_overhead", "measure"),
        budget_s=10.0,
    ),
    Benchmark(
        "model.cached_run_ms",
        "POST /runs answered from the store, over HTTP",
        "ms",
        Limit("at most", 10.0),
        _at("cached_run", "measure"),
    ),
    Benchmark(
        "ingest.http.rows_per_s",
        "observations over HTTP, JSON rows in batches of 1,000, alerts evaluating them",
        "rows/s",
        None,
        _at("ingest_http", "rows_per_s"),
        budget_s=15.0,
    ),
    Benchmark(
        "ingest.http.over_copy",
        "the same over a bare COPY of such rows, encoded beforehand",
        "",
        Limit("at least", 0.35),
        _at("ingest_http", "over_copy"),
        budget_s=15.0,
    ),
    Benchmark(
        "ingest.hj212.frames_per_s",
        "HJ 212 frames of ten factors, each acknowledged after its commit, alerts evaluating them",
        "frames/s",
        Limit("at least", 5_000.0),
        _at("hj212", "frames_per_s"),
        budget_s=10.0,
    ),
    Benchmark(
        "ingest.hj212.connections",
        "stations held for a minute, each sending every 30 s, none dropped and each frame answered",
        "",
        Limit("at least", 10_000.0),
        _at("hj212", "connections"),
    ),
    Benchmark(
        "ingest.hj212.rss_mb",
        "the most memory that ingest took meanwhile, with the registry of 10,000 devices",
        "MB",
        Limit("at most", 1_000.0),
        _at("hj212", "rss_mb"),
    ),
    Benchmark(
        "ingest.overload.growth_mb",
        "growth of ingest's memory under twice the load that it carries, for ten minutes",
        "MB",
        Limit("at most", 64.0),
        _at("overload", "growth_mb"),
        budget_s=600.0,
    ),
    Benchmark(
        "alerts.evaluations_per_s",
        "readings from their fact to the levels that they change, in one process",
        "/s",
        Limit("at least", 500_000.0),
        _at("evaluations", "measure"),
    ),
    Benchmark(
        "query.latest_1000_ms",
        "latest values of 1,000 datastreams over HTTP, 100 million observations stored",
        "ms",
        Limit("at most", 10.0),
        _at("queries", "measure_latest"),
    ),
    Benchmark(
        "query.day_minutely_ms",
        "a day of one datastream by the minute, the same",
        "ms",
        Limit("at most", 20.0),
        _at("queries", "measure_day"),
    ),
    Benchmark(
        "alarm.latency_p50_ms",
        "last byte of an HJ 212 frame to the event at a gateway's client, at 20,000 observations/s",
        "ms",
        Limit("at most", 20.0),
        _at("alarm_latency", "p50_ms"),
        budget_s=30.0,
    ),
    Benchmark(
        "alarm.latency_p99_ms",
        "the same, what one event in a hundred exceeds",
        "ms",
        Limit("at most", 100.0),
        _at("alarm_latency", "p99_ms"),
        budget_s=30.0,
    ),
]
