"""A park of any size to load the services with: stations of ten gases each, one HJ 212 device a station."""

from __future__ import annotations

from typing import Any

PARK = "bench-park"
GASES = (
    "ammonia",
    "carbon-monoxide",
    "chlorine",
    "hydrogen-chloride",
    "sulfur-dioxide",
    "hydrogen-sulfide",
    "nitrogen-dioxide",
    "vinyl-chloride",
    "benzene",
    "methyl-bromide",
)
_LONGITUDE, _LATITUDE = 118.98, 37.09
_SQUARE = [[118.97, 37.08], [119.03, 37.08], [119.03, 37.12], [118.97, 37.12], [118.97, 37.08]]


def large_park(
    stations: int, *, park_id: str = PARK, first: int = 0, rules: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A park file with this many stations, a quarter of them on the boundary; mg/m3 throughout, real-time only.

    Their numbers begin at ``first``.
    """
    return {
        "fenceline": 1,
        "park": {
            "id": park_id,
            "name": {"zh": "测速园区", "en": "Park for measuring speed"},
            "fictitious": True,
            "boundary": _SQUARE,
        },
        "stations": [_station(number) for number in range(first, first + stations)],
        "rules": rules or [],
    }


def code(number: int) -> str:
    """The code of a station."""
    return f"s{number:05d}"


def mn(number: int) -> str:
    """The HJ 212 number of a station's device."""
    return f"BENCH{number:019d}"


def _station(number: int) -> dict[str, Any]:
    return {
        "id": code(number),
        "name": {"zh": f"{number} 号站", "en": f"Station {number}"},
        "ring": "source" if number % 4 else "boundary",
        "location": {
            "longitude": _LONGITUDE + (number % 100) * 4e-4,
            "latitude": _LATITUDE + (number // 100 % 100) * 2e-4,
        },
        "device": {"mn": mn(number), "acknowledge": "standard"},
        "datastreams": [{"property": gas, "unit": "mg/m3", "cadences": ["realtime"]} for gas in GASES],
    }
