"""The park of a stand-in for the gateway: canned answers in the shapes of the real services, which a test changes.

`stub_server.py` serves it. What the real system can show is tested against the real system (`test_running_park.py`).
"""

import json
import math
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.park_file import ParkFile, Station, read_park_file
from shared.vocabulary import observed_properties
from tests.browser.stub_alarms import StubAlarms

ROOT = Path(__file__).resolve().parents[2]
PARK_FILE = ROOT / "simulator" / "park.yaml"
API_KEY = "fl_stub_key"


def iso(moment: datetime) -> str:
    """The moment as the API writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def polygon(ring: Any) -> dict[str, Any]:
    """A GeoJSON polygon of one ring."""
    return {"type": "Polygon", "coordinates": [[list(position) for position in ring]]}


class StubPark:
    """What the stub answers; a test changes it while the page looks on."""

    def __init__(self, park_file: ParkFile | None = None) -> None:
        self.file = park_file or read_park_file(PARK_FILE)
        self.signed_in = False
        self.scopes = ["read", "write"]
        self.alerts = StubAlarms()
        self.runs: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, Any] | None]] = []
        self.refused: dict[str, int] = {}
        """Paths under /api/v1 that answer with this status."""
        self.stations = [self._station(number, one) for number, one in enumerate(self.file.stations)]
        self.latest = {stream["id"]: self._calm(stream) for stream in self.streams}
        self._listeners: list[queue.Queue[bytes | None]] = []
        self._lock = threading.Lock()

    @property
    def streams(self) -> list[dict[str, Any]]:
        """All datastreams."""
        return [stream for station in self.stations for stream in station["datastreams"]]

    def stream_of(self, code: str, property_id: str | None = None) -> dict[str, Any]:
        """The real-time datastream of a station, the first one unless named."""
        station = next(one for one in self.stations if one["code"] == code)
        streams: list[dict[str, Any]] = station["datastreams"]
        return next(one for one in streams if property_id in (None, one["property_id"]))

    def _station(self, number: int, station: Station) -> dict[str, Any]:
        properties = observed_properties()
        return {
            "id": self.file.id_of(station.id),
            "code": station.id,
            "name": station.name.model_dump(),
            "ring": station.ring,
            "enterprise_id": self.file.id_of(station.enterprise) if station.enterprise else None,
            "location": station.location.model_dump(),
            "device": {"mn": station.device.mn, "last_seen": iso(datetime.now(UTC))} if station.device else None,
            "datastreams": [
                {
                    "id": 1 + number * 100 + place,
                    "property_id": stream.property,
                    "property_kind": properties[stream.property].kind,
                    "property_name": properties[stream.property].name.model_dump(),
                    "unit": properties[stream.property].unit,
                    "cadence": "realtime",
                    "range_upper": stream.range_upper,
                    "detection_limit": stream.detection_limit,
                }
                for place, stream in enumerate(station.datastreams)
            ],
        }

    def _calm(self, stream: dict[str, Any]) -> dict[str, Any]:
        values = {"wind-speed": 3.4, "wind-direction": 62.0, "temperature": 12.5, "humidity": 58.0, "pressure": 101.9}
        value = values.get(stream["property_id"], 0.04)
        return {"datastream_id": stream["id"], "time": iso(datetime.now(UTC)), "value": value, "quality": "N"}

    # What a test does to the park

    def read(self, datastream_id: int, value: float | None, quality: str = "N", age_s: float = 0.0) -> None:
        """A station reads a value."""
        time = iso(datetime.now(UTC) - timedelta(seconds=age_s))
        self.latest[datastream_id] = {"datastream_id": datastream_id, "time": time, "value": value, "quality": quality}

    def refresh(self, without: frozenset[int] = frozenset()) -> None:
        """Every datastream but those in `without` repeats its value now."""
        for stream_id, reading in self.latest.items():
            if stream_id not in without:
                reading["time"] = iso(datetime.now(UTC))

    def alarm(self, code: str, colour: str, **fields: Any) -> dict[str, Any]:
        """An open alarm at a station."""
        stream = self.stream_of(code)
        station = next(one for one in self.stations if one["code"] == code)
        now = iso(datetime.now(UTC))
        alarm = {
            "id": f"alarm-{code}",
            "park_id": self.file.park.id,
            "station_id": station["id"],
            "station_name": station["name"],
            "ring": station["ring"],
            "datastream_id": stream["id"],
            "property_id": stream["property_id"],
            "rule_id": f"level.{stream['property_id']}",
            "state": "unacknowledged",
            "active": True,
            "colour": colour,
            "peak_colour": colour,
            "value": 12.4,
            "peak_value": 12.4,
            "unit": "mg/m3",
            "threshold": 5.8,
            "raised_at": now,
            "changed_at": now,
            "recorded_at": now,
            "acknowledged_by": None,
            "acknowledged_at": None,
            "comment": None,
            "returned_at": None,
            "closed_at": None,
        } | fields
        return self.alerts.put(alarm)

    def send(self, kind: str, data: dict[str, Any], event_id: str | None = None) -> None:
        """An event to every page that listens."""
        place = f"id: {event_id}\n" if event_id else ""
        block = f"event: {kind}\n{place}data: {json.dumps(data)}\n\n".encode()
        with self._lock:
            for listener in self._listeners:
                listener.put(block)

    def send_observations(self) -> None:
        """The live values, as the gateway tells them each second."""
        self.send("observation", {"park_id": self.file.park.id, "items": list(self.latest.values())})

    def drop_listeners(self) -> None:
        """End every event stream."""
        with self._lock:
            for listener in self._listeners:
                listener.put(None)

    @property
    def listening(self) -> int:
        """How many pages listen."""
        with self._lock:
            return len(self._listeners)

    def listen(self) -> "queue.Queue[bytes | None]":
        """A new listener."""
        listener: queue.Queue[bytes | None] = queue.Queue()
        with self._lock:
            self._listeners.append(listener)
        return listener

    def leave(self, listener: "queue.Queue[bytes | None]") -> None:
        """A listener has gone."""
        with self._lock:
            self._listeners.remove(listener)

    # What the page asks

    def answer(self, method: str, path: str, query: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        """Status and document for a path below /api/v1."""
        if path in self.refused:
            return self.refused[path], {"title": "Refused", "detail": f"the stub refuses {path}"}
        if path == "/session":
            return self._session(method, body)
        if not self.signed_in:
            return 401, {"title": "Credentials missing or wrong"}
        own = f"/parks/{self.file.park.id}"
        if path == "/parks":
            return 200, {"items": [self._park()], "next": None}
        if path == "/chemicals":
            return 200, {"items": CHEMICALS, "next": None}
        if not path.startswith(own + "/"):
            return 404, {"title": "Not found"}
        return self._park_answer(method, path.removeprefix(own), query, body)

    def _session(self, method: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        if method == "POST":
            self.signed_in = body is not None and body.get("api_key") == API_KEY
        if method == "DELETE":
            self.signed_in = False
            return 204, None
        if not self.signed_in:
            return 401, {"title": "Credentials missing or wrong", "detail": "The API key is wrong."}
        session = {"key_name": "demo", "parks": [self.file.park.id], "scopes": self.scopes, "demo": False}
        return 200, {"authenticated": True, **session}

    def _park(self) -> dict[str, Any]:
        park = self.file.park
        return {
            "id": park.id,
            "name": park.name.model_dump(),
            "fictitious": park.fictitious,
            "timezone": park.timezone,
            "boundary": polygon(park.boundary),
            "station_count": len(self.stations),
        }

    def _park_answer(self, method: str, path: str, query: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        first, _, rest = path.strip("/").partition("/")
        if (told := self.alerts.answer(method, path.strip("/").split("/"), query, body or {})) is not None:
            return told
        if first == "runs" and method == "POST":
            return 202, self._new_run(body or {})
        if first == "runs" and rest:
            run = next((one for one in self.runs if one["id"] == rest), None)
            return (200, run) if run else (404, {"title": "Not found"})
        if first == "meteorology":
            return 200, {
                "at": iso(datetime.now(UTC)), "window_s": 600, "wind_speed_m_s": 3.2, "wind_from_deg": 60.0,
                "sigma_theta_deg": 14.0, "temperature_c": 12.5, "stations": [], "age_s": 1, "samples": 40,
            }  # fmt: skip
        lists: dict[str, Callable[[], list[Any]]] = {
            "stations": lambda: self.stations,
            "enterprises": self._enterprises,
            "risk-sources": self._risk_sources,
            "receptors": self._receptors,
            "rules": self._rules,
            "runs": lambda: [{**run, "result": None} for run in self.runs],
            "latest": lambda: list(self.latest.values()) if "minute" not in query else [],
            "observations": lambda: self._observations(query),
        }
        if first not in lists:
            return 404, {"title": "Not found"}
        return 200, {"items": lists[first](), "next": None}

    def _new_run(self, body: dict[str, Any]) -> dict[str, Any]:
        run = {
            "id": f"run-{len(self.runs) + 1}", "park_id": self.file.park.id, "state": "queued", "trigger": "manual",
            "requested_by": "demo", "created_at": iso(datetime.now(UTC)), "finished_at": None,
            "chemical": body.get("chemical"), "chemical_name": None, "source": None, "inputs": {"request": body},
            "result": None, "error": None,
        }  # fmt: skip
        self.runs.insert(0, run)
        return run

    def _enterprises(self) -> list[Any]:
        return [
            {
                "id": self.file.id_of(one.id),
                "name": one.name.model_dump(),
                "area": polygon(one.area) if one.area else None,
            }
            for one in self.file.enterprises
        ]

    def _risk_sources(self) -> list[Any]:
        return [
            {
                "id": self.file.id_of(one.id), "name": one.name.model_dump(), "chemical": one.chemical,
                "enterprise_id": None, "location": one.location.model_dump(), "inventory_kg": one.inventory_kg,
            }
            for one in self.file.risk_sources
        ]  # fmt: skip

    def _receptors(self) -> list[Any]:
        return [
            {
                "id": self.file.id_of(one.id), "name": one.name.model_dump(), "kind": one.kind,
                "population": one.population, "location": one.location.model_dump(),
            }
            for one in self.file.receptors
        ]  # fmt: skip

    def _rules(self) -> list[Any]:
        levels = [
            {"colour": colour, "threshold": threshold, "source": "stub"}
            for colour, threshold in (("yellow", 1.5), ("orange", 5.8), ("red", 58.0))
        ]
        properties = {stream["property_id"] for stream in self.streams if stream["unit"] == "mg/m3"}
        rings = ("source", "boundary", "receptor")
        return [
            {
                "rule_id": f"level.{one}",
                "ring": ring,
                "station_id": None,
                "property_id": one,
                "unit": "mg/m3",
                "levels": levels,
            }
            for one in sorted(properties)
            for ring in rings
        ]

    def _observations(self, query: str) -> list[Any]:
        wanted = [int(part.partition("=")[2]) for part in query.split("&") if part.startswith("datastream_id=")]
        now = datetime.now(UTC)
        times = [now - timedelta(seconds=10 * step) for step in range(180, 0, -1)]
        return [
            {
                "datastream_id": stream_id, "unit": "mg/m3", "resolution": "raw",
                "time": [iso(time) for time in times],
                "value": [0.05 + 12 / (1 + math.exp((40 - step) / 6)) for step in range(-120, 60)],
                "quality": ["N"] * len(times),
            }
            for stream_id in wanted
        ]  # fmt: skip


CHEMICALS = [
    {
        "cas": cas,
        "name": {"zh": zh, "en": en},
        "molar_mass_g_mol": mass,
        "endpoint1_mg_m3": first,
        "endpoint2_mg_m3": second,
    }
    for cas, zh, en, mass, first, second in (
        ("7782-50-5", "氯", "Chlorine", 70.9, 58, 5.8),
        ("7664-41-7", "氨", "Ammonia", 17.03, 770, 110),
        ("7783-06-4", "硫化氢", "Hydrogen sulfide", 34.08, 70, 38),
        ("71-43-2", "苯", "Benzene", 78.11, 13000, 2600),
        ("107-13-1", "丙烯腈", "Acrylonitrile", 53.06, 61, 3.7),
    )
]
