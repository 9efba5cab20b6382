"""Which installed font can write Chinese."""

from __future__ import annotations

from functools import cache

from matplotlib import font_manager

# In order of preference; the Japanese and Korean faces of Noto carry the same Chinese characters.
_CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "Noto Sans CJK JP",
    "Noto Sans CJK TC",
    "Noto Sans CJK KR",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
_LATIN = "DejaVu Sans"


@cache
def families() -> tuple[str, ...]:
    """Return the font families to write with; one that knows Chinese comes first where there is one."""
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    found = next((name for name in _CHINESE if name in installed), None)
    return (_LATIN,) if found is None else (found, _LATIN)


def writes_chinese() -> bool:
    """Whether a font for Chinese is installed; without one a map says everything in English only."""
    return len(families()) > 1
