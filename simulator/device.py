"""A station's data logger: an HJ 212-2017 client on a TCP connection of its own.

It sends one frame, waits for its 9014, and sends it again when none comes. After the last try it takes the link for
dead, keeps what it has, and connects anew; then it goes on with the oldest frame, so that data arrive in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from shared.hj212 import commands, segment
from shared.hj212.codes import Cn
from shared.hj212.crc import CrcMode
from shared.hj212.frame import DecodedFrame, FrameDecoder, encode
from shared.hj212.readings import Reading
from shared.hj212.segment import Segment
from simulator.backlog import Backlog, Frame
from simulator.requests import DeviceSettings, Identity, answer

CONNECT_TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 20.0
READ_BYTES = 65536
MINUTES_REMEMBERED = 2880


class NoAnswerError(Exception):
    """The platform did not acknowledge a frame in all tries."""


class Device:
    """One data logger. `local_time` tells the park's simulated local time; times on the wire are its."""

    def __init__(
        self,
        identity: Identity,
        address: tuple[str, int],
        local_time: Callable[[], datetime],
        settings: DeviceSettings,
        backlog: Backlog,
        luck: random.Random,
    ) -> None:
        self.identity = identity
        self.settings = settings
        self.backlog = backlog
        self.connected = False
        self.acknowledged = 0
        self.repeated = 0
        self._address = address
        self._local_time = local_time
        self._luck = luck
        self._minutes: deque[tuple[datetime, tuple[Reading, ...]]] = deque(maxlen=MINUTES_REMEMBERED)
        self._last_qn = ""
        self._awaited: Frame | None = None
        self._answered = asyncio.Event()
        self._line = asyncio.Event()
        self._line.set()
        self._writer: asyncio.StreamWriter | None = None

    # ---- what the logger has to tell ----

    def tell_startup(self, restarted: datetime) -> None:
        """Queue the start-up message (2081)."""
        self._queue(commands.startup(**self._head(), time=restarted, restarted=restarted))

    def tell_realtime(self, time: datetime, readings: Iterable[Reading]) -> None:
        """Queue real-time data (2011) of this local time."""
        self._queue(commands.realtime(**self._head(), time=time, readings=readings))

    def tell_minute(self, start: datetime, readings: Iterable[Reading]) -> None:
        """Queue minute data (2051) of the minute that began at this local time."""
        remembered = tuple(readings)
        self._minutes.append((start, remembered))
        self._queue(commands.minute(**self._head(), time=start, readings=remembered))

    # ---- the line ----

    def cut_line(self) -> None:
        """Let the connection fail and stay away until `mend_line`."""
        self._line.clear()
        if self._writer is not None:
            self._writer.transport.abort()

    def mend_line(self) -> None:
        """Let the device connect again."""
        self._line.set()

    async def run(self) -> None:
        """Keep connected and deliver the backlog, until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            await self._line.wait()
            before = self.acknowledged
            with contextlib.suppress(OSError, TimeoutError, NoAnswerError):
                await self._visit()
            pause = FIRST_PAUSE_S if self.acknowledged > before else min(2.0 * pause, LONGEST_PAUSE_S)
            # Jitter: forty stations that lost one platform must not come back in one instant.
            await asyncio.sleep(pause * self._luck.uniform(0.5, 1.0))

    async def _visit(self) -> None:
        """One connection from beginning to end."""
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(*self._address)
        self._writer, self.connected = writer, True
        listening = asyncio.create_task(self._listen(reader, writer))
        speaking = asyncio.create_task(self._speak(writer))
        try:
            done, _ = await asyncio.wait((listening, speaking), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._writer, self.connected = None, False
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        while True:
            frame = await self.backlog.head()
            await self._deliver(frame, writer)
            self.backlog.done(frame)
            self.acknowledged += 1

    async def _deliver(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        self._awaited = frame
        self._answered.clear()
        for attempt in range(self.settings.tries):
            self.repeated += attempt > 0
            writer.write(frame.data)
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the answer.
                async with asyncio.timeout(self.settings.ack_timeout_s):
                    await self._answered.wait()
                return
        raise NoAnswerError

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = FrameDecoder()
        while data := await reader.read(READ_BYTES):
            for frame in decoder.feed(data):
                if isinstance(frame, DecodedFrame):
                    self._take(segment.parse(frame.segment), writer)
        raise ConnectionResetError("the platform closed the connection")

    def _take(self, message: Segment, writer: asyncio.StreamWriter) -> None:
        if message.cn == Cn.DATA_ANSWER:
            if self._awaited is not None and message.qn == self._awaited.qn:
                self._answered.set()
            return
        for reply in answer(message, self.identity, self.settings, self._local_time(), self._remembered):
            writer.write(encode(reply.encode(), CrcMode.HJ212))

    def _remembered(self, begin: datetime, end: datetime) -> list[Segment]:
        mn, pw, st = self.identity.mn, self.identity.pw, self.identity.st
        return [
            commands.data_message(
                Cn.MINUTE, mn=mn, pw=pw, st=st, qn=self._next_qn(), time=start, readings=readings, answer=False
            )
            for start, readings in self._minutes
            if begin <= start <= end
        ]

    def _queue(self, message: Segment) -> None:
        self.backlog.add(Frame(message.qn or "", encode(message.encode(), CrcMode.HJ212)))

    def _head(self) -> dict[str, str]:
        identity = self.identity
        return {"mn": identity.mn, "pw": identity.pw, "st": identity.st, "qn": self._next_qn()}

    def _next_qn(self) -> str:
        """A request number of now; later than the last even when two fall into one millisecond."""
        number = commands.format_qn(self._local_time())
        if number[:14] <= self._last_qn[:14]:
            number = f"{self._last_qn[:14]}{(int(self._last_qn[14:]) + 1) % 1000:03d}"
        self._last_qn = number
        return number
