"""A scenario: one run told in one file, computed here and now, without database, queue or park.

The file is the body of `POST /parks/{park_id}/runs` in YAML, with the weather given, and three entries of its own:
`title` (zh, en), `park` (a park file beside it, whose risk sources and receptors are then known) and `receptors` (the
park file's entries, for a scenario without a park).
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.model.chemicals import UnknownChemical
from services.model.ingest_client import IngestClient
from services.model.runs.compute import compute
from services.model.runs.failure import RunFailure
from services.model.runs.gather import Limits, Registry, gather
from services.model.runs.progress import Progress
from services.model.runs.request import AtRiskSource, AtSuspicion, RunInputs, RunRequest
from services.model.runs.result import RunResult
from services.model.store.registry import ReceptorRow, receptors_of, sources_of
from shared.park_file import ParkFileError, Receptor, read_park_file
from shared.text import BilingualText
from shared.time import utc_now

_T = TypeVar("_T")
_FAULTS_TOLD = 3


class ScenarioError(ValueError):
    """A scenario that cannot be computed, and why, in one line of each language."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to compute: the request, and the registry that it may name risk sources and receptors of."""

    title: BilingualText | None
    park_id: str
    request: RunRequest
    registry: Registry


class _Around(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: BilingualText | None = None
    park: str | None = Field(default=None, min_length=1)
    receptors: list[Receptor] = Field(default=[], max_length=1000)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises ScenarioError, naming the file and the entry, for one that cannot be used."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ScenarioError(f"{path} cannot be read: {why}", f"无法读取 {path}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise ScenarioError(f"{path} is not YAML{where}", f"{path} 不是有效的 YAML{where}") from error
    try:
        return scenario_of(document, path.parent)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error.en}", f"{path}：{error.zh}") from error


def scenario_of(document: object, folder: Path = Path()) -> Scenario:
    """Build a scenario from a parsed document; `folder` is where the name of a park file starts from.

    Raises ScenarioError, naming the entry at fault.
    """
    if not isinstance(document, dict):
        raise ScenarioError("a scenario is a mapping of names to values", "情景文件应为键值映射")
    own = {name: value for name, value in document.items() if name in _Around.model_fields}
    asked = {name: value for name, value in document.items() if name not in own}
    try:
        around = _Around.model_validate(own)
        request = RunRequest.model_validate(asked)
    except ValidationError as error:
        raise _invalid(error) from error
    _require_complete(request, around)
    park_id, registry = _registry(around, folder)
    _require_source(request, registry)
    return Scenario(around.title, park_id, request, registry)


def run_scenario(scenario: Scenario, progress: Progress | None = None, now: datetime | None = None) -> RunResult:
    """Compute a scenario. `now` stands for the moment where the request has no `at` (the sun depends on it).

    Raises ScenarioError for what the engines refuse.
    """
    try:
        plan = _at_once(
            gather(
                scenario.park_id,
                RunInputs(request=scenario.request),
                scenario.registry,
                IngestClient(httpx.AsyncClient(transport=_NoService())),
                now or utc_now(),
                Limits(stale_s=0.0, refuse_s=0.0),
            )
        )
        begun = time.perf_counter()
        result = compute(plan, progress)
        result.times.compute_ms = round(1000.0 * (time.perf_counter() - begun), 1)
        return result
    except RunFailure as failure:
        raise ScenarioError(failure.document["detail"], failure.document["detail_zh"]) from failure
    except UnknownChemical as error:
        cas = scenario.request.chemical
        raise ScenarioError(str(error.args[0]), f"物质目录中没有 CAS 号 {cas}。") from error
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(str(error), f"模型拒绝了输入：{error}") from error


def _require_complete(request: RunRequest, around: _Around) -> None:
    if isinstance(request.source, AtSuspicion):
        raise ScenarioError(
            "source: a scenario has no readings to trace; give longitude and latitude, or a risk source of a park file",
            "source：情景中没有可供溯源的监测数据；请给出经纬度，或园区文件中的风险源",
        )
    if isinstance(request.source, AtRiskSource) and around.park is None:
        raise ScenarioError("park: name the park file that has the risk source", "park：请指定含有该风险源的园区文件")
    if request.meteorology is None:
        raise ScenarioError(
            "meteorology: a scenario has no stations to ask; give the weather, or worst-case",
            "meteorology：情景中没有气象站；请给出气象条件，或 worst-case",
        )
    if request.estimates_rate:
        raise ScenarioError(
            "rate_kg_s: a scenario has no readings to estimate it from; give rate_kg_s, release or vessel",
            "rate_kg_s：情景中没有监测数据可供反推；请给出 rate_kg_s、release 或 vessel",
        )


def _require_source(request: RunRequest, registry: Registry) -> None:
    if not isinstance(request.source, AtRiskSource):
        return
    known = [row.id for row in registry.sources]
    if request.source.risk_source_id not in known:
        named = request.source.risk_source_id
        raise ScenarioError(
            f"source: the park file has no risk source {named!r}; it has {', '.join(known)}",
            f"source：园区文件中没有风险源 {named}",
        )


def _registry(around: _Around, folder: Path) -> tuple[str, Registry]:
    own = [_row(entry) for entry in around.receptors]
    if around.park is None:
        return "scenario", Registry(sources=[], receptors=own)
    try:
        park = read_park_file(folder / around.park)
    except ParkFileError as error:
        raise ScenarioError(f"park: {error}", "park：园区文件无法使用") from error
    return park.park.id, Registry(sources=sources_of(park), receptors=[*receptors_of(park), *own])


def _row(entry: Receptor) -> ReceptorRow:
    return ReceptorRow(
        id=entry.id,
        park_id="scenario",
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        kind=entry.kind,
        population=entry.population,
        longitude=entry.location.longitude,
        latitude=entry.location.latitude,
        height_m=entry.location.height_m,
    )


def _invalid(error: ValidationError) -> ScenarioError:
    faults = error.errors()
    told = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults[:_FAULTS_TOLD]]
    places = "、".join(_place(fault["loc"]) for fault in faults[:_FAULTS_TOLD])
    more = len(faults) - len(told)
    return ScenarioError(
        "; ".join(told) + (f" (and {more} more)" if more else ""),
        f"{places} 的值不正确" + (f"（另有 {more} 处）" if more else ""),
    )


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "scenario"


class _NoService(httpx.AsyncBaseTransport):
    """A scenario asks no service; were it to, that is an answer that never comes."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("a scenario asks no service", request=request)


def _at_once(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that waits for nothing: no event loop is needed (a notebook already has one that runs)."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    coroutine.close()
    raise AssertionError("a scenario waits for nothing")
