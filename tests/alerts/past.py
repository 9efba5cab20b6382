"""What ingest has stored, as the alerts service asks for it, at the stand-in for ingest."""

from datetime import datetime
from typing import Any

from fastapi import HTTPException

from tests.alerts.park import Producer


class Past:
    """`rows` are (datastream, time, value, flag), told alike as readings and as means; `asked` notes the questions."""

    def __init__(self, producer: Producer) -> None:
        self.rows: list[tuple[int, datetime, float | None, str]] = []
        self.asked: list[tuple[int, str]] = []

        @producer.app.get("/parks/{park_id}")
        async def park() -> dict[str, Any]:
            if producer.down:
                raise HTTPException(503, "ingest is down")
            return {"id": "p", "timezone": "Asia/Shanghai"}

        @producer.app.get("/parks/{park_id}/observations")
        async def observations(datastream_id: int, start: datetime, end: datetime, resolution: str) -> dict[str, Any]:
            if producer.down:
                raise HTTPException(503, "ingest is down")
            self.asked.append((datastream_id, resolution))
            rows = sorted(row for row in self.rows if row[0] == datastream_id and start <= row[1] < end)
            columns = {name: [row[at] for row in rows] for at, name in ((1, "time"), (2, "value"), (3, "quality"))}
            return {"items": [columns], "next": None}
