"""What a park says of its alarms as a whole, beside its rules."""

from pydantic import BaseModel, ConfigDict

from services.alerts.incidents import Grouping


class Policy(BaseModel):
    """The policy of a park; what it does not say is as by default, and no guide's word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grouping: Grouping = Grouping()
