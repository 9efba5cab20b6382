"""What the API shows of a substance."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from services.model.chemicals import Chemical, Guideline
from services.model.chemicals.conversion import mg_m3_per_ppm
from services.model.chemicals.missing import missing
from shared.text import BilingualText


class ChemicalView(BaseModel):
    """A substance with its toxic endpoints (HJ 169-2018, Appendix H) and where they were read."""

    cas: str
    name: BilingualText
    molar_mass_g_mol: float | None
    endpoint1_mg_m3: float
    endpoint2_mg_m3: float
    boiling_point_c: float | None
    factors: list[str] = Field(description="HJ 212 factor codes: of 2017, then of 2005")
    source: str
    read_in_standard: bool

    @classmethod
    def of(cls, entry: Chemical) -> ChemicalView:
        """The view of a catalogue entry."""
        return cls(**{name: getattr(entry, name) for name in ChemicalView.model_fields})


class ChemicalPage(BaseModel):
    """Substances."""

    items: list[ChemicalView]
    next: str | None = None


class SourcedView(BaseModel):
    """A value, where it was read, and whether it was read there or written from memory."""

    value: float
    unit: str
    source: str
    verified: bool


class GuidelineView(BaseModel):
    """A concentration that guards people. NR is "not recommended", which is not zero."""

    key: str
    duration_min: int | None
    status: Literal["value", "not-recommended"]
    unit: str = Field(description="of the table; the other one is converted")
    ppm: float | None
    mg_m3: float | None
    lel_share: float | None = Field(description="at least this share of the lower limit of flammability")
    source: str
    verified: bool

    @classmethod
    def of(cls, entry: Guideline, factor: float | None) -> GuidelineView:
        """The view of a guideline; `factor` [mg/m3 a ppm] converts what its table has in ppm."""
        return cls(
            key=entry.key,
            duration_min=entry.duration_min,
            status="not-recommended" if entry.value is None else "value",
            unit=entry.unit,
            ppm=entry.ppm,
            mg_m3=entry.mg_m3 if entry.ppm is None or factor is None else entry.ppm * factor,
            lel_share=entry.lel_share,
            source=entry.source,
            verified=entry.verified,
        )


class ProbitView(BaseModel):
    """Constants of Y = a + b ln(C^n t), with the units that belong to them."""

    a: float
    b: float
    n: float
    concentration_unit: str
    time_unit: str
    source: str
    verified: bool


class MissingView(BaseModel):
    """A value that is not known, and why."""

    what: str
    reason: BilingualText


class ConversionView(BaseModel):
    """How ppm became mg/m3 in this answer: as an ideal gas, by 24.45 L/mol at 25 °C and 101.325 kPa."""

    temperature_c: float
    pressure_kpa: float
    mg_m3_per_ppm: float | None


class ChemicalDetail(ChemicalView):
    """All that is known of a substance, each value with its source, and what is not known."""

    also_named: list[str]
    guidelines: list[GuidelineView]
    properties: dict[str, SourcedView | None]
    probits: list[ProbitView]
    conversion: ConversionView
    missing: list[MissingView]

    @classmethod
    def at(cls, entry: Chemical, temperature_c: float, pressure_kpa: float) -> ChemicalDetail:
        """The view of a catalogue entry, converted at a temperature [deg C] and a pressure [kPa]."""
        mass = entry.molar_mass_g_mol
        factor = None if mass is None else mg_m3_per_ppm(mass, temperature_c, pressure_kpa)
        return cls(
            **dict(ChemicalView.of(entry)),
            also_named=list(entry.also_named),
            guidelines=[GuidelineView.of(guideline, factor) for guideline in entry.guidelines.all()],
            properties={
                name: None if value is None else SourcedView(**value)
                for name, value in asdict(entry.properties).items()
            },
            probits=[ProbitView(**asdict(probit)) for probit in entry.probits],
            conversion=ConversionView(temperature_c=temperature_c, pressure_kpa=pressure_kpa, mg_m3_per_ppm=factor),
            missing=[MissingView(what=lack.what, reason=lack.reason) for lack in missing(entry)],
        )
