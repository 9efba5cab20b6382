"""Bodies about what is observed."""

from pydantic import BaseModel, Field

from shared.text import BilingualText
from shared.vocabulary import Kind


class ObservedProperty(BaseModel):
    """What a datastream may measure. Its values are stored in ``unit``."""

    id: str
    kind: Kind
    name: BilingualText
    unit: str
    definition: str | None = Field(
        description="URI of the quantity by its CF standard name, else of the substance by its CAS number, else null"
    )
    cas: str | None = Field(description="CAS number; null for mixtures and what is no substance")
    molar_mass_g_mol: float | None
    factor_2017: str | None = Field(description="code of HJ 212-2017")
    factor_2005: str | None = Field(description="code of HJ/T 212-2005")


class ObservedPropertyPage(BaseModel):
    """All observed properties by id."""

    items: list[ObservedProperty]
    next: str | None = None
