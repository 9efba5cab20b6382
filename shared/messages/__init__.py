"""The contract between the services: every message on Redis, as a pydantic model with a version."""

from shared.messages.alarms import AlarmChanged, AlarmState, AlarmTransition
from shared.messages.base import Message
from shared.messages.observations import ObservationsStored
from shared.messages.registry import RegistryChanged
from shared.messages.runs import RunChanged, RunRequested, RunState

__all__ = [
    "AlarmChanged",
    "AlarmState",
    "AlarmTransition",
    "Message",
    "ObservationsStored",
    "RegistryChanged",
    "RunChanged",
    "RunRequested",
    "RunState",
]
