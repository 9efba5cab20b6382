"""`/chemicals`: the catalogue."""

from fastapi import APIRouter

from services.model.api.schemas import ChemicalPage, ChemicalView
from services.model.chemicals import UnknownChemical, all_chemicals, chemical
from shared.problems import NotFound, responses

router = APIRouter(tags=["chemicals"])


@router.get("/chemicals")
async def list_chemicals() -> ChemicalPage:
    """Every substance of the catalogue."""
    return ChemicalPage(items=[ChemicalView.of(entry) for entry in all_chemicals()])


@router.get("/chemicals/{cas}", responses=responses(NotFound))
async def get_chemical(cas: str) -> ChemicalView:
    """One substance by its CAS number."""
    try:
        return ChemicalView.of(chemical(cas))
    except UnknownChemical as error:
        raise NotFound(str(error.args[0])) from error
