"""Ingest over HTTP: one module a resource."""

from fastapi import APIRouter

from services.ingest.api import (
    changes,
    commands,
    corrections,
    devices,
    export,
    observations,
    registry,
    reports,
    series,
    statistics,
)

ROUTERS: tuple[APIRouter, ...] = (
    registry.router,
    devices.router,
    commands.router,
    observations.router,
    series.router,
    corrections.router,
    statistics.router,
    changes.router,
    export.router,
    reports.router,
)
