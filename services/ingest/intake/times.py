"""Times as senders write them, to microseconds. The same few are written again and again, so they are remembered."""

from collections.abc import Sequence
from datetime import datetime

from shared.time import to_microseconds

_REMEMBERED = 20_000


class Times:
    """From ISO 8601 text with an offset to microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def microseconds(self, texts: Sequence[str]) -> tuple[list[int], dict[int, str]]:
        """The time of each text, 0 with the reason by its position where there is none."""
        found = list(map(self._known.get, texts))
        reasons: dict[int, str] = {}
        if None in found:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            read = {text: self._read(text) for text in set(texts)}
            for index, text in enumerate(texts):
                moment = read[text]
                if isinstance(moment, str):
                    reasons[index], moment = moment, 0
                found[index] = moment
        return found, reasons  # type: ignore[return-value]  # none is None any more

    def _read(self, text: str) -> int | str:
        """The time, or why there is none."""
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError("a time needs its offset from UTC, such as 2026-03-01T08:00:00+08:00")
            return self._known.setdefault(text, to_microseconds(moment))
        except (ValueError, OverflowError) as error:
            return f"time: {error}"
