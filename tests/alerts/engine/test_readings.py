"""How readings are sorted: what may raise an alarm, what is history, what is neither."""

import numpy as np
import pytest

from services.alerts.engine.readings import Limits, rows_of
from shared.messages import ObservationsStored

S = 1_000_000
NOW = 1_780_000_000 * S
LIMITS = Limits(live_horizon=3600 * S, ahead=600 * S)


def message(*rows: tuple[int, int, float | None, str], received: int | None = NOW) -> ObservationsStored:
    return ObservationsStored.of(rows, received)


@pytest.mark.parametrize(
    ("value", "flag", "proves", "over_range"),
    [
        (1.0, "N", True, False),
        (None, "N", False, False),
        (float("inf"), "N", False, False),
        (1.0, "T", True, True),
        (None, "T", True, True),
        *((1.0, flag, False, False) for flag in "FMSDCB?é"),
    ],
)
def test_what_a_gas_alarm_may_rest_on(value: float | None, flag: str, proves: bool, over_range: bool) -> None:
    rows = rows_of([message((1, NOW, value, flag))], LIMITS, NOW)
    assert rows.proves.tolist() == [proves]
    assert rows.readings.over_range.tolist() == [over_range]
    assert rows.heard.tolist() == [NOW]  # whatever its quality, its station spoke


@pytest.mark.parametrize(
    ("age_s", "live", "ahead"),
    [(0, True, False), (3600, True, False), (3601, False, False), (-600, True, False), (-601, False, True)],
)
def test_what_is_live(age_s: int, live: bool, ahead: bool) -> None:
    rows = rows_of([message((1, NOW - age_s * S, 1.0, "N"))], LIMITS, NOW + 86_400 * S)
    assert (rows.live.tolist(), rows.ahead.tolist()) == ([live], [ahead])
    assert rows.heard.tolist() == [NOW if live else 0]


def test_columns_of_several_facts_are_joined() -> None:
    first = message((7, NOW, 1.0, "N"), (3, NOW - S, 2.0, "D"), received=NOW)
    second = message((7, NOW + S, 3.0, "T"), received=None)
    rows = rows_of([first, message(), second], LIMITS, NOW + 5 * S)
    assert rows.datastream.tolist() == [3, 7]
    assert rows.datastream[rows.which].tolist() == [7, 3, 7]
    assert rows.fact.tolist() == [0, 0, 2]
    assert np.array_equal(rows.readings.value, [1.0, 2.0, 3.0])
    assert rows.heard.tolist() == [NOW, NOW + 5 * S]
