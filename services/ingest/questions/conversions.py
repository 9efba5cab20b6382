"""How the values of datastreams came to their stored unit, at any time since they are registered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.units import depends_on_state, scale
from shared.problems import NotFound
from shared.vocabulary import observed_properties

_CONVERSIONS = text(
    """
    SELECT c.id, c.datastream_id, c.since, c.device_unit, c.standard_state_c, c.at_measured_state, d.property_id
    FROM conversion c JOIN datastream d ON d.id = c.datastream_id JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park AND c.datastream_id = ANY(CAST(:ids AS integer[])) AND c.id > :after
    ORDER BY c.id LIMIT :limit
    """
)
_OWNED = text(
    """
    SELECT d.id FROM datastream d JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park AND d.id = ANY(CAST(:ids AS integer[]))
    """
)
PAGE = 1000


async def conversions(
    connection: AsyncConnection, park_id: str, ids: Sequence[int], cursor: str | None
) -> schemas.ConversionPage:
    """The conversions of these datastreams by time. Raises NotFound for one that the park has not."""
    asked = {"park": park_id, "ids": sorted(set(ids))}
    owned = set((await connection.execute(_OWNED, asked)).scalars())
    if missing := sorted(set(ids) - owned):
        raise NotFound(f"Park '{park_id}' has no datastream {', '.join(map(str, missing[:10]))}.")
    rows = (await connection.execute(_CONVERSIONS, {**asked, "after": int(cursor or 0), "limit": PAGE + 1})).all()
    following = str(rows[PAGE - 1].id) if len(rows) > PAGE else None
    return schemas.ConversionPage(items=[_conversion(row) for row in rows[:PAGE]], next=following)


def _conversion(row: Row[Any]) -> schemas.Conversion:
    stored = observed_properties()[row.property_id]
    return schemas.Conversion(
        datastream_id=row.datastream_id,
        since=row.since,
        unit=row.device_unit,
        stored_unit=stored.unit,
        standard_state_c=row.standard_state_c,
        at_measured_state=row.at_measured_state and depends_on_state(row.device_unit, stored.unit),
        factor=scale(row.device_unit, stored.unit, stored.molar_mass_g_mol, row.standard_state_c),
    )
