"""What the model asks of ingest is asked for to the last page."""

from typing import Any

import httpx
from fastapi import FastAPI

from services.model.ingest_client import IngestClient


async def test_datastreams_of_all_pages_are_found() -> None:
    app = FastAPI()

    @app.get("/datastreams")
    async def datastreams(park_id: str, cursor: int = 0) -> dict[str, Any]:
        place = {"station_id": f"{park_id}.s{cursor}", "longitude": 119.0, "latitude": 37.0}
        base = {"property_id": "chlorine", "unit": "mg/m3", "range_upper": None, "detection_limit": None, **place}
        items = [base | {"id": cursor, "cadence": "realtime"}, base | {"id": 100 + cursor, "cadence": "minute"}]
        return {"items": items, "next": str(cursor + 1) if cursor < 2 else None}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://ingest") as http:
        found = await IngestClient(http).gas_stations("works", "chlorine")
    assert [station.station_id for station in found] == ["works.s0", "works.s1", "works.s2"]
