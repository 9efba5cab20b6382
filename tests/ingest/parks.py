"""Park files for tests."""

from typing import Any

SQUARE = [[118.98, 37.09], [119.02, 37.09], [119.02, 37.11], [118.98, 37.11], [118.98, 37.09]]


def station(code: str, mn: str | None, **changes: Any) -> dict[str, Any]:
    """One boundary station that measures chlorine in mg/m3 and ammonia in ppm at 25 degC."""
    device = None if mn is None else {"mn": mn, **changes.pop("device", {})}
    return {
        "id": code,
        "name": {"zh": f"站 {code}", "en": f"Station {code}"},
        "ring": "boundary",
        "location": {"longitude": 119.0, "latitude": 37.1},
        "device": device,
        "datastreams": [
            {"property": "chlorine", "cadences": ["realtime", "minute", "hour", "day"], "range_upper": 30},
            {"property": "ammonia", "unit": "ppm"},
        ],
        **changes,
    }


def weather(code: str) -> dict[str, Any]:
    """A weather station without HJ 212 device."""
    properties = ("wind-speed", "wind-direction", "temperature", "pressure")
    return station(code, None, ring="meteorology", datastreams=[{"property": name} for name in properties])


def park(*stations: dict[str, Any], park_id: str = "test-park", **changes: Any) -> dict[str, Any]:
    """A park file with these stations."""
    return {
        "fenceline": 1,
        "park": {
            "id": park_id,
            "name": {"zh": "测试园区", "en": "Test park"},
            "fictitious": True,
            "timezone": "Asia/Shanghai",
            "boundary": SQUARE,
        },
        "enterprises": [{"id": "works", "name": {"zh": "工厂", "en": "Works"}, "area": SQUARE}],
        "stations": list(stations),
        **changes,
    }
