"""Units of readings: from the one that an instrument sends to the one that is stored."""

MOLAR_VOLUME_L_MOL = 22.4
"""Litres a mole at 0 degC and 101.325 kPa, rounded as in HJ 212-2017 equation 20."""
ZERO_CELSIUS_K = 273.15
STANDARD_PRESSURE_KPA = 101.325
_TEMPERATURES_C = (-60.0, 80.0)
_PRESSURES_KPA = (45.0, 115.0)
"""What air on Earth can have where people work; beyond it the instrument is wrong, whatever it says of itself."""

_MASS = {"mg/m3": 1.0, "ug/m3": 1e-3, "ng/m3": 1e-6}
"""Milligrams a cubic metre in one unit."""
_RATIO = {"ppm": 1.0, "ppb": 1e-3, "%": 1e4}
"""Parts by volume a million in one unit."""
_PRESSURE = {"kPa": 1.0, "hPa": 0.1}
"""Kilopascals in one unit."""
UNITS = tuple(unit for table in (_MASS, _RATIO, _PRESSURE) for unit in table)
"""Every unit that can be converted."""


class UnitError(ValueError):
    """A unit that cannot become the stored one; the message says why."""


def molar_volume(standard_state_c: float) -> float:
    """Litres a mole of an ideal gas at ``standard_state_c`` degC and 101.325 kPa."""
    return MOLAR_VOLUME_L_MOL * (ZERO_CELSIUS_K + standard_state_c) / ZERO_CELSIUS_K


def state_factor(temperature_c: float, pressure_kpa: float, standard_state_c: float) -> float | None:
    """The number that takes a mass concentration at the standard state to the one at this temperature and pressure.

    It is that of an ideal gas, ``(T0 / T) (p / p0)``. None where temperature or pressure are not those of any air.
    """
    if not _TEMPERATURES_C[0] <= temperature_c <= _TEMPERATURES_C[1]:
        return None
    if not _PRESSURES_KPA[0] <= pressure_kpa <= _PRESSURES_KPA[1]:
        return None
    expansion = (ZERO_CELSIUS_K + standard_state_c) / (ZERO_CELSIUS_K + temperature_c)
    return expansion * pressure_kpa / STANDARD_PRESSURE_KPA


def depends_on_state(unit: str, stored_unit: str) -> bool:
    """Whether temperature and pressure matter to the conversion: from parts by volume to mass a volume they do."""
    return unit in _RATIO and stored_unit in _MASS


def scale(unit: str, stored_unit: str, molar_mass_g_mol: float | None, standard_state_c: float) -> float:
    """The number to multiply a value in ``unit`` with to have it in ``stored_unit``. Raises UnitError.

    A volume ratio becomes a mass concentration by ``M / V`` (HJ 212-2017 equation 20), V at the standard state.
    """
    if unit == stored_unit:
        return 1.0
    for table in (_MASS, _RATIO, _PRESSURE):
        if unit in table and stored_unit in table:
            return table[unit] / table[stored_unit]
    if unit in _RATIO and stored_unit in _MASS:
        if molar_mass_g_mol is None:
            raise UnitError(f"{unit} cannot become {stored_unit}: the property is a mixture without a molar mass")
        return _RATIO[unit] * molar_mass_g_mol / molar_volume(standard_state_c) / _MASS[stored_unit]
    raise UnitError(f"{unit} cannot become {stored_unit}")
