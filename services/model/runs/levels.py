"""The levels whose zones a run draws: both endpoints always, guideline levels by name, and any other number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.model.chemicals import Chemical
from services.model.chemicals.sourced import Guideline
from shared.levels import Colour
from shared.text import BilingualText


@dataclass(frozen=True, slots=True)
class ZoneLevel:
    """One level [mg/m3] with its key, label and colour. `key` is `custom` for a number of the caller's own."""

    key: str
    level_mg_m3: float
    label: BilingualText
    colour: Colour

    @property
    def name(self) -> str:
        """The key, made unique: a custom level carries its number."""
        return f"custom:{self.level_mg_m3:g}" if self.key == "custom" else self.key


def zone_levels(chemical: Chemical, custom_mg_m3: Sequence[float], named: Sequence[ZoneLevel] = ()) -> list[ZoneLevel]:
    """Return the levels, highest first. A custom level equal to an endpoint is that endpoint."""
    first, second = chemical.endpoint1_mg_m3, chemical.endpoint2_mg_m3
    levels = [
        ZoneLevel(
            "endpoint-1",
            first,
            BilingualText(zh=f"大气毒性终点浓度-1（{first:g} mg/m³）", en=f"Toxic endpoint 1 ({first:g} mg/m³)"),
            Colour.RED,
        ),
        ZoneLevel(
            "endpoint-2",
            second,
            BilingualText(zh=f"大气毒性终点浓度-2（{second:g} mg/m³）", en=f"Toxic endpoint 2 ({second:g} mg/m³)"),
            Colour.ORANGE,
        ),
        *(level for level in named if level.key not in ("endpoint-1", "endpoint-2")),
    ]
    own = sorted({level for level in custom_mg_m3 if level not in (first, second)}, reverse=True)
    for level in own:
        colour = Colour.YELLOW if level == own[0] and level < second else Colour.BLUE
        label = BilingualText(zh=f"{level:g} mg/m³", en=f"{level:g} mg/m³")
        levels.append(ZoneLevel("custom", level, label, colour))
    return sorted(levels, key=lambda entry: -entry.level_mg_m3)


def named_levels(chemical: Chemical, names: Sequence[str], exposure_min: float) -> tuple[list[ZoneLevel], list[str]]:
    """Return guideline levels by name ("aegl-2", "erpg-1", "pac-3", "idlh"), and the names that have no value.

    AEGL hold for a duration: the shortest of the table that is not shorter than the exposure is taken.
    """
    found: list[ZoneLevel] = []
    missing: list[str] = []
    for name in dict.fromkeys(names):
        if name in ("endpoint-1", "endpoint-2"):
            continue
        guideline = _guideline(chemical, name, exposure_min)
        if guideline is None or guideline.mg_m3 is None:
            missing.append(name)
            continue
        level = float(f"{guideline.mg_m3:.3g}")
        what = f"{name.upper()} · {guideline.duration_min} min"
        label = BilingualText(zh=f"{what}（{level:g} mg/m³）", en=f"{what} ({level:g} mg/m³)")
        found.append(ZoneLevel(name, level, label, _COLOURS[name[-1]]))
    return found, missing


# The last sign of a level's name: "aegl-3" threatens life, as does the IDLH.
_COLOURS = {"3": Colour.RED, "2": Colour.ORANGE, "1": Colour.YELLOW, "h": Colour.RED}


def _guideline(chemical: Chemical, name: str, exposure_min: float) -> Guideline | None:
    if name == "idlh":
        return chemical.idlh
    family, level = name.split("-")
    if family == "aegl":
        return chemical.guidelines.aegl_for(int(level), exposure_min)
    return (chemical.erpg if family == "erpg" else chemical.pac)[int(level) - 1]


def alarm_levels(chemical: Chemical, threshold_mg_m3: float | None) -> list[float]:
    """Return the lower levels of a run that an alarm triggers, so that a footprint is drawn for a small leak too:
    a tenth of endpoint-2, and the threshold that was passed."""
    tenth = float(f"{chemical.endpoint2_mg_m3 / 10.0:.2g}")
    lower = {tenth}
    if threshold_mg_m3 is not None and threshold_mg_m3 > 0.0:
        lower.add(threshold_mg_m3)
    return sorted(lower, reverse=True)
