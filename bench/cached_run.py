"""`POST /runs` for what was computed before: from the request leaving a client to its whole answer, over HTTP."""

from __future__ import annotations

from bench import service
from bench.benchmark import Measured
from bench.timing import alternate, rounded

PARK = "bench-park"

# A caller asks now and then; without a rest, each answer would wait for the announcing of the one before.
REST_S = 0.1
REQUEST = {
    "chemical": "7782-50-5",
    "source": {"longitude": 118.995, "latitude": 37.1},
    "rate_kg_s": 0.01,
    "meteorology": {"wind_speed_m_s": 5.0, "wind_from_deg": 270.0, "stability": "D"},
    "wait_s": 30,
}


def measure(budget_s: float) -> Measured:
    """Milliseconds for one answer from the store, on a connection that is kept, everything durable."""
    modules = ("services.model", "services.model.worker")
    with service.running(*modules, until="live") as system, system.client("model") as client:

        def ask() -> dict[str, object]:
            answer = client.post(f"/parks/{PARK}/runs", json=REQUEST)
            answer.raise_for_status()
            found: dict[str, object] = answer.json()
            return found

        first = ask()
        if first["state"] != "succeeded":
            raise RuntimeError(f"the first run is {first['state']}: {first['error']}")
        if ask()["cached"] is None:
            raise RuntimeError("the same request was computed twice")
        size = len(client.post(f"/parks/{PARK}/runs", json=REQUEST).content)
        timing = alternate({"cached": ask}, budget_s, rest_s=REST_S)["cached"]
    return Measured(rounded(timing.median_ms), timing.summary() | {"answer_bytes": size})
