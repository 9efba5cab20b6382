"""What the API shows besides runs."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.model.runs.result import Run
from services.model.store.registry import ReceptorRow, RiskSourceRow
from shared.text import BilingualText


class LocationView(BaseModel):
    """WGS 84; height above ground [m]."""

    longitude: float
    latitude: float
    height_m: float


class RiskSourceView(BaseModel):
    """A vessel, pipe or area that can release."""

    id: str
    name: BilingualText
    enterprise_id: str | None
    chemical: str
    location: LocationView
    inventory_kg: float | None

    @classmethod
    def of(cls, row: RiskSourceRow) -> RiskSourceView:
        """The view of a stored risk source."""
        return cls(
            id=row.id,
            name=BilingualText(zh=row.name_zh, en=row.name_en),
            enterprise_id=row.enterprise_id,
            chemical=row.chemical,
            location=LocationView(longitude=row.longitude, latitude=row.latitude, height_m=row.height_m),
            inventory_kg=row.inventory_kg,
        )


class ReceptorPlaceView(BaseModel):
    """A sensitive target."""

    id: str
    name: BilingualText
    kind: str
    population: int
    location: LocationView

    @classmethod
    def of(cls, row: ReceptorRow) -> ReceptorPlaceView:
        """The view of a stored receptor."""
        return cls(
            id=row.id,
            name=BilingualText(zh=row.name_zh, en=row.name_en),
            kind=row.kind,
            population=row.population,
            location=LocationView(longitude=row.longitude, latitude=row.latitude, height_m=row.height_m),
        )


class RiskSourcePage(BaseModel):
    """Risk sources."""

    items: list[RiskSourceView]
    next: str | None = None


class ReceptorPage(BaseModel):
    """Receptors."""

    items: list[ReceptorPlaceView]
    next: str | None = None


class RunPage(BaseModel):
    """Runs, newest first, without their results."""

    items: list[Run]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")


class RegistryCounts(BaseModel):
    """What the model now keeps of the park."""

    risk_sources: int
    receptors: int
