"""Plans to compute: a small place with a school, a hospital and a village around a source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.model.chemicals import chemical
from services.model.runs.levels import named_levels, zone_levels
from services.model.runs.plan import PointPlace, ReceptorPlace, RunPlan
from services.model.runs.request import GivenMeteorology
from services.model.runs.result import SourceView
from services.model.runs.weather import from_given
from shared.text import BilingualText

AMMONIA, CHLORINE, BENZENE = "7664-41-7", "7782-50-5", "71-43-2"
AT = datetime(2026, 6, 1, 4, tzinfo=UTC)
RECEPTORS = [
    ReceptorPlace("school", BilingualText(zh="小学", en="School"), "school", 400, 119.006, 37.1013),
    ReceptorPlace("village", BilingualText(zh="西村", en="West village"), "village", 900, 118.99, 37.1),
    ReceptorPlace("hospital", BilingualText(zh="医院", en="Hospital"), "hospital", 250, 119.001, 37.1003),
]


def plan_of(cas: str = AMMONIA, *, wind_m_s: float = 3.0, named: tuple[str, ...] = (), **changed: Any) -> RunPlan:
    """0.5 kg/s for 10 minutes in a wind from 250 degrees."""
    substance = chemical(cas)
    given = GivenMeteorology(wind_speed_m_s=wind_m_s, wind_from_deg=250, sigma_theta_deg=9.0, temperature_c=25)
    plan = RunPlan(
        chemical=substance,
        source=SourceView(
            kind="place",
            risk_source_id=None,
            name=BilingualText(zh="球罐", en="Sphere"),
            longitude=119.0,
            latitude=37.1,
            height_m=2.0,
        ),
        rate_kg_s=0.5,
        rate_interval=None,
        weather=from_given(given, AT, 119.0, 37.1),
        release_start=AT,
        now_s=0.0,
        release_end_s=600.0,
        end_s=2400.0,
        levels=zone_levels(substance, [], named_levels(substance, named, 10.0)[0]),
        receptors=RECEPTORS,
        points=[PointPlace("gate", 119.0008, 37.1003)],
        nodes=200,
    )
    return replace(plan, **changed)
