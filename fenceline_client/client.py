"""The client for programs that wait: `Client`. The one for asyncio is `AsyncClient`, with the same methods."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel

from fenceline_client import events as live
from fenceline_client import operations as ask
from fenceline_client.events import Event, EventReader
from fenceline_client.models import (
    Alarm,
    AlarmWithJournal,
    BatchResult,
    ChangePage,
    LatestValue,
    Page,
    Park,
    Reading,
    Run,
    Series,
    Station,
    Upload,
    UploadRefusal,
)
from fenceline_client.operations import Operation
from fenceline_client.retries import Retries
from fenceline_client.wire import CHUNK, CONNECT_S, now, options, refusal, settings, understood, unreachable

Answer = TypeVar("Answer", bound=BaseModel)
Item = TypeVar("Item")


class Client:
    """Asks one Fenceline with one key, at `url` (without `/api/v1`).

    Every method raises `ProblemError` for what Fenceline refuses, `Unreachable` where no answer came and
    `NotUnderstood` for an answer that is none of the API's. Lists are iterators that turn pages as they are read.
    `transport` is httpx's, for a certificate authority or a proxy of one's own. To be closed, or used as a context
    manager; may be shared by threads.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_s: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(**settings(url, key, timeout_s), transport=transport)
        self._retries = retries or Retries()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def perform(self, operation: Operation[Answer]) -> Answer:
        """Carry out an operation of `fenceline_client.operations`."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._http.request(operation.method, operation.path, **self._options(operation))
            except httpx.RequestError as error:
                wait_s = self._retries.after_error(attempt, error, repeatable=operation.repeatable)
                if wait_s is None:
                    raise unreachable(self._http.base_url, error) from error
            else:
                if answer.is_success:
                    return understood(operation, answer.content)
                wait_s = self._retries.after_answer(attempt, answer, now(), repeatable=operation.repeatable)
                if wait_s is None:
                    raise refusal(answer)
            time.sleep(wait_s)

    def all(self, operation: Operation[Page[Item]]) -> Iterator[Item]:
        """Every item of a list, page after page."""
        while True:
            page = self.perform(operation)
            yield from page.items
            if page.next is None:
                return
            operation = operation.after(page.next)

    def parks(self) -> Iterator[Park]:
        """The parks that the key sees."""
        return self.all(ask.parks())

    def stations(self, park_id: str) -> Iterator[Station]:
        """The stations of a park, by id."""
        return self.all(ask.stations(park_id))

    def latest(self, park_id: str, cadence: str = "realtime") -> Iterator[LatestValue]:
        """The latest observation of each datastream of one cadence."""
        return self.all(ask.latest(park_id, cadence))

    def observations(
        self, park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime, resolution: str = "auto"
    ) -> Iterator[Series]:
        """Observations, `start` <= time < `end`, in pieces: a datastream comes again on the next page."""
        return self.all(ask.observations(park_id, datastream_ids, start, end, resolution))

    def changes(
        self, park_id: str, cursor: str | None = None, since: str = "oldest", limit: int = 1000
    ) -> Iterator[ChangePage]:
        """What was stored or corrected after a cursor, up to now: keep `next` of each page once its items are safe."""
        while True:
            page = self.perform(ask.changes(park_id, cursor, since, limit))
            yield page
            if not page.more:
                return
            cursor = page.next

    def send_readings(self, park_id: str, readings: Iterable[Reading], key: str | None = None) -> BatchResult:
        """Store up to 10,000 readings. `key` makes a request that is sent again get the answer of the first."""
        return self.perform(ask.send_readings(park_id, readings, key))

    def send_csv(self, park_id: str, table: bytes, timezone: str | None = None, key: str | None = None) -> BatchResult:
        """Store a CSV table of up to 10,000 rows (UTF-8)."""
        return self.perform(ask.send_csv(park_id, table, timezone, key))

    def upload(self, park_id: str, upload_id: str, table: Path, timezone: str | None = None) -> Upload:
        """Store a CSV file of any length (plain, `.gz`, `.zst`); returns once all of it is committed."""
        return self.perform(ask.upload(park_id, upload_id, table, timezone))

    def upload_progress(self, park_id: str, upload_id: str) -> Upload:
        """How far an upload has come."""
        return self.perform(ask.upload_progress(park_id, upload_id))

    def upload_refusals(self, park_id: str, upload_id: str) -> Iterator[UploadRefusal]:
        """The first thousand lines of an upload that were refused."""
        return self.all(ask.upload_refusals(park_id, upload_id))

    def alarms(self, park_id: str, state: str = "open") -> Iterator[Alarm]:
        """Alarms, the latest first; open, all, shelved, suppressed or out_of_service."""
        return self.all(ask.alarms(park_id, state))

    def alarm(self, park_id: str, alarm_id: UUID | str) -> AlarmWithJournal:
        """One alarm with its journal."""
        return self.perform(ask.alarm(park_id, alarm_id))

    def acknowledge(self, park_id: str, alarm_id: UUID | str, comment: str | None = None) -> Alarm:
        """Take note of an alarm."""
        return self.perform(ask.acknowledge(park_id, alarm_id, comment))

    def runs(self, park_id: str, state: Sequence[str] = (), chemical: str | None = None) -> Iterator[Run]:
        """Runs of the model, newest first, without their results; `chemical` is a CAS number."""
        return self.all(ask.runs(park_id, state, chemical))

    def run(self, park_id: str, run_id: UUID | str) -> Run:
        """One run with its result, or with how far it is."""
        return self.perform(ask.run(park_id, run_id))

    def start_run(self, park_id: str, request: Mapping[str, Any]) -> Run:
        """Ask for a computation; `request` is the body of `POST /parks/{park_id}/runs`."""
        return self.perform(ask.start_run(park_id, request))

    def cancel_run(self, park_id: str, run_id: UUID | str) -> Run:
        """Cancel a run that has not ended."""
        return self.perform(ask.cancel_run(park_id, run_id))

    def events(self, parks: Sequence[str] = (), kinds: Sequence[str] = (), last_event_id: str = "") -> Iterator[Event]:
        """Live events, for ever: where the stream breaks off, another goes on after the last event.

        With `last_event_id` all that was missed comes first. Ends only by an error: what Fenceline refuses, or no
        answer to the first connection.
        """
        reader, attempt, begun = EventReader(last_event_id), 0, False
        while True:
            attempt += 1
            wait_s: float | None
            try:
                with self._stream(parks, kinds, reader) as answer:
                    if answer.is_success:
                        attempt, begun = 0, True
                        for chunk in answer.iter_bytes():
                            yield from reader.feed(chunk)
                        wait_s = reader.retry_s or self._retries.first_s
                    else:
                        answer.read()
                        wait_s = self._retries.after_answer(1 if begun else attempt, answer, now(), repeatable=True)
                        if wait_s is None:
                            raise refusal(answer)
                        wait_s = max(wait_s, self._retries.backoff_s(attempt))
            except httpx.RequestError as error:
                wait_s = self._retries.after_error(1 if begun else attempt, error, repeatable=True)
                if wait_s is None:
                    raise unreachable(self._http.base_url, error) from error
                wait_s = max(wait_s, self._retries.backoff_s(max(attempt, 1)))
            reader.broken()
            time.sleep(wait_s)

    def _stream(self, parks: Sequence[str], kinds: Sequence[str], reader: EventReader) -> Any:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": reader.last_id} if reader.last_id else {})
        timeout = httpx.Timeout(live.SILENCE_S, connect=CONNECT_S)
        return self._http.stream("GET", live.PATH, params=live.wanted(parks, kinds), headers=headers, timeout=timeout)

    def _options(self, operation: Operation[Any]) -> dict[str, Any]:
        given = options(operation)
        if isinstance(operation.body, Path):
            given["content"] = _pieces(operation.body)
        return given


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
