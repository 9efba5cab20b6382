"""Readings evaluated under their rules: facts as they come from the stream, decoded, sorted and evaluated."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Measured
from bench.timing import rounded
from services.alerts.conditions import Columns, Level, LevelRule, evaluate, to_bytes
from services.alerts.engine.readings import Limits, rows_of
from shared.levels import Colour
from shared.messages import ObservationsStored

SECOND = 1_000_000
BEGIN = 1_780_000_000 * SECOND
LIMITS = Limits(3600 * SECOND, 600 * SECOND)
BOUND = 120 * SECOND
RULE = LevelRule(
    "bench",
    (Level(Colour.YELLOW, 1.0), Level(Colour.ORANGE, 2.0), Level(Colour.RED, 5.8)),
    on_delay=30 * SECOND,
    off_delay=60 * SECOND,
    deadband_fraction=0.1,
    max_gap=180 * SECOND,
)

DATASTREAMS = 20_000
FACTS_A_SECOND = 10
"""Each with the readings of 2,000 datastreams: what a shard is told of when much comes in."""
STANDING = 0.02
"""Of the datastreams: gas about the lowest level all the time, so that alarms stand or are about to."""
LATE = 0.01
"""Of the readings: 10 s behind the datastream's newest."""
PREPARED_S = 30
"""Seconds of event time that are generated at a time, apart from what is measured."""


def measure(budget_s: float) -> Measured:
    """Evaluations a second in one process, from the encoded fact to the changes that it makes; on one core."""
    generator = np.random.default_rng(0)
    columns = Columns(BOUND)
    columns.add(range(1, DATASTREAMS + 1), [RULE] * DATASTREAMS)
    level = np.abs(generator.normal(0.1, 0.1, DATASTREAMS)).clip(max=0.8)
    gas = generator.random(DATASTREAMS) < STANDING
    level[gas] = 1.05
    evaluations, changes, seconds, slowest, second = 0, 0, 0.0, 0.0, 0
    while seconds < budget_s:
        facts = _facts(generator, level, second)
        second += PREPARED_S
        for payload in facts:
            begun = time.process_time()
            changed = _evaluate(columns, payload)
            took = time.process_time() - begun
            if second > PREPARED_S:  # the first readings of all make room for those that follow
                evaluations, seconds = evaluations + DATASTREAMS // FACTS_A_SECOND, seconds + took
                changes, slowest = changes + changed, max(slowest, took)
    begun = time.process_time()
    checkpoint = to_bytes(columns)
    return Measured(
        rounded(evaluations / seconds),
        {
            "datastreams": DATASTREAMS,
            "levels": len(RULE.levels),
            "readings_a_fact": DATASTREAMS // FACTS_A_SECOND,
            "share_of_datastreams_with_gas": STANDING,
            "share_of_readings_late": LATE,
            "evaluations": evaluations,
            "changes": changes,
            "mean_ms_a_fact": rounded(1e3 * seconds / (evaluations * FACTS_A_SECOND / DATASTREAMS)),
            "slowest_ms_a_fact": rounded(1e3 * slowest),
            "checkpoint_mb": rounded(len(checkpoint) / 1e6),
            "checkpoint_ms": rounded(1e3 * (time.process_time() - begun)),
        },
    )


def _evaluate(columns: Columns, payload: bytes) -> int:
    """What the engine does with a fact that changes no alarm; the number of datastreams whose level changed."""
    rows = rows_of([ObservationsStored.decode(payload)], LIMITS, BEGIN)
    slot = columns.find(rows.datastream)[rows.which]
    taken = rows.proves & rows.live & (slot >= 0)
    return len(evaluate(columns, slot[taken], rows.fact[taken], rows.readings.take(taken)).changes)


def _facts(generator: np.random.Generator, level: NDArray[np.float64], begin: int) -> list[bytes]:
    """Every datastream once a second, in facts of a tenth of them."""
    found = []
    for second in range(begin, begin + PREPARED_S):
        for part in np.array_split(np.arange(DATASTREAMS), FACTS_A_SECOND):
            late = generator.random(len(part)) < LATE
            times = BEGIN + second * SECOND + generator.integers(0, SECOND, len(part)) - late * 10 * SECOND
            values = level[part] * generator.uniform(0.93, 1.07, len(part))
            message = ObservationsStored(
                datastream_id=(part + 1).astype("<i4").tobytes(),
                time=times.astype("<i8").tobytes(),
                value=values.astype("<f8").tobytes(),
                quality="N" * len(part),
                received_at=BEGIN + (second + 1) * SECOND,
            )
            found.append(message.encode())
    return found
