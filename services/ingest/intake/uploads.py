"""Uploads of history: a table of any length, stored block by block while it comes in.

A block is parsed, stored and noted before the next one is read, so a sender is slowed to what can be stored and memory
stays the same however long the table is. Readings that were stored before are duplicates: an upload that broke off is
mended by sending it again.
"""

import asyncio
import codecs
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from services.ingest.intake.csv import CsvTable
from services.ingest.intake.encodings import Opener
from services.ingest.intake.judge import Judge
from services.ingest.intake.upload_store import Progress, UploadStore
from services.ingest.writing.batch import STATUSES, Submission
from services.ingest.writing.writer import RefusedSubmission, Writer
from shared.problems import Problem, TooLarge, TooManyRequests, Unavailable, Unprocessable
from shared.time import utc_now

BLOCK_LINES = 5_000
MAX_LINE = 64 * 1024
STORE_TIMEOUT_S = 60.0
AT_ONCE = 4
"""Uploads that one process takes at a time; each may hold some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a sender says of the table, and the bytes of it as they come."""

    park_id: str
    upload_id: str
    caller: str
    encoding: str
    charset: str
    zone: ZoneInfo | None
    pieces: AsyncIterator[bytes]


class Lines:
    """Cuts text that comes in pieces into lines."""

    def __init__(self, charset: str) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if charset == "utf-8" else charset)()
        self._charset = charset
        self._rest = ""

    def feed(self, data: bytes, *, end: bool = False) -> list[str]:
        """The lines that are whole; at the end, what is left too. Raises Unprocessable."""
        try:
            text = self._rest + self._decoder.decode(data, end)
        except UnicodeDecodeError as error:
            raise Unprocessable(f"The table is not {self._charset}: {error.reason}.") from error
        *lines, self._rest = text.split("\n")
        if len(self._rest) > MAX_LINE:
            raise Unprocessable(f"A line has more than {MAX_LINE} characters.")
        return [*lines, self._rest] if end else lines


@dataclass(slots=True)
class _Work:
    """One upload under way."""

    table: Table
    progress: Progress
    header: CsvTable | None = None
    waiting: list[tuple[int, str]] = field(default_factory=list)


class Uploads:
    """Takes uploads in."""

    def __init__(self, store: UploadStore, judge: Judge, writer: Writer, *, max_bytes: int) -> None:
        self.store = store
        self._judge = judge
        self._writer = writer
        self._max_bytes = max_bytes
        self._under_way = 0

    async def receive(self, table: Table) -> None:
        """Store a table to its end. Raises Problem: what was stored until then stays, and is noted."""
        if self._under_way >= AT_ONCE:
            raise TooManyRequests("Other uploads are under way; send this one later.", headers={"Retry-After": "30"})
        opener, lines = Opener(table.encoding), Lines(table.charset)
        self._under_way += 1
        try:
            progress = await self.store.begin(table.park_id, table.upload_id, uuid.uuid4(), table.caller)
            work = _Work(table, progress)
            try:
                async for piece in table.pieces:
                    for opened in opener.feed(piece):
                        progress.bytes += len(opened)
                        if progress.bytes > self._max_bytes:
                            raise TooLarge(f"The table has more than {self._max_bytes} bytes; send it in parts.")
                        await self._take(work, lines.feed(opened))
                opener.end()
                await self._take(work, lines.feed(b"", end=True))
                if work.header is None:
                    raise Unprocessable("The table is empty; its first line names the columns.")
                await self._store(work, len(work.waiting))
            except Problem as problem:
                await self.store.end(progress, "failed", problem.detail)
                raise
            except BaseException:
                # The sender went away, or this process ends.
                await self.store.end(progress, "failed", "The table broke off; send it again.")
                raise
            await self.store.end(progress, "done", None)
        finally:
            self._under_way -= 1

    async def _take(self, work: _Work, lines: list[str]) -> None:
        for line in lines:
            work.progress.lines += 1
            if not line.strip():
                continue
            if work.header is None:
                work.header = CsvTable(line, work.table.zone)
            else:
                work.waiting.append((work.progress.lines, line.rstrip("\r")))
        while len(work.waiting) >= BLOCK_LINES:
            await self._store(work, BLOCK_LINES)

    async def _store(self, work: _Work, count: int) -> None:
        """Store the first of the waiting lines, and note it."""
        block, work.waiting = work.waiting[:count], work.waiting[count:]
        assert work.header is not None
        if not block:
            return
        table, progress = work.table, work.progress
        taken = self._judge.take(table.park_id, work.header.rows([line for _, line in block]), utc_now())
        if len(taken.columns):
            source = f"upload:{table.caller}:{table.upload_id}"
            submission = Submission(source, columns=taken.columns, parks=frozenset({table.park_id}))
            try:
                async with asyncio.timeout(STORE_TIMEOUT_S):
                    codes = await self._writer.submit(submission)
            except RefusedSubmission as error:
                raise Unprocessable(f"The database takes none of the block before line {progress.lines}.") from error
            except TimeoutError:
                raise Unavailable("Readings cannot be stored at the moment; send the table again later.") from None
            for status, found in zip(STATUSES, np.bincount(codes, minlength=len(STATUSES)).tolist(), strict=True):
                progress.counts[status] += found
        progress.refuse({block[index][0]: reason for index, reason in sorted(taken.refused.items())})
        await self.store.note(progress)
