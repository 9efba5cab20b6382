"""When two requests are the same: one key for what a run is computed from, so that it is computed once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from services.model.runs.request import AtRiskSource, AtSuspicion, GivenMeteorology, RunRequest
from services.model.store.registry import ReceptorRow, RiskSourceRow

_MODEL = Path(__file__).parents[1]
_WITHOUT_EFFECT = ("api", "migrations", "report", "store", "validation")
_LIBRARIES = ("contourpy", "degadisx", "numpy", "pyproj", "scipy", "shapely", "slabx")


def content_key(
    park_id: str, request: RunRequest, sources: Sequence[RiskSourceRow], receptors: Sequence[ReceptorRow]
) -> str | None:
    """Return the key of a request: its normalised inputs, the data of the park and the version of the model.

    None where the inputs are only known when the run begins: readings, the stations' weather, the sun of the moment.
    """
    if request.estimates_rate or isinstance(request.source, AtSuspicion) or not _knows_weather(request):
        return None
    place = request.source.risk_source_id if isinstance(request.source, AtRiskSource) else None
    parts = {
        "park": park_id,
        "request": _normalised(request),
        "source": [asdict(row) for row in sources if row.id == place],
        "receptors": [asdict(row) for row in receptors],
        "model": model_version(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@lru_cache
def model_version() -> str:
    """Return a digest of the model's own code and tables, and of the libraries that compute."""
    digest = hashlib.sha256()
    for path in sorted(_MODEL.rglob("*")):
        name = path.relative_to(_MODEL)
        if path.suffix in (".py", ".csv") and name.parts[0] not in _WITHOUT_EFFECT:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}".encode())
        except PackageNotFoundError:
            digest.update(f"{library} -".encode())
    return digest.hexdigest()


def _knows_weather(request: RunRequest) -> bool:
    """Whether the weather follows from the request alone. Without a stability the sun's height decides."""
    if isinstance(request.meteorology, GivenMeteorology):
        return request.at is not None or request.meteorology.stability is not None
    return request.meteorology is not None


def _normalised(request: RunRequest) -> dict[str, Any]:
    content: dict[str, Any] = request.model_dump(mode="json", exclude={"wait_s"})
    content["levels"] = sorted(set(content["levels"]))
    weather = content["meteorology"]
    if isinstance(weather, dict) and isinstance(weather["stability"], str):
        weather["stability"] = float("ABCDEF".index(weather["stability"]) + 1)
    if isinstance(weather, dict):
        weather["wind_from_deg"] %= 360.0
    return content
