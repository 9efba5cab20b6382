"""The numbers that the whole of Appendix F shares."""

from services.model.dispersion.richardson import GAS_CONSTANT_J_MOL_K, GRAVITY_M_S2

ATMOSPHERE_PA = 101_325.0
ZERO_CELSIUS_K = 273.15

__all__ = ["ATMOSPHERE_PA", "GAS_CONSTANT_J_MOL_K", "GRAVITY_M_S2", "ZERO_CELSIUS_K"]
