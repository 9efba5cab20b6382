"""Ingest over HTTP: one module a resource."""

from fastapi import APIRouter

from services.ingest.api import (
    archive,
    changes,
    commands,
    completeness,
    conversions,
    corrections,
    device_reports,
    devices,
    export,
    mapping,
    mqtt,
    observations,
    registry,
    reports,
    series,
    statistics,
    uploads,
    vocabulary,
    wind,
)

ROUTERS: tuple[APIRouter, ...] = (
    registry.router,
    archive.router,
    mapping.router,
    devices.router,
    device_reports.router,
    commands.router,
    observations.router,
    uploads.router,
    mqtt.router,
    series.router,
    completeness.router,
    corrections.router,
    statistics.router,
    changes.router,
    export.router,
    reports.router,
    wind.router,
    conversions.router,
    vocabulary.router,
)
