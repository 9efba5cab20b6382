"""A model service with its stores, and a small park that answers as ingest does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Query

from services.model.app import build_app
from services.model.ingest_client import IngestClient
from services.model.settings import ModelSettings
from services.model.wiring import Parts, open_parts
from services.model.working import Worker
from shared.ending import end_all
from shared.http_client import ServiceAuth
from shared.time import iso

PARK = "test-park"
CHLORINE = "7782-50-5"
SOURCE = (119.0, 37.1)

PARK_FILE: dict[str, Any] = {
    "fenceline": 1,
    "park": {
        "id": PARK,
        "name": {"zh": "测试园区", "en": "Test park"},
        "fictitious": True,
        "boundary": [[118.99, 37.09], [119.01, 37.09], [119.01, 37.11], [118.99, 37.09]],
    },
    "risk_sources": [
        {
            "id": "cl2-tank",
            "name": {"zh": "液氯储罐", "en": "Chlorine tank"},
            "chemical": CHLORINE,
            "location": {"longitude": 119.0, "latitude": 37.1, "height_m": 1.5},
            "inventory_kg": 5000,
        },
        {
            "id": "cl2-far",
            "name": {"zh": "液氯汽化器", "en": "Chlorine vaporiser"},
            "chemical": CHLORINE,
            "location": {"longitude": 119.008, "latitude": 37.095, "height_m": 1.5},
        },
        {
            "id": "nh3-sphere",
            "name": {"zh": "液氨球罐", "en": "Ammonia sphere"},
            "chemical": "7664-41-7",
            "location": {"longitude": 119.002, "latitude": 37.101, "height_m": 2.0},
        },
    ],
    "receptors": [
        {
            "id": "school",
            "name": {"zh": "小学", "en": "School"},
            "kind": "school",
            "population": 400,
            "location": {"longitude": 119.006, "latitude": 37.1},
        },
        {
            "id": "village",
            "name": {"zh": "西村", "en": "West village"},
            "kind": "village",
            "population": 900,
            "location": {"longitude": 118.99, "latitude": 37.1},
        },
    ],
}


@dataclass
class Park:
    """What the stand-in for ingest answers with. The wind is from the west unless a test turns it."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    weather: dict[str, Any] | None = field(
        default_factory=lambda: {
            "wind_speed_m_s": 3.0,
            "wind_from_deg": 270.0,
            "sigma_theta_deg": 9.0,
            "temperature_c": 15.0,
            "pressure_kpa": 101.0,
            "age_s": 5.0,
        }
    )
    # station -> (longitude, latitude, chlorine now): a tenth of a kilometre east of the tank it smells.
    stations: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "e1": (119.0007, 37.1, 40.0),
            "e2": (119.0028, 37.1, 6.0),
            "w1": (118.9993, 37.1, 0.0),
            "n1": (119.0, 37.102, 0.0),
            "s1": (119.0073, 37.095, 0.0),
            "s2": (119.0087, 37.095, 0.0),
        }
    )
    smelling_s: float = 300.0
    down: bool = False

    def app(self) -> FastAPI:
        """The HTTP of ingest, as far as the model uses it."""
        app = FastAPI()

        @app.middleware("http")
        async def outage(request: Any, call_next: Any) -> Any:
            if self.down:
                raise httpx.ConnectError("down")
            return await call_next(request)

        @app.get("/parks/{park_id}/meteorology")
        async def meteorology(park_id: str, at: datetime) -> dict[str, Any]:
            if self.weather is None:
                raise HTTPException(404)
            return {"at": iso(at), "window_s": 600, "stations": ["m1"], "samples": 20, **self.weather}

        @app.get("/parks/{park_id}/latest")
        async def latest(park_id: str) -> dict[str, Any]:
            return {"items": [{"datastream_id": 1, "time": iso(self.now), "value": 1.0, "quality": "N"}]}

        @app.get("/datastreams")
        async def datastreams(park_id: str) -> dict[str, Any]:
            rows = []
            for number, (name, (longitude, latitude, _)) in enumerate(self.stations.items(), start=1):
                base = {
                    "park_id": park_id,
                    "station_id": f"{park_id}.{name}",
                    "ring": "source",
                    "longitude": longitude,
                    "latitude": latitude,
                    "property_id": "chlorine",
                    "unit": "mg/m3",
                    "range_upper": 60.0,
                    "detection_limit": 0.1,
                }
                rows += [base | {"id": number, "cadence": "realtime"}, base | {"id": 100 + number, "cadence": "minute"}]
            return {"items": rows, "next": None}

        @app.get("/parks/{park_id}/observations")
        async def observations(
            park_id: str, datastream_id: Annotated[list[int], Query()], start: datetime, end: datetime
        ) -> dict[str, Any]:
            names = list(self.stations)
            times = [self.now - timedelta(seconds=30 * step) for step in range(40, -1, -1)]
            items = []
            for number in datastream_id:
                value = self.stations[names[number - 1]][2]
                smells = [value if (self.now - time).total_seconds() <= self.smelling_s else 0.0 for time in times]
                items.append(
                    {
                        "datastream_id": number,
                        "unit": "mg/m3",
                        "resolution": "raw",
                        "time": [iso(time) for time in times],
                        "value": smells,
                        "quality": "N" * len(times),
                    }
                )
            return {"items": items}

        return app


@pytest.fixture
def park() -> Park:
    return Park()


@pytest.fixture
def settings(database_url: str, redis_url: str, internal_token: str) -> ModelSettings:
    return ModelSettings(
        database_url=database_url,
        redis_url=redis_url,
        internal_token=internal_token,
        ingest_url="http://127.0.0.1:1",
        alerts_url="http://127.0.0.1:1",
        model_job_claim_after_s=1.0,
    )


@pytest.fixture
async def ingest(park: Park) -> AsyncIterator[IngestClient]:
    transport = httpx.ASGITransport(park.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        yield IngestClient(client)


@pytest.fixture
async def parts(settings: ModelSettings) -> AsyncIterator[Parts]:
    async with open_parts(settings, "test", "model-test") as opened:
        yield opened


@pytest.fixture
async def client(settings: ModelSettings, internal_token: str) -> AsyncIterator[httpx.AsyncClient]:
    """The running service, with the park's file loaded."""
    app = build_app(settings)
    auth, headers = ServiceAuth(internal_token, "tests", "model"), {"X-Fenceline-Actor": "tester"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://model", auth=auth, headers=headers, timeout=60
        ) as opened,
    ):
        (await opened.put(f"/parks/{PARK}/registry", json=PARK_FILE)).raise_for_status()
        yield opened


Working = Callable[..., contextlib.AbstractAsyncContextManager[Worker]]


@pytest.fixture
def working(settings: ModelSettings, ingest: IngestClient) -> Working:
    """`async with working("name"):` a worker takes jobs while the block runs; `changes` are to its settings."""

    @asynccontextmanager
    async def one(name: str = "worker-1", patience_s: float = 20.0, **changes: Any) -> AsyncIterator[Worker]:
        own = settings.model_copy(update=changes)
        async with open_parts(own, name, "model-worker") as parts:
            worker = Worker(parts.engine, parts.queue, ingest, own, name, ingest_patience_s=patience_s)
            task = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                await end_all((task,))

    return one
