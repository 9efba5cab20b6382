"""Floods of alarms: more than an operator can look at.

ISA-18.2 and EEMUA 191: a flood begins with more than ten alarms in ten minutes for one operator, and ends when the rate
falls below five in ten minutes. The numbers can be changed park by park.
"""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.levels import Colour


class FloodRule(BaseModel):
    """When alarms are too many, and how people are called then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operators: int = Field(default=1, ge=1, le=100, description="who look at the alarms of the park at one time")
    window_s: float = Field(default=600, ge=10, le=86_400)
    begins_above: int = Field(default=10, ge=1, le=10_000, description="alarms in the window for one operator")
    ends_below: int = Field(default=5, ge=1, le=10_000, description="alarms in the window for one operator")
    hold_s: float = Field(
        default=60, ge=0, le=600, description="in a flood, between two calls of a role about one incident"
    )
    at_once: Colour = Field(default=Colour.ORANGE, description="in a flood too, from this colour on nobody waits")

    def begins(self, alarms: int) -> bool:
        """Whether so many alarms in the window are a flood."""
        return alarms > self.begins_above * self.operators

    def ends(self, alarms: int) -> bool:
        """Whether a flood is over with so many alarms in the window."""
        return alarms < self.ends_below * self.operators

    @model_validator(mode="after")
    def _ends_before_it_begins(self) -> "FloodRule":
        if self.ends_below > self.begins_above:
            raise ValueError("ends_below must not be above begins_above")
        return self
