"""The client for asyncio: `AsyncClient`, with the methods of `Client`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
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


class AsyncClient:
    """As `Client`, for asyncio; lists and events are asynchronous iterators."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_s: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(**settings(url, key, timeout_s), transport=transport)
        self._retries = retries or Retries()

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def perform(self, operation: Operation[Answer]) -> Answer:
        """Carry out an operation of `fenceline_client.operations`."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._http.request(operation.method, operation.path, **self._options(operation))
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
            await asyncio.sleep(wait_s)

    async def all(self, operation: Operation[Page[Item]]) -> AsyncIterator[Item]:
        """Every item of a list, page after page."""
        while True:
            page = await self.perform(operation)
            for item in page.items:
                yield item
            if page.next is None:
                return
            operation = operation.after(page.next)

    def parks(self) -> AsyncIterator[Park]:
        """The parks that the key sees."""
        return self.all(ask.parks())

    def stations(self, park_id: str) -> AsyncIterator[Station]:
        """The stations of a park, by id."""
        return self.all(ask.stations(park_id))

    def latest(self, park_id: str, cadence: str = "realtime") -> AsyncIterator[LatestValue]:
        """The latest observation of each datastream of one cadence."""
        return self.all(ask.latest(park_id, cadence))

    def observations(
        self, park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime, resolution: str = "auto"
    ) -> AsyncIterator[Series]:
        """Observations, `start` <= time < `end`, in pieces: a datastream comes again on the next page."""
        return self.all(ask.observations(park_id, datastream_ids, start, end, resolution))

    async def changes(
        self, park_id: str, cursor: str | None = None, since: str = "oldest", limit: int = 1000
    ) -> AsyncIterator[ChangePage]:
        """What was stored or corrected after a cursor, up to now: keep `next` of each page once its items are safe."""
        while True:
            page = await self.perform(ask.changes(park_id, cursor, since, limit))
            yield page
            if not page.more:
                return
            cursor = page.next

    async def send_readings(self, park_id: str, readings: Iterable[Reading], key: str | None = None) -> BatchResult:
        """Store up to 10,000 readings. `key` makes a request that is sent again get the answer of the first."""
        return await self.perform(ask.send_readings(park_id, readings, key))

    async def send_csv(
        self, park_id: str, table: bytes, timezone: str | None = None, key: str | None = None
    ) -> BatchResult:
        """Store a CSV table of up to 10,000 rows (UTF-8)."""
        return await self.perform(ask.send_csv(park_id, table, timezone, key))

    async def upload(self, park_id: str, upload_id: str, table: Path, timezone: str | None = None) -> Upload:
        """Store a CSV file of any length (plain, `.gz`, `.zst`); returns once all of it is committed."""
        return await self.perform(ask.upload(park_id, upload_id, table, timezone))

    async def upload_progress(self, park_id: str, upload_id: str) -> Upload:
        """How far an upload has come."""
        return await self.perform(ask.upload_progress(park_id, upload_id))

    def upload_refusals(self, park_id: str, upload_id: str) -> AsyncIterator[UploadRefusal]:
        """The first thousand lines of an upload that were refused."""
        return self.all(ask.upload_refusals(park_id, upload_id))

    def alarms(self, park_id: str, state: str = "open") -> AsyncIterator[Alarm]:
        """Alarms, the latest first; open, all, shelved, suppressed or out_of_service."""
        return self.all(ask.alarms(park_id, state))

    async def alarm(self, park_id: str, alarm_id: UUID | str) -> AlarmWithJournal:
        """One alarm with its journal."""
        return await self.perform(ask.alarm(park_id, alarm_id))

    async def acknowledge(self, park_id: str, alarm_id: UUID | str, comment: str | None = None) -> Alarm:
        """Take note of an alarm."""
        return await self.perform(ask.acknowledge(park_id, alarm_id, comment))

    def runs(self, park_id: str, state: Sequence[str] = (), chemical: str | None = None) -> AsyncIterator[Run]:
        """Runs of the model, newest first, without their results; `chemical` is a CAS number."""
        return self.all(ask.runs(park_id, state, chemical))

    async def run(self, park_id: str, run_id: UUID | str) -> Run:
        """One run with its result, or with how far it is."""
        return await self.perform(ask.run(park_id, run_id))

    async def start_run(self, park_id: str, request: Mapping[str, Any]) -> Run:
        """Ask for a computation; `request` is the body of `POST /parks/{park_id}/runs`."""
        return await self.perform(ask.start_run(park_id, request))

    async def cancel_run(self, park_id: str, run_id: UUID | str) -> Run:
        """Cancel a run that has not ended."""
        return await self.perform(ask.cancel_run(park_id, run_id))

    async def events(
        self, parks: Sequence[str] = (), kinds: Sequence[str] = (), last_event_id: str = ""
    ) -> AsyncIterator[Event]:
        """Live events, for ever: where the stream breaks off, another goes on after the last event.

        With `last_event_id` all that was missed comes first. Ends only by an error: what Fenceline refuses, or no
        answer to the first connection.
        """
        reader, attempt, begun = EventReader(last_event_id), 0, False
        while True:
            attempt += 1
            wait_s: float | None
            try:
                async with self._stream(parks, kinds, reader) as answer:
                    if answer.is_success:
                        attempt, begun = 0, True
                        async for chunk in answer.aiter_bytes():
                            for event in reader.feed(chunk):
                                yield event
                        wait_s = reader.retry_s or self._retries.first_s
                    else:
                        await answer.aread()
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
            await asyncio.sleep(wait_s)

    def _stream(self, parks: Sequence[str], kinds: Sequence[str], reader: EventReader) -> Any:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": reader.last_id} if reader.last_id else {})
        timeout = httpx.Timeout(live.SILENCE_S, connect=CONNECT_S)
        return self._http.stream("GET", live.PATH, params=live.wanted(parks, kinds), headers=headers, timeout=timeout)

    def _options(self, operation: Operation[Any]) -> dict[str, Any]:
        given = options(operation)
        if isinstance(operation.body, Path):
            given["content"] = _pieces(operation.body)
        return given


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, CHUNK):
            yield piece
    finally:
        file.close()
