"""Risk sources and receptors: the part of the park file that the model keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.park_file import ParkFile


@dataclass(frozen=True, slots=True)
class RiskSourceRow:
    """One risk source."""

    id: str
    park_id: str
    name_zh: str
    name_en: str
    enterprise_id: str | None
    chemical: str
    longitude: float
    latitude: float
    height_m: float
    inventory_kg: float | None


@dataclass(frozen=True, slots=True)
class ReceptorRow:
    """One sensitive target."""

    id: str
    park_id: str
    name_zh: str
    name_en: str
    kind: str
    population: int
    longitude: float
    latitude: float
    height_m: float


_DELETE_SOURCES = text("DELETE FROM risk_source WHERE park_id = :park_id AND NOT (id = ANY(:ids))")
_DELETE_RECEPTORS = text("DELETE FROM receptor WHERE park_id = :park_id AND NOT (id = ANY(:ids))")
_UPSERT_SOURCE = text(
    """
    INSERT INTO risk_source (id, park_id, name_zh, name_en, enterprise_id, chemical, longitude, latitude, height_m,
                             inventory_kg)
    VALUES (:id, :park_id, :name_zh, :name_en, :enterprise_id, :chemical, :longitude, :latitude, :height_m,
            :inventory_kg)
    ON CONFLICT (id) DO UPDATE SET
        park_id = excluded.park_id, name_zh = excluded.name_zh, name_en = excluded.name_en,
        enterprise_id = excluded.enterprise_id, chemical = excluded.chemical, longitude = excluded.longitude,
        latitude = excluded.latitude, height_m = excluded.height_m, inventory_kg = excluded.inventory_kg
    """
)
_UPSERT_RECEPTOR = text(
    """
    INSERT INTO receptor (id, park_id, name_zh, name_en, kind, population, longitude, latitude, height_m)
    VALUES (:id, :park_id, :name_zh, :name_en, :kind, :population, :longitude, :latitude, :height_m)
    ON CONFLICT (id) DO UPDATE SET
        park_id = excluded.park_id, name_zh = excluded.name_zh, name_en = excluded.name_en, kind = excluded.kind,
        population = excluded.population, longitude = excluded.longitude, latitude = excluded.latitude,
        height_m = excluded.height_m
    """
)


async def replace_park(connection: AsyncConnection, file: ParkFile) -> tuple[int, int]:
    """Make the park's risk sources and receptors those of the file; returns how many of each.

    Rows are written in the order of their ids: two callers at once then take their locks in one order.
    """
    sources = sorted(sources_of(file), key=lambda row: row.id)
    receptors = sorted(receptors_of(file), key=lambda row: row.id)
    for statement, ids in (
        (_DELETE_SOURCES, [row.id for row in sources]),
        (_DELETE_RECEPTORS, [r.id for r in receptors]),
    ):
        await connection.execute(statement, {"park_id": file.park.id, "ids": ids})
    if sources:
        await connection.execute(_UPSERT_SOURCE, [asdict(row) for row in sources])
    if receptors:
        await connection.execute(_UPSERT_RECEPTOR, [asdict(row) for row in receptors])
    return len(sources), len(receptors)


async def risk_sources(connection: AsyncConnection, park_id: str, chemical: str | None = None) -> list[RiskSourceRow]:
    """Return a park's risk sources, of one chemical or of all, in the order of their ids."""
    rows = await connection.execute(
        text(
            """
            SELECT id, park_id, name_zh, name_en, enterprise_id, chemical, longitude, latitude, height_m, inventory_kg
            FROM risk_source
            WHERE park_id = :park_id AND (CAST(:chemical AS text) IS NULL OR chemical = :chemical) ORDER BY id
            """
        ),
        {"park_id": park_id, "chemical": chemical},
    )
    return [RiskSourceRow(*row) for row in rows]


async def receptors(connection: AsyncConnection, park_id: str) -> list[ReceptorRow]:
    """Return a park's receptors in the order of their ids."""
    rows = await connection.execute(
        text(
            """
            SELECT id, park_id, name_zh, name_en, kind, population, longitude, latitude, height_m
            FROM receptor WHERE park_id = :park_id ORDER BY id
            """
        ),
        {"park_id": park_id},
    )
    return [ReceptorRow(*row) for row in rows]


def sources_of(file: ParkFile) -> list[RiskSourceRow]:
    """The risk sources of a park file."""
    return [
        RiskSourceRow(
            id=file.id_of(entry.id),
            park_id=file.park.id,
            name_zh=entry.name.zh,
            name_en=entry.name.en,
            enterprise_id=file.id_of(entry.enterprise) if entry.enterprise else None,
            chemical=entry.chemical,
            longitude=entry.location.longitude,
            latitude=entry.location.latitude,
            height_m=entry.location.height_m,
            inventory_kg=entry.inventory_kg,
        )
        for entry in file.risk_sources
    ]


def receptors_of(file: ParkFile) -> list[ReceptorRow]:
    """The receptors of a park file."""
    return [
        ReceptorRow(
            id=file.id_of(entry.id),
            park_id=file.park.id,
            name_zh=entry.name.zh,
            name_en=entry.name.en,
            kind=entry.kind,
            population=entry.population,
            longitude=entry.location.longitude,
            latitude=entry.location.latitude,
            height_m=entry.location.height_m,
        )
        for entry in file.receptors
    ]
