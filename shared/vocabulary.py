"""The observed properties that Fenceline knows, gases, particles, weather and plants, with their HJ 212 factor codes.

The table is `observed_properties.csv`; each row names its source. Names of CF are those of the CF Standard Name Table,
as the NERC Vocabulary Server publishes it (collection P07).
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from shared.text import BilingualText

Kind = Literal["gas", "particle", "weather", "process"]
_CF_STANDARD_NAMES = "http://vocab.nerc.ac.uk/standard_name/"
_CAS_NUMBERS = "https://identifiers.org/cas:"


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """What a datastream measures.

    `unit` is the one that its values are stored in. `molar_mass_g_mol` is None for mixtures and what is no substance.
    """

    id: str
    kind: Kind
    unit: str
    name: BilingualText
    cas: str | None
    molar_mass_g_mol: float | None
    factor_2017: str | None
    factor_2005: str | None
    cf_name: str | None

    @property
    def is_in_the_air(self) -> bool:
        """Whether it is a gas or a particle: what alarms rest on."""
        return self.kind in ("gas", "particle")

    @property
    def definition(self) -> str | None:
        """A URI where others have published what this is: the quantity by its CF standard name, else the substance by
        its CAS number (Identifiers.org). None where neither is.
        """
        if self.cf_name is not None:
            return f"{_CF_STANDARD_NAMES}{self.cf_name}/"
        return None if self.cas is None else f"{_CAS_NUMBERS}{self.cas}"


@cache
def observed_properties() -> dict[str, ObservedProperty]:
    """Every observed property by its id."""
    with (Path(__file__).parent / "observed_properties.csv").open(encoding="utf-8", newline="") as file:
        return {row["property_id"]: _from_row(row) for row in csv.DictReader(file)}


def _from_row(row: dict[str, str]) -> ObservedProperty:
    return ObservedProperty(
        id=row["property_id"],
        kind=cast(Kind, row["kind"]),
        unit=row["unit"],
        name=BilingualText(zh=row["name_zh"], en=row["name_en"]),
        cas=row["cas"] or None,
        molar_mass_g_mol=float(row["molar_mass_g_mol"]) if row["molar_mass_g_mol"] else None,
        factor_2017=row["factor_2017"] or None,
        factor_2005=row["factor_2005"] or None,
        cf_name=row["cf_name"] or None,
    )


@cache
def property_of_cas(cas: str) -> ObservedProperty | None:
    """The observed property of a substance, None where no instrument of ours reports it."""
    return next((entry for entry in observed_properties().values() if entry.cas == cas), None)
