"""Bodies of observations that are sent to be stored, and of what became of them."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.ingest.writing.batch import RowStatus
from shared.park_file import Cadence, Unit
from shared.quality import Quality
from shared.time import UtcDatetime

MAX_ROWS = 10_000


def _no_lookalike(value: object) -> object:
    """Python would read ``true`` and ``"1_0"`` as numbers."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise ValueError("a number, or null where there is none")
    return value


class ObservationRow(BaseModel):
    """One observation to store. ``unit`` is that of the value; left out, it is the datastream's stored unit."""

    model_config = ConfigDict(extra="forbid")

    station_id: Annotated[str | None, Field(description="such as bohai-demo.s01")] = None
    station: Annotated[str | None, Field(description="the code within the park, such as s01")] = None
    property: str
    time: UtcDatetime
    value: Annotated[float | None, Field(allow_inf_nan=False), BeforeValidator(_no_lookalike)]
    quality: Quality = Quality.NORMAL
    unit: Unit | None = None
    cadence: Cadence = "realtime"


class ObservationBatch(BaseModel):
    """Observations to store. A row that is not as ``ObservationRow`` says is refused by itself, not with the batch."""

    observations: Annotated[
        list[Annotated[ObservationRow | Any, Field(union_mode="left_to_right")]],
        Field(min_length=1, max_length=MAX_ROWS),
    ]


class ColumnDatastream(BaseModel):
    """What many rows have in common."""

    model_config = ConfigDict(extra="forbid")

    station_id: str | None = None
    station: str | None = None
    property: str
    cadence: Cadence = "realtime"
    unit: Unit | None = None


class Columns(BaseModel):
    """Position i of every column is one row; ``datastream`` points into ``datastreams``."""

    model_config = ConfigDict(extra="forbid")

    datastreams: Annotated[list[ColumnDatastream], Field(min_length=1)]
    datastream: Annotated[list[int], Field(min_length=1, max_length=MAX_ROWS)]
    value: list[float | None]
    time: list[UtcDatetime] | None = None
    time_ms: Annotated[list[int] | None, Field(description="instead of time: milliseconds since 1970 UTC")] = None
    quality: Annotated[str | None, Field(description="one flag a row; left out, all are normal")] = None


class ObservationColumns(BaseModel):
    """Observations to store, in columns: the same rows in fewer bytes."""

    model_config = ConfigDict(extra="forbid")

    columns: Columns


class RowResult(BaseModel):
    """What became of the row with this index."""

    index: int
    status: RowStatus
    detail: str | None = None


class BatchResult(BaseModel):
    """What became of each row; the answer comes after the commit."""

    accepted: int
    duplicate: int
    conflicting: int
    refused: int
    results: list[RowResult]


def standing_alone(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a body that the handler decodes itself, without references to what stands elsewhere."""
    whole = model.model_json_schema()
    parts = whole.pop("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/$defs/")
            return {**resolved(parts[name]), **rest(node)} if name else rest(node)
        return [resolved(item) for item in node] if isinstance(node, list) else node

    def rest(node: dict[str, Any]) -> dict[str, Any]:
        return {key: resolved(value) for key, value in node.items() if key != "$ref"}

    found: dict[str, Any] = resolved(whole)
    return found
