"""What ingest has stored, as the alerts service asks for it, at the stand-in for ingest."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import HTTPException, Query

from tests.alerts.park import Producer


class Past:
    """`rows` are (datastream, time, value, flag), told alike as readings and as means, or by the hour.

    `asked` notes the questions.
    """

    def __init__(self, producer: Producer) -> None:
        self.rows: list[tuple[int, datetime, float | None, str]] = []
        self.down = False
        self.asked: list[tuple[int, str]] = []

        @producer.app.get("/parks/{park_id}")
        async def park() -> dict[str, Any]:
            if self.down:
                raise HTTPException(503, "ingest is down")
            return {"id": "p", "timezone": "Asia/Shanghai"}

        @producer.app.get("/parks/{park_id}/observations")
        async def observations(
            datastream_id: Annotated[list[int], Query()], start: datetime, end: datetime, resolution: str
        ) -> dict[str, Any]:
            if self.down:
                raise HTTPException(503, "ingest is down")
            self.asked += [(number, resolution) for number in datastream_id]
            return {"items": [self._series(number, start, end, resolution) for number in datastream_id], "next": None}

    def _series(self, number: int, start: datetime, end: datetime, resolution: str) -> dict[str, Any]:
        rows = sorted(row for row in self.rows if row[0] == number and start <= row[1] < end)
        told: dict[str, Any] = {"datastream_id": number}
        if resolution != "hour":
            return told | {name: [row[at] for row in rows] for at, name in ((1, "time"), (2, "value"), (3, "quality"))}
        hours = {hour: list(of) for hour, of in groupby(rows, lambda row: row[1].replace(minute=0, second=0))}
        return told | {
            "time": list(hours),
            "value": [None for _ in hours],
            "quality": ["T" if any(row[3] == "T" for row in of) else "N" for of in hours.values()],
            "maximum": [max((row[2] for row in of if row[2] is not None), default=None) for of in hours.values()],
        }
