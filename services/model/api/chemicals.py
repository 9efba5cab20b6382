"""`/chemicals`: the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.model.api.chemical_schemas import ChemicalDetail, ChemicalPage, ChemicalView
from services.model.chemicals import UnknownChemical, chemical
from services.model.chemicals.search import search as search_catalogue
from shared.problems import NotFound, responses

router = APIRouter(tags=["chemicals"])

Search = Annotated[
    str, Query(max_length=100, description="CAS number, English or Chinese name, HJ 212 factor; or a part of one")
]
Temperature = Annotated[float, Query(ge=-100, le=500, description="°C at which ppm is converted to mg/m3")]
Pressure = Annotated[float, Query(ge=10, le=200, description="kPa at which ppm is converted to mg/m3")]


@router.get("/chemicals")
async def list_chemicals(search: Search = "") -> ChemicalPage:
    """The substances that match, best first; all of them without a search."""
    return ChemicalPage(items=[ChemicalView.of(entry) for entry in search_catalogue(search)])


@router.get("/chemicals/{cas}", responses=responses(NotFound))
async def get_chemical(cas: str, temperature_c: Temperature = 25.0, pressure_kpa: Pressure = 101.325) -> ChemicalDetail:
    """All that is known of one substance, by its CAS number: each value with its source, and what is not known."""
    try:
        return ChemicalDetail.at(chemical(cas), temperature_c, pressure_kpa)
    except UnknownChemical as error:
        raise NotFound(str(error.args[0])) from error
