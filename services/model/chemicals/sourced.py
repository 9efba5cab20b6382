"""Values that carry where they were read, and whether they were read there or written from memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sourced:
    """One value. `verified` is False where it was written from memory and has to be checked before it is relied on."""

    value: float
    unit: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Guideline:
    """One concentration that guards people: an AEGL, ERPG or PAC level, the IDLH, or a limit of flammability.

    Attributes
    ----------
    key : "aegl-1" to "aegl-3", "erpg-1" ..., "pac-1" ..., "idlh", "lel", "uel".
    duration_min : the exposure that it is meant for; None for a limit of flammability.
    value : in `unit`, "ppm" or "mg/m3" as its table has it; None means "not recommended" (NR): the table looked, and
        gives no value. It is not zero.
    ppm, mg_m3 : the value at 25 deg C and 101.325 kPa; None for "not recommended", `mg_m3` also for a mixture without
        a molar mass, `ppm` also where the table gives mg/m3 (then it is an aerosol as often as a vapour).
    lel_share : 0.1, 0.5 or 1 where the value is at least this share of the lower limit of flammability.
    """

    key: str
    duration_min: int | None
    value: float | None
    unit: str
    ppm: float | None
    mg_m3: float | None
    lel_share: float | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Probit:
    """Constants of Y = a + b ln(C^n t) (HJ 169-2018, Appendix I), with C in `concentration_unit`, t in `time_unit`.

    Constants for ppm and for mg/m3 differ: the units belong to the set.
    """

    a: float
    b: float
    n: float
    concentration_unit: str
    time_unit: str
    source: str
    verified: bool
