"""A reason not to go on that the person at the keyboard can mend: one line, both languages, exit status 2."""

from __future__ import annotations

EXIT_REFUSED = 2


class Refusal(Exception):
    """What is wrong and how to mend it."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(" ".join(f"{en} | {zh}".split()))
