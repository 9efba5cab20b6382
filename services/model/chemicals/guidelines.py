"""AEGL, ERPG, PAC, IDLH and limits of flammability of one substance, from `guidelines.csv`.

A row is one value with its unit, source and whether it is verified; the value NR is "not recommended".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.model.chemicals.conversion import ppm_to_mg_m3
from services.model.chemicals.sourced import Guideline

Triple = tuple[Guideline | None, Guideline | None, Guideline | None]

AEGL_DURATIONS_MIN = (10, 30, 60, 240, 480)
LEVELS = ("1", "2", "3")
_NOT_RECOMMENDED = "NR"


@dataclass(frozen=True, slots=True)
class Guidelines:
    """What is known of one substance; None where its tables have no entry.

    `aegl` maps each of 10, 30, 60, 240 and 480 minutes to levels 1, 2 and 3; ERPG and PAC are for 60 minutes, IDLH 30.
    """

    aegl: Mapping[int, Triple]
    erpg: Triple
    pac: Triple
    idlh: Guideline | None
    lel: Guideline | None
    uel: Guideline | None

    def all(self) -> list[Guideline]:
        """Every entry, those that are not recommended among them."""
        triples = [*self.aegl.values(), self.erpg, self.pac, (self.idlh, self.lel, self.uel)]
        return [entry for triple in triples for entry in triple if entry is not None]

    def aegl_for(self, level: int, exposure_min: float) -> Guideline | None:
        """Return the AEGL of a level (1 to 3) for an exposure [min], None where no duration has a value.

        It is the entry of the shortest tabulated duration that is not shorter than the exposure: the careful side. For
        a longer exposure than any in the table it is the longest; `duration_min` tells.
        """
        triples = (self.aegl[minutes] for minutes in AEGL_DURATIONS_MIN)
        found = [entry for triple in triples if (entry := triple[level - 1]) is not None and entry.value is not None]
        for entry in found:
            if entry.duration_min is not None and entry.duration_min >= exposure_min:
                return entry
        return found[-1] if found else None


def guidelines_from_rows(rows: Iterable[Mapping[str, str]], molar_mass_g_mol: float | None) -> Guidelines:
    """Read the rows of one substance; `molar_mass_g_mol` converts ppm to mg/m3."""
    entries = {(row["guideline"], row["level"], row["duration_min"]): _from_row(row, molar_mass_g_mol) for row in rows}

    def triple(kind: str, minutes: int) -> Triple:
        first, second, third = (entries.get((kind, level, str(minutes))) for level in LEVELS)
        return first, second, third

    return Guidelines(
        aegl={minutes: triple("aegl", minutes) for minutes in AEGL_DURATIONS_MIN},
        erpg=triple("erpg", 60),
        pac=triple("pac", 60),
        idlh=entries.get(("idlh", "", "30")),
        lel=entries.get(("lel", "", "")),
        uel=entries.get(("uel", "", "")),
    )


def _from_row(row: Mapping[str, str], molar_mass_g_mol: float | None) -> Guideline:
    value = None if row["value"] == _NOT_RECOMMENDED else float(row["value"])
    ppm = value if row["unit"] == "ppm" else None
    mass = value if row["unit"] == "mg/m3" else None
    if ppm is not None and molar_mass_g_mol is not None:
        mass = ppm_to_mg_m3(ppm, molar_mass_g_mol)
    return Guideline(
        key="-".join(filter(None, (row["guideline"], row["level"]))),
        duration_min=int(row["duration_min"]) if row["duration_min"] else None,
        value=value,
        unit=row["unit"],
        ppm=ppm,
        mg_m3=mass,
        lel_share=float(row["lel_share"]) if row["lel_share"] else None,
        source=row["source"],
        verified=row["verified"] == "yes",
    )
