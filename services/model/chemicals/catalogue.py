"""The catalogue of substances: toxic endpoints of HJ 169-2018, Appendix H, each with where it was read.

`catalogue.csv` is the data. Endpoints in mg/m3, molar mass in g/mol, boiling point in deg C at 101.325 kPa; an empty
field is a value that is not known, and stays None: nothing is guessed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.text import BilingualText


class UnknownChemical(LookupError):
    """No substance with this CAS number is in the catalogue."""


@dataclass(frozen=True, slots=True)
class Chemical:
    """One substance. Endpoint-1 threatens life, endpoint-2 does lasting harm (one hour).

    `read_in_standard` is False where the endpoints were derived by the standard's rule and not read in its table.
    """

    cas: str
    name: BilingualText
    molar_mass_g_mol: float | None
    endpoint1_mg_m3: float
    endpoint2_mg_m3: float
    boiling_point_c: float | None
    source: str
    read_in_standard: bool


@cache
def all_chemicals() -> tuple[Chemical, ...]:
    """Every substance, in the order of CAS numbers."""
    with (Path(__file__).parent / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_from_row(row) for row in csv.DictReader(file))


def chemical(cas: str) -> Chemical:
    """Return the substance with a CAS number; raises `UnknownChemical`, naming the number."""
    found = _by_cas().get(cas)
    if found is None:
        raise UnknownChemical(f"There is no substance with the CAS number {cas!r} in the catalogue.")
    return found


@cache
def _by_cas() -> dict[str, Chemical]:
    return {entry.cas: entry for entry in all_chemicals()}


def _from_row(row: dict[str, str]) -> Chemical:
    return Chemical(
        cas=row["cas"],
        name=BilingualText(zh=row["name_zh"], en=row["name_en"]),
        molar_mass_g_mol=_number(row["molar_mass_g_mol"]),
        endpoint1_mg_m3=float(row["endpoint1_mg_m3"]),
        endpoint2_mg_m3=float(row["endpoint2_mg_m3"]),
        boiling_point_c=_number(row["boiling_point_c"]),
        source=row["source"],
        read_in_standard=row["read_in_standard"] == "yes",
    )


def _number(text: str) -> float | None:
    return float(text) if text else None
