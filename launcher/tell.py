"""What the launcher says to the person who started it: every line in English and in Chinese.

Runs on any Python 3.7, because the first thing it may have to say is that the Python is too old.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

EXIT_REFUSED = 2


class Refusal(Exception):
    """A reason not to go on that the person at the keyboard can mend: one line that names the remedy."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(f"{en} | {zh}")


def refuse(refusal: Refusal) -> int:
    """Print the line of a refusal and give the exit status that goes with it."""
    label = paint("fenceline:", "31;1", sys.stderr)
    print(f"{label} {refusal}", file=sys.stderr, flush=True)
    return EXIT_REFUSED


def paint(text: str, code: str, stream: TextIO = sys.stdout) -> str:
    """`text` in a colour (an SGR code) where the stream is a terminal that wants colours."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


@contextmanager
def step(en: str, zh: str) -> Iterator[None]:
    """One line for a step that takes a while: its name when it begins, the seconds it took when it ends."""
    label = f"{en} | {zh}"
    print("  {} {}".format(paint("..", "33"), label), end=" ", flush=True)
    begun = time.monotonic()
    try:
        yield
    except BaseException as error:
        print(paint("failed | 失败", "31") if isinstance(error, Exception) else "", flush=True)
        raise
    print(f"{time.monotonic() - begun:.1f} s", flush=True)
