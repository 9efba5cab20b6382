"""The catalogue of substances: toxic endpoints of HJ 169-2018, Appendix H, joined with all else that is known of them.

The data are the CSV files beside this one; each value there has the source that it was read in. `catalogue.csv` holds
the endpoints in mg/m3 and molar masses in g/mol; `guidelines.csv` AEGL, ERPG, PAC, IDLH and limits of flammability;
`properties.csv` what source terms need; `probit.csv` the constants of HJ 169-2018, Appendix I. The HJ 212 factors come
from the observed properties. An empty field is a value that is not known, and stays None: nothing is guessed.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.model.chemicals.guidelines import Guidelines, Triple, guidelines_from_rows
from services.model.chemicals.properties import Properties, properties_from_rows
from services.model.chemicals.sourced import Guideline, Probit
from shared.text import BilingualText
from shared.vocabulary import ObservedProperty, property_of_cas

_Rows = dict[str, list[dict[str, str]]]


class UnknownChemical(LookupError):
    """No substance with this CAS number is in the catalogue."""


@dataclass(frozen=True, slots=True)
class Chemical:
    """One substance. Endpoint-1 threatens life, endpoint-2 does lasting harm (one hour).

    `read_in_standard` is False where the endpoints were derived by the standard's rule and not read in its table;
    `source` is theirs and the molar mass's. `observed` is what an instrument reports it as, with its HJ 212 factors;
    None where HJ 212 has no factor that we know. `probits` are all sets of constants, each with its units.
    """

    cas: str
    name: BilingualText
    also_named: tuple[str, ...]
    molar_mass_g_mol: float | None
    endpoint1_mg_m3: float
    endpoint2_mg_m3: float
    source: str
    read_in_standard: bool
    observed: ObservedProperty | None
    guidelines: Guidelines
    properties: Properties
    probits: tuple[Probit, ...]

    @property
    def boiling_point_c(self) -> float | None:
        """The boiling point [deg C] at 101.325 kPa, None where it is not known."""
        point = self.properties.boiling_point
        return None if point is None else point.value

    @property
    def factors(self) -> tuple[str, ...]:
        """Its HJ 212 factor codes: of 2017, then of 2005."""
        if self.observed is None:
            return ()
        return tuple(filter(None, (self.observed.factor_2017, self.observed.factor_2005)))

    @property
    def aegl(self) -> dict[int, Triple]:
        """AEGL levels 1, 2 and 3 by duration [min]; see `Guidelines`."""
        return dict(self.guidelines.aegl)

    @property
    def erpg(self) -> Triple:
        """ERPG levels 1, 2 and 3 (60 min)."""
        return self.guidelines.erpg

    @property
    def pac(self) -> Triple:
        """PAC levels 1, 2 and 3 (60 min)."""
        return self.guidelines.pac

    @property
    def idlh(self) -> Guideline | None:
        """Immediately dangerous to life or health (30 min)."""
        return self.guidelines.idlh

    @property
    def probit(self) -> Probit | None:
        """The probit constants of HJ 169-2018, Appendix I, for mg/m3 and minutes; None where there are none."""
        return next((entry for entry in self.probits if entry.concentration_unit == "mg/m3"), None)


@cache
def all_chemicals() -> tuple[Chemical, ...]:
    """Every substance, in the order of CAS numbers."""
    limits, facts, probits = (_rows_by_cas(name) for name in ("guidelines.csv", "properties.csv", "probit.csv"))
    return tuple(_from_row(row, limits, facts, probits) for row in _rows("catalogue.csv"))


def chemical(cas: str) -> Chemical:
    """Return the substance with a CAS number; raises `UnknownChemical`, naming the number."""
    found = _by_cas().get(cas)
    if found is None:
        raise UnknownChemical(f"There is no substance with the CAS number {cas!r} in the catalogue.")
    return found


@cache
def _by_cas() -> dict[str, Chemical]:
    return {entry.cas: entry for entry in all_chemicals()}


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _rows_by_cas(name: str) -> _Rows:
    found: _Rows = defaultdict(list)
    for row in _rows(name):
        found[row["cas"]].append(row)
    return found


def _from_row(row: dict[str, str], limits: _Rows, facts: _Rows, probits: _Rows) -> Chemical:
    cas = row["cas"]
    molar_mass = float(row["molar_mass_g_mol"]) if row["molar_mass_g_mol"] else None
    return Chemical(
        cas=cas,
        name=BilingualText(zh=row["name_zh"], en=row["name_en"]),
        also_named=tuple(filter(None, row["also_named"].split(";"))),
        molar_mass_g_mol=molar_mass,
        endpoint1_mg_m3=float(row["endpoint1_mg_m3"]),
        endpoint2_mg_m3=float(row["endpoint2_mg_m3"]),
        source=row["source"],
        read_in_standard=row["read_in_standard"] == "yes",
        observed=property_of_cas(cas),
        guidelines=guidelines_from_rows(limits.get(cas, []), molar_mass),
        properties=properties_from_rows(facts.get(cas, [])),
        probits=tuple(_probit(entry) for entry in probits.get(cas, [])),
    )


def _probit(row: dict[str, str]) -> Probit:
    return Probit(
        a=float(row["a"]),
        b=float(row["b"]),
        n=float(row["n"]),
        concentration_unit=row["concentration_unit"],
        time_unit=row["time_unit"],
        source=row["source"],
        verified=row["verified"] == "yes",
    )
