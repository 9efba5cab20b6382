"""The levels whose zones a run draws: both endpoints always, and the caller's or the alarm's own below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.model.chemicals import Chemical
from shared.levels import Colour
from shared.text import BilingualText

LevelKey = Literal["endpoint-1", "endpoint-2", "custom"]


@dataclass(frozen=True, slots=True)
class ZoneLevel:
    """One level [mg/m3] with its name and colour."""

    key: LevelKey
    level_mg_m3: float
    label: BilingualText
    colour: Colour


def zone_levels(chemical: Chemical, custom_mg_m3: Sequence[float]) -> list[ZoneLevel]:
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
    ]
    own = sorted({level for level in custom_mg_m3 if level not in (first, second)}, reverse=True)
    for level in own:
        colour = Colour.YELLOW if level == own[0] and level < second else Colour.BLUE
        label = BilingualText(zh=f"{level:g} mg/m³", en=f"{level:g} mg/m³")
        levels.append(ZoneLevel("custom", level, label, colour))
    return sorted(levels, key=lambda entry: -entry.level_mg_m3)


def alarm_levels(chemical: Chemical, threshold_mg_m3: float | None) -> list[float]:
    """Return the lower levels of a run that an alarm triggers, so that a footprint is drawn for a small leak too:
    a tenth of endpoint-2, and the threshold that was passed."""
    tenth = float(f"{chemical.endpoint2_mg_m3 / 10.0:.2g}")
    lower = {tenth}
    if threshold_mg_m3 is not None and threshold_mg_m3 > 0.0:
        lower.add(threshold_mg_m3)
    return sorted(lower, reverse=True)
