"""Where the output of a process goes: a bounded file of its own, and the console behind its coloured name."""

import sys
from collections import deque
from pathlib import Path
from typing import TextIO

from launcher.tell import paint

MAX_FILE_BYTES = 10_000_000
NAME_WIDTH = 10


class ProcessLog:
    """The lines of one process. The file is turned over at `max_bytes`; one older file is kept beside it."""

    def __init__(
        self,
        name: str,
        path: Path,
        colour: str,
        *,
        max_bytes: int = MAX_FILE_BYTES,
        console: TextIO | None = None,
    ) -> None:
        self.path = path
        self.echo = False
        self.recent: deque[str] = deque(maxlen=12)
        self._console = console or sys.stdout
        self._prefix = paint(f"{name:<{NAME_WIDTH}}", colour, self._console) + " "
        self._max_bytes = max_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._size = self._file.tell()

    def line(self, text: str) -> None:
        """One line that the process wrote."""
        self.recent.append(text)
        self._keep(text)
        if self.echo:
            self.say(text)

    def say(self, text: str) -> None:
        """One line about the process, for the console alone."""
        print(self._prefix + text, file=self._console, flush=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _keep(self, text: str) -> None:
        data = text.encode(errors="replace") + b"\n"
        if self._size + len(data) > self._max_bytes:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("ab")
            self._size = 0
        self._file.write(data)
        self._file.flush()
        self._size += len(data)
