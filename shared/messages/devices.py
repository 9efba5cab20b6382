"""Devices that fall silent, and are heard again."""

from typing import Literal

from shared.messages.base import Message
from shared.time import UtcDatetime


class DeviceSilenceChanged(Message):
    """Nothing came from a device for longer than it may be silent, or something came again.

    ``last_seen`` is the time of its last whole frame, None where none has ever come; ``at`` is when it was noticed.
    """

    version: Literal[1] = 1
    park_id: str
    station_id: str
    mn: str
    silent: bool
    silent_after_s: float
    last_seen: UtcDatetime | None
    at: UtcDatetime
