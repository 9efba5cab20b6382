"""What a park says of its alarms as a whole, beside its rules."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.alerts.incidents import Grouping
from services.alerts.notifications.escalation import DEFAULT_STEPS, Step
from services.alerts.notifications.flood import FloodRule


class Policy(BaseModel):
    """The policy of a park; what it does not say is as by default, and no guide's word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grouping: Grouping = Grouping()
    flood: FloodRule = FloodRule()
    escalation: tuple[Step, ...] = Field(default=DEFAULT_STEPS, max_length=10)

    @field_validator("escalation")
    @classmethod
    def _each_role_once(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        roles = [step.role for step in steps]
        if len(set(roles)) < len(roles):
            raise ValueError("escalation: a role can be called once; give the later call to another role")
        return steps
