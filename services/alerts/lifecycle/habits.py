"""Bad habits of alarms: chattering and stale.

The definitions are those of ISA-18.2 (16.5) and EEMUA 191; their numbers are the examples that both give, and are to be
configured: three raises within a minute, and a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.lifecycle.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Habits:
    """What counts as which. A chattering alarm is raised `chattering_raises` times within `chattering_within`."""

    chattering_raises: int = 3
    chattering_within: timedelta = timedelta(minutes=1)
    stale_after: timedelta = timedelta(hours=24)

    def is_chattering(self, raises: Sequence[datetime]) -> bool:
        """Whether the last raises of an alarm, event times in order, make it a chattering one."""
        last = raises[-self.chattering_raises :]
        return len(last) == self.chattering_raises and last[-1] - last[0] <= self.chattering_within

    def is_stale(self, alarm: Alarm, now: datetime) -> bool:
        """Whether the alarm has stood, for everybody to see, since its last raise for so long that nobody looks."""
        since = alarm.raises[-1] if alarm.raises else alarm.raised_at
        return alarm.active and not alarm.state.is_hidden and now - since >= self.stale_after
