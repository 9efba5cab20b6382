"""The contract between the services: every message on Redis, as a pydantic model with a version."""

from shared.messages.alarms import AlarmChanged, AlarmState, AlarmTransition
from shared.messages.base import Message
from shared.messages.corrections import CORRECTIONS_STREAM, ObservationsCorrected
from shared.messages.devices import DeviceSilenceChanged
from shared.messages.incidents import IncidentChange, IncidentChanged, IncidentReason, IncidentState
from shared.messages.notifications import FloodChanged, RoleCalled, WaitingAlarm
from shared.messages.observations import ObservationsStored
from shared.messages.registry import RegistryChanged
from shared.messages.runs import RunChanged, RunRequested, RunState

__all__ = [
    "CORRECTIONS_STREAM",
    "AlarmChanged",
    "AlarmState",
    "AlarmTransition",
    "DeviceSilenceChanged",
    "FloodChanged",
    "IncidentChange",
    "IncidentChanged",
    "IncidentReason",
    "IncidentState",
    "Message",
    "ObservationsCorrected",
    "ObservationsStored",
    "RegistryChanged",
    "RoleCalled",
    "RunChanged",
    "RunRequested",
    "RunState",
    "WaitingAlarm",
]
