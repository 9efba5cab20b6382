"""What a request tells of the release becomes a release."""

from __future__ import annotations

from typing import Any

import pytest

from services.model.runs.failure import RunFailure
from services.model.runs.leaks import Leak, leak_of
from services.model.runs.request import RunRequest
from tests.model.runs.plans import CHLORINE, plan_of


def leak(inventory_kg: float | None = None, **asked: Any) -> Leak:
    body = {"chemical": CHLORINE, "source": {"longitude": 119.0, "latitude": 37.1, "height_m": 2.0}, **asked}
    plan = plan_of(CHLORINE)
    request = RunRequest.model_validate(body)
    return leak_of(request, plan.chemical, plan.source, None, plan.weather.weather, 600.0, inventory_kg)


def test_a_rate_is_a_constant_release() -> None:
    told = leak(rate_kg_s=2.0)
    assert (told.rate_kg_s, told.end_s, told.release, told.interval) == (2.0, 600.0, None, None)
    full = leak(release={"kind": "continuous", "rate_kg_s": 2.0, "temperature_k": 250.0})
    assert (full.rate_kg_s, full.temperature_k) == (2.0, 250.0)


def test_a_sudden_release_has_its_mass() -> None:
    told = leak(release={"kind": "instantaneous", "mass_kg": 1000.0})
    assert told.release
    assert told.release.total_kg == pytest.approx(1000.0)
    assert told.end_s == pytest.approx(1.0)


def test_a_series_has_its_mass_and_begins_at_zero() -> None:
    told = leak(release={"kind": "series", "series": [[60, 0.0], [120, 2.0], [180, 0.0]]}, deposition_velocity_m_s=0.01)
    assert told.release
    assert told.release.start_s == 0.0
    assert told.release.total_kg == pytest.approx(120.0)
    assert told.rate_kg_s == pytest.approx(1.0)
    assert told.release.deposition_velocity_m_s == 0.01


VESSEL = {"phase": "gas", "hole_diameter_m": 0.01, "pressure_kpa": 300.0, "temperature_k": 293.15}


def test_a_vessel_gives_off_no_more_than_it_holds() -> None:
    told = leak(vessel=VESSEL | {"mass_kg": 50.0, "isolation_s": 3600.0})
    assert told.release
    assert 0.0 < told.release.total_kg <= 50.0
    assert told.assumptions
    assert all(entry.zh and entry.en for entry in told.assumptions)
    # The pressure falls, and with it the rate.
    assert told.release.rates_kg_s[0] > told.release.rates_kg_s[-1]


def test_what_the_vessel_holds_may_come_from_the_risk_source() -> None:
    assert leak(inventory_kg=50.0, vessel=VESSEL).release
    with pytest.raises(RunFailure, match="mass"):
        leak(vessel=VESSEL)


def test_what_appendix_f_refuses_is_a_clear_problem() -> None:
    with pytest.raises(RunFailure, match="Appendix F"):
        leak(vessel=VESSEL | {"mass_kg": 50.0, "pressure_kpa": 60.0})
