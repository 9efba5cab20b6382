"""Numbers and names as people read them, in one or both languages."""

from __future__ import annotations

from collections.abc import Sequence

from shared.text import BilingualText

_COMPASS_ZH = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
_COMPASS_EN = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits, never in powers of ten; a dash for none."""
    if value is None:
        return "–"
    if value == 0.0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    return f"{rounded:.10f}".rstrip("0").rstrip(".") if abs(rounded) >= 1e-6 else "≈ 0"


def distance(metres: float | None) -> str:
    """Return a distance in m, from 1 km in km; a dash for none."""
    if metres is None:
        return "–"
    return f"{number(metres, 2)} m" if metres < 1000.0 else f"{metres / 1000.0:.1f} km"


def area(square_metres: float) -> str:
    """Return an area in m2, from a hectare in ha, from a square kilometre in km2."""
    if square_metres < 1e4:
        return f"{number(square_metres, 2)} m²"
    if square_metres < 1e6:
        return f"{number(square_metres / 1e4, 2)} ha"
    return f"{number(square_metres / 1e6, 2)} km²"


def duration(seconds: float | None) -> str:
    """Return a duration as 45 s, 12 min or 3 h 20 min; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if minutes < 120 else f"{hours} h {rest} min" if rest else f"{hours} h"


def percent(share: float | None) -> str:
    """Return a share as a percentage, with small ones told as such; a dash for none."""
    if share is None:
        return "–"
    if 0.0 < share < 0.001:
        return "< 0.1 %"
    return f"{100.0 * share:.1f} %" if share < 0.1 and share > 0.0 else f"{100.0 * share:.0f} %"


def compass(degrees: float) -> BilingualText:
    """Return the direction on an eight-pointed compass."""
    index = round(degrees / 45.0) % 8
    return BilingualText(zh=_COMPASS_ZH[index], en=_COMPASS_EN[index])


def both(text: BilingualText | None, chinese: bool, between: str = " · ") -> str:
    """Return a text in both languages, or in English only; once where both are the same."""
    if text is None:
        return ""
    parts = [text.zh, text.en] if chinese else [text.en]
    return between.join(dict.fromkeys(parts))


def level_name(key: str) -> BilingualText:
    """Return what people call a level: "endpoint-2", "aegl-1", "custom"; without its number."""
    known = {
        "endpoint-1": BilingualText(zh="终点浓度-1", en="Endpoint 1"),
        "endpoint-2": BilingualText(zh="终点浓度-2", en="Endpoint 2"),
        "custom": BilingualText(zh="自定浓度", en="Own level"),
    }
    return known.get(key, BilingualText(zh=key.upper(), en=key.upper()))


def cut(text: str, length: int) -> str:
    """Return a text of at most so many signs."""
    return text if len(text) <= length else text[: length - 1] + "…"


def nice_length(longest: float, steps: Sequence[int] = (1, 2, 5)) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** int(f"{longest:e}".split("e")[1])
    return max(step * power for step in steps if step * power <= longest)
