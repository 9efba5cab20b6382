"""Against the worked numbers of HJ 169-2018, Appendix G."""

import pytest

from services.model.dispersion.richardson import (
    continuous_richardson,
    decide,
    ideal_gas_density,
    instantaneous_richardson,
)

AIR = 1.1839826


def test_air_density_at_25_degrees() -> None:
    assert ideal_gas_density(0.028964, 298.15, 101325.0) == pytest.approx(AIR, rel=5e-4)


def test_methanol_pool_is_not_dense() -> None:
    gas = ideal_gas_density(0.0320419, 298.15, 101325.0)
    diameter = 2 * (200 / 3.141592653589793) ** 0.5
    value = continuous_richardson(0.0576533, gas, AIR, diameter, 1.5)
    assert value == pytest.approx(0.0947909, rel=2e-3)


def test_a_tonne_of_chlorine_is_dense() -> None:
    gas = ideal_gas_density(0.070906, 239.15, 101325.0)
    assert instantaneous_richardson(1000.0, gas, AIR, 1.5) == pytest.approx(58.30, rel=2e-3)


def decision(molar_mass: float, rate: float = 1.0, duration: float = 3600.0, temperature: float = 293.15):  # type: ignore[no-untyped-def]
    return decide(
        rate_kg_s=rate,
        duration_s=duration,
        molar_mass_g_mol=molar_mass,
        gas_temperature_k=temperature,
        air_temperature_k=293.15,
        pressure_pa=101325.0,
        wind_10m_m_s=3.0,
        diameter_m=1.0,
        nearest_receptor_m=1000.0,
    )


def test_the_decision() -> None:
    chlorine = decision(70.9)
    assert chlorine.dense
    assert chlorine.mode == "continuous"
    ammonia = decision(17.03, temperature=239.85)
    assert ammonia.value is None
    assert not ammonia.dense
    assert decision(70.9, duration=60.0).mode == "instantaneous"
    assert not decision(34.1, rate=1e-4).dense
