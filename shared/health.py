"""Startup, liveness, serving and readiness, each with its own meaning and path.

startup: the process has set itself up. live: its event loop turns. serving: it takes work, whatever else is down.
ready: what it needs answers (503 names what does not).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

Check = Callable[[], Awaitable[object]]
CHECK_TIMEOUT_S = 2.0


class DependencyStatus(BaseModel):
    """One thing that the service needs."""

    up: bool
    detail: Annotated[str | None, Field(description="why it is held to be down")] = None


class HealthReport(BaseModel):
    """The answer of the health paths."""

    status: Literal["ok", "starting", "unavailable"]
    service: str
    dependencies: dict[str, DependencyStatus] = {}


class Health:
    """The health of one process; `checks` are awaited, with a time-out, whenever readiness is asked for."""

    def __init__(self, service: str, checks: dict[str, Check]) -> None:
        self.service = service
        self.checks = checks
        self.started = False
        self.draining = False

    async def report(self) -> HealthReport:
        """Ask every dependency, at the same time."""
        states = await asyncio.gather(*(_state(check) for check in self.checks.values()))
        dependencies = dict(zip(self.checks, states, strict=True))
        if self.draining:
            dependencies["self"] = DependencyStatus(up=False, detail="shutting down")
        up = self.started and all(state.up for state in dependencies.values())
        return HealthReport(status="ok" if up else "unavailable", service=self.service, dependencies=dependencies)


async def _state(check: Check) -> DependencyStatus:
    try:
        await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except TimeoutError:
        return DependencyStatus(up=False, detail=f"no answer in {CHECK_TIMEOUT_S:g} s")
    except Exception as error:  # noqa: BLE001  whatever it is, the dependency is not usable
        return DependencyStatus(up=False, detail=f"{type(error).__name__}: {' '.join(str(error).split())}"[:300])
    return DependencyStatus(up=True)


def health_router(health: Health) -> APIRouter:
    """`/health/*` and `/metrics`; open to whoever can reach the port, and telling no data."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> HealthReport:
        """The event loop turns."""
        return HealthReport(status="ok", service=health.service)

    @router.get("/health/startup")
    async def startup(response: Response) -> HealthReport:
        """The process has set itself up."""
        response.status_code = 200 if health.started else 503
        return HealthReport(status="ok" if health.started else "starting", service=health.service)

    @router.get("/health/serving")
    async def serving(response: Response) -> HealthReport:
        """The process takes work; for load balancers.

        What it needs may be down: that is so for all replicas at once, and a balancer that left all of them out would
        make an outage of a disturbance. Stations, for one, are answered without Redis.
        """
        up = health.started and not health.draining
        response.status_code = 200 if up else 503
        return HealthReport(status="ok" if up else "unavailable", service=health.service)

    @router.get("/health/ready")
    async def ready(response: Response) -> HealthReport:
        """Everything needed answers; else 503 with what does not."""
        report = await health.report()
        response.status_code = 200 if report.status == "ok" else 503
        return report

    @router.get("/metrics", include_in_schema=False)
    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
