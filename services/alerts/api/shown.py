"""Alarms as they are told over HTTP: each with its incident, and with who was called and who will be."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.api.schemas import AlarmOut, EscalationOut
from services.alerts.lifecycle import Alarm, Habits
from services.alerts.notifications import Step, Waiting, next_call
from services.alerts.store import alarm_context, policies


async def shown(
    connection: AsyncConnection, park_id: str, alarms: Sequence[Alarm], now: datetime, habits: Habits
) -> list[AlarmOut]:
    """These alarms of one park at `now` (wall time), in their order."""
    contexts = await alarm_context.of_alarms(connection, (alarm.id for alarm in alarms))
    any_waits = any(context.waiting is not None for context in contexts.values())
    steps = (await policies.of_park(connection, park_id)).escalation if any_waits else ()
    told: list[AlarmOut] = []
    for alarm in alarms:
        context = contexts[alarm.id]
        one = AlarmOut.of(alarm, now, habits)
        one.incident_id = context.incident_id
        one.escalation = _escalation(context.waiting, steps) if context.waiting is not None else None
        told.append(one)
    return told


def _escalation(waiting: Waiting, steps: Sequence[Step]) -> EscalationOut:
    """Roles in the order of the policy; one that the policy no longer names comes first."""
    order = {step.role: place for place, step in enumerate(steps)}
    called = sorted(waiting.called, key=lambda role: (order.get(role, -1), role))
    following = next_call(waiting, steps)
    return EscalationOut(
        since=waiting.since,
        called=called,
        next_role=following[0].role if following is not None else None,
        next_at=following[1] if following is not None else None,
    )
