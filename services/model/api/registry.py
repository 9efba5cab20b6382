"""`/parks/{park_id}/...`: risk sources, receptors and the park file."""

from fastapi import APIRouter

from services.model.api.dependencies import Uses
from services.model.api.schemas import (
    ReceptorPage,
    ReceptorPlaceView,
    RegistryCounts,
    RiskSourcePage,
    RiskSourceView,
)
from services.model.store import registry as store
from shared.park_file import ParkFile
from shared.problems import Unprocessable, responses

router = APIRouter(prefix="/parks/{park_id}", tags=["registry"])


@router.put("/registry", responses=responses(Unprocessable))
async def put_registry(park_id: str, file: ParkFile, uses: Uses) -> RegistryCounts:
    """Make the park's risk sources and receptors those of the file. Sending it twice changes nothing."""
    if file.park.id != park_id:
        raise Unprocessable(f"The file describes the park {file.park.id!r}, but the path names {park_id!r}.")
    async with uses.parts.engine.begin() as connection:
        sources, receptors = await store.replace_park(connection, file)
    return RegistryCounts(risk_sources=sources, receptors=receptors)


@router.get("/risk-sources")
async def list_risk_sources(park_id: str, uses: Uses) -> RiskSourcePage:
    """The park's risk sources."""
    async with uses.parts.engine.connect() as connection:
        rows = await store.risk_sources(connection, park_id)
    return RiskSourcePage(items=[RiskSourceView.of(row) for row in rows])


@router.get("/receptors")
async def list_receptors(park_id: str, uses: Uses) -> ReceptorPage:
    """The park's sensitive targets."""
    async with uses.parts.engine.connect() as connection:
        rows = await store.receptors(connection, park_id)
    return ReceptorPage(items=[ReceptorPlaceView.of(row) for row in rows])
