"""Readings over HTTP: each row is checked by itself, and gets its own result."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from services.ingest.meaning.normalise import Observation, quality_of, too_late
from services.ingest.meaning.units import UnitError
from services.ingest.registry.snapshot import Snapshot, Stream
from services.ingest.schemas import BatchResult, ObservationRow, RowResult
from services.ingest.writing.batch import RowStatus
from shared.quality import Quality
from shared.time import to_microseconds


class RowError(ValueError):
    """Why a row is refused."""


class Intake:
    """The rows of one request: those that can be stored, and the results of the others."""

    def __init__(
        self, rows: Sequence[Any], snapshot: Snapshot, park_id: str, *, now: datetime, ahead: timedelta
    ) -> None:
        self._snapshot = snapshot
        self._park_id = park_id
        self._latest = (now, ahead)
        self.observations: list[Observation] = []
        self._indices: list[int] = []
        self._results: list[RowResult | None] = [None] * len(rows)
        for index, row in enumerate(rows):
            try:
                self.observations.append(self._observation(row))
                self._indices.append(index)
            except RowError as error:
                self._results[index] = RowResult(index=index, status=RowStatus.REFUSED, detail=str(error))

    @property
    def refused(self) -> int:
        """Rows that are not handed on."""
        return len(self._results) - len(self._indices)

    def result(self, statuses: Sequence[RowStatus]) -> BatchResult:
        """The answer, given what became of ``observations``."""
        for index, status in zip(self._indices, statuses, strict=True):
            detail = None
            if status is RowStatus.CONFLICTING:
                detail = "another value is stored for this time; it stays, and yours was journalled"
            self._results[index] = RowResult(index=index, status=status, detail=detail)
        results = [result for result in self._results if result is not None]
        told = [result.status for result in results]
        return BatchResult(
            accepted=told.count(RowStatus.ACCEPTED),
            duplicate=told.count(RowStatus.DUPLICATE),
            conflicting=told.count(RowStatus.CONFLICTING),
            refused=told.count(RowStatus.REFUSED),
            results=results,
        )

    def _observation(self, row: Any) -> Observation:
        if not isinstance(row, ObservationRow):
            raise RowError(_what_is_wrong(row))
        stream = self._stream(row)
        if too_late(row.time, *self._latest):
            raise RowError("the time is in the future")
        try:
            factor = 1.0 if row.unit is None else stream.scale_of(row.unit)
        except UnitError as error:
            raise RowError(str(error)) from error
        value = None if row.value is None else row.value * factor
        flag = row.quality if value is not None or row.quality is not Quality.NORMAL else None
        quality = quality_of(flag, value)
        return Observation(stream.id, to_microseconds(row.time), value, quality.value, None, None, stream.shard)

    def _stream(self, row: ObservationRow) -> Stream:
        if (row.station_id is None) == (row.station is None):
            raise RowError("name the station by either station_id or station")
        station_id = row.station_id or f"{self._park_id}.{row.station}"
        if self._snapshot.stations.get(station_id) != self._park_id:
            raise RowError(f"park '{self._park_id}' has no station '{station_id}'")
        stream = self._snapshot.streams.get((station_id, row.property, row.cadence))
        if stream is None:
            raise RowError(f"station '{station_id}' has no datastream of '{row.property}' at cadence '{row.cadence}'")
        return stream


def _what_is_wrong(row: Any) -> str:
    try:
        ObservationRow.model_validate(row)
    except ValidationError as error:
        faults = error.errors()
        return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}" for fault in faults[:3])
    return "not an observation"
