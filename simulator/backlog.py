"""Frames that wait for their acknowledgement, oldest first, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """A frame ready for the wire and the request number that its acknowledgement will carry."""

    qn: str
    data: bytes


class Backlog:
    """A queue whose head stays until it is acknowledged. When it is full the oldest frame gives way."""

    def __init__(self, limit: int = 2000) -> None:
        self._frames: deque[Frame] = deque()
        self._limit = limit
        self._filled = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Put a frame at the end."""
        if len(self._frames) >= self._limit:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._filled.set()

    async def head(self) -> Frame:
        """The oldest frame, as soon as there is one; it stays in the queue."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        return self._frames[0]

    def done(self, frame: Frame) -> None:
        """Forget an acknowledged frame (it may have given way in the meantime)."""
        if self._frames and self._frames[0] is frame:
            self._frames.popleft()
