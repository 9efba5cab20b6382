"""Volume share to mass concentration of a gas, and back.

The tables of toxic endpoints convert with a molar volume of 24.45 L/mol at 25 deg C and 101.325 kPa; so does this,
and scales it as an ideal gas: V = 24.45 (T / 298.15) (101.325 / p).
"""

from __future__ import annotations

MOLAR_VOLUME_25C_L_MOL = 24.45
_TEMPERATURE_25C_K = 298.15
_ATMOSPHERE_KPA = 101.325


def mg_m3_per_ppm(molar_mass_g_mol: float, temperature_c: float = 25.0, pressure_kpa: float = _ATMOSPHERE_KPA) -> float:
    """Return the mass concentration [mg/m3] of 1 ppm by volume.

    Parameters
    ----------
    molar_mass_g_mol : [g/mol], above 0.
    temperature_c : [deg C], -100 to 500.
    pressure_kpa : absolute [kPa], 10 to 200.

    Raises ValueError, naming the quantity and what is allowed.
    """
    if not molar_mass_g_mol > 0.0:
        raise ValueError(f"the molar mass has to be above 0 g/mol, not {molar_mass_g_mol}")
    if not -100.0 <= temperature_c <= 500.0:
        raise ValueError(f"the temperature has to lie in -100..500 deg C, not {temperature_c}")
    if not 10.0 <= pressure_kpa <= 200.0:
        raise ValueError(f"the pressure has to lie in 10..200 kPa, not {pressure_kpa}")
    kelvin_share = (temperature_c + 273.15) / _TEMPERATURE_25C_K
    return molar_mass_g_mol * pressure_kpa / (MOLAR_VOLUME_25C_L_MOL * kelvin_share * _ATMOSPHERE_KPA)


def ppm_to_mg_m3(
    ppm: float, molar_mass_g_mol: float, temperature_c: float = 25.0, pressure_kpa: float = _ATMOSPHERE_KPA
) -> float:
    """Return a volume share [ppm] as mass concentration [mg/m3]; units and errors as `mg_m3_per_ppm`."""
    return ppm * mg_m3_per_ppm(molar_mass_g_mol, temperature_c, pressure_kpa)


def mg_m3_to_ppm(
    mg_m3: float, molar_mass_g_mol: float, temperature_c: float = 25.0, pressure_kpa: float = _ATMOSPHERE_KPA
) -> float:
    """Return a mass concentration [mg/m3] as volume share [ppm]; units and errors as `mg_m3_per_ppm`."""
    return mg_m3 / mg_m3_per_ppm(molar_mass_g_mol, temperature_c, pressure_kpa)
