"""Conditions across stations, as documents: in park files and in the API of rules. Times in seconds.

Each makes one value of the readings of several stations, which is compared with the levels of its rule.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.vocabulary import observed_properties


def _gas(property_id: str) -> str:
    known = {name: entry for name, entry in observed_properties().items() if entry.is_in_the_air}
    if property_id not in known:
        raise ValueError(f"no gas or particle that is observed; known are {', '.join(sorted(known))}")
    return property_id


GasId = Annotated[str, AfterValidator(_gas)]
GasRing = Literal["source", "boundary", "receptor"]
StationCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Windy(_Document):
    """How the wind is taken from the park's own stations: the vector mean of its directions over `wind_mean_s`.

    Below `calm_m_s` it has no direction (0.5 m/s: static wind in HJ 2.2-2018), and the condition proves nothing.
    """

    sector_deg: float = Field(default=45, gt=0, le=90, description="how far off the wind's axis a station may lie")
    wind_mean_s: float = Field(default=600, gt=0, le=3600)
    calm_m_s: float = Field(default=0.5, ge=0, le=5)


class KOfN(_Windy):
    """That `k` stations of a ring reach a level within `within_s`: the k-th highest of their highest readings.

    `along_wind`: the k stations lie downwind of the first of them, within its sector.
    """

    kind: Literal["k_of_n"]
    property: GasId
    ring: GasRing = "boundary"
    k: int = Field(ge=2, le=50)
    within_s: float = Field(default=60, ge=0, le=900)
    along_wind: bool = False


class UpwindDifference(_Windy):
    """The highest reading downwind less the mean of those upwind: what the park itself adds.

    After the reference point of GB 16297-1996, appendix C, and HJ/T 55-2000. Upwind and downwind are judged from the
    middle of the ring's stations.
    """

    kind: Literal["upwind_difference"]
    property: GasId
    ring: GasRing = "boundary"


class RatioLimit(_Document):
    """The limit of one substance of a mixture."""

    property: GasId
    limit: float = Field(gt=0, description="in the stored unit")
    source: str = Field(min_length=1, max_length=500, description="where the number comes from")


class SumOfRatios(_Document):
    """The sum of what a station measures, each over its limit (additive effects: GBZ 2.1-2019); of several stations
    the highest sum. The levels are plain numbers; 1 is the limit of the mixture."""

    kind: Literal["sum_of_ratios"]
    limits: list[RatioLimit] = Field(min_length=2, max_length=20)
    ring: GasRing | None = None
    station: StationCode | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.ring is not None and self.station is not None:
            raise ValueError("give one of ring and station, or none for every station of the park")
        properties = [limit.property for limit in self.limits]
        if len(set(properties)) < len(properties):
            raise ValueError("limits: a property is given twice")
        return self


AcrossCondition = Annotated[KOfN | UpwindDifference | SumOfRatios, Field(discriminator="kind")]
