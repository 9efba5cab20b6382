"""Two runs side by side: how zones grow and overlap, what receptors get, and which inputs differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from services.model.runs.request import RunInputs
from services.model.runs.result import RunResult
from shared.text import BilingualText


class ZoneSize(BaseModel):
    """A zone of one run."""

    level_mg_m3: float
    area_m2: float
    max_distance_m: float


class ZoneComparison(BaseModel):
    """One level in both runs. Ratios are `second` over `first`; null where a zone is missing or empty."""

    key: str
    label: BilingualText | None
    first: ZoneSize | None
    second: ZoneSize | None
    area_ratio: float | None
    distance_ratio: float | None
    overlap: float | None = Field(description="area in both over area in either (IoU), 0 to 1")


class ReceptorComparison(BaseModel):
    """The peak at one sensitive target in both runs [mg/m3]; null where the run does not have it."""

    id: str
    name: BilingualText
    first_peak_mg_m3: float | None
    second_peak_mg_m3: float | None
    ratio: float | None


class Difference(BaseModel):
    """An input that differs; `where` is its place in the request, as a JSON pointer."""

    where: str
    first: Any
    second: Any


class Comparison(BaseModel):
    """What `GET .../runs/{id}/compare?with=` answers."""

    zones: list[ZoneComparison]
    receptors: list[ReceptorComparison]
    inputs: list[Difference]
    same_engine: bool


def compare(first: tuple[RunInputs, RunResult], second: tuple[RunInputs, RunResult]) -> Comparison:
    """Compare two runs that have succeeded."""
    (inputs_1, result_1), (inputs_2, result_2) = first, second
    return Comparison(
        zones=_zones(result_1, result_2),
        receptors=_receptors(result_1, result_2),
        inputs=list(_differences("", _told(inputs_1), _told(inputs_2))),
        same_engine=(result_1.engine, result_1.version) == (result_2.engine, result_2.version),
    )


def _told(inputs: RunInputs) -> dict[str, Any]:
    return inputs.request.model_dump(mode="json", exclude={"wait_s"})


def _zones(first: RunResult, second: RunResult) -> list[ZoneComparison]:
    one, other = _by_level(first), _by_level(second)
    return [
        _zone(name, one.get(name), other.get(name)) for name in [*one, *(name for name in other if name not in one)]
    ]


def _by_level(result: RunResult) -> dict[str, dict[str, Any]]:
    """A custom level is known by its value; every other by its name, whatever it is for the substance."""
    found = {}
    for feature in result.zones["features"]:
        properties = feature["properties"]
        key = properties["key"]
        found[f"{key}:{properties['level_mg_m3']:g}" if key == "custom" else key] = feature
    return found


def _zone(name: str, first: dict[str, Any] | None, second: dict[str, Any] | None) -> ZoneComparison:
    sizes = [None if feature is None else _size(feature) for feature in (first, second)]
    area, distance = (
        _ratio(*(None if size is None else getattr(size, field) for size in sizes))
        for field in ("area_m2", "max_distance_m")
    )
    known = first or second
    assert known is not None, "a level comes from one of the runs"
    label = known["properties"].get("label")
    return ZoneComparison(
        key=name,
        label=None if label is None else BilingualText.model_validate(label),
        first=sizes[0],
        second=sizes[1],
        area_ratio=area,
        distance_ratio=distance,
        overlap=None if first is None or second is None else _overlap(first, second),
    )


def _size(feature: dict[str, Any]) -> ZoneSize:
    return ZoneSize.model_validate({name: feature["properties"][name] for name in ZoneSize.model_fields})


def _overlap(first: dict[str, Any], second: dict[str, Any]) -> float | None:
    """Degrees do: over a few kilometres they stretch both areas alike."""
    one, other = _shape(first), _shape(second)
    either = one.union(other).area
    return None if either == 0.0 else round(one.intersection(other).area / either, 4)


def _shape(feature: dict[str, Any]) -> BaseGeometry:
    geometry = shape(feature["geometry"])
    return geometry if geometry.is_valid else geometry.buffer(0)


def _receptors(first: RunResult, second: RunResult) -> list[ReceptorComparison]:
    one, other = ({entry.id: entry for entry in result.receptors} for result in (first, second))
    compared = []
    for name in [*one, *(name for name in other if name not in one)]:
        entry_1, entry_2 = one.get(name), other.get(name)
        known = entry_1 or entry_2
        assert known is not None, "a receptor comes from one of the runs"
        peaks = [None if entry is None else entry.peak_mg_m3 for entry in (entry_1, entry_2)]
        compared.append(
            ReceptorComparison(
                id=name, name=known.name, first_peak_mg_m3=peaks[0], second_peak_mg_m3=peaks[1], ratio=_ratio(*peaks)
            )
        )
    return compared


def _ratio(first: float | None, second: float | None) -> float | None:
    if first is None or second is None or first == 0.0:
        return None
    return float(f"{second / first:.4g}")


def _differences(where: str, first: Any, second: Any) -> Iterator[Difference]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in [*first, *(name for name in second if name not in first)]:
            yield from _differences(f"{where}/{name}", first.get(name), second.get(name))
    elif first != second:
        yield Difference(where=where, first=first, second=second)
