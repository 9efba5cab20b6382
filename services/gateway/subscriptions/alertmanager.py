"""Alarms for a Prometheus Alertmanager: `POST /api/v2/alerts` (api/v2/openapi.yaml of prometheus/alertmanager). Pure.

An alert is known by its labels, and the colour is one of them (`severity`): an alarm that changes its colour ends the
alerts of its other colours in the same message. Alertmanager would end an alert that it is not told of for minutes;
so each comes with an end far ahead, and the alarm's return brings the true one.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.gateway.subscriptions.subscription import Language, LoggedEvent
from services.gateway.subscriptions.words import lines_of
from shared.levels import Colour
from shared.messages import AlarmChanged, AlarmTransition
from shared.time import iso

PATH = "/api/v2/alerts"
MOST_EVENTS = 100
FIRING_FOR = timedelta(days=30)
_ENDS = (AlarmTransition.RETURNED, AlarmTransition.RESET, AlarmTransition.CLOSED)
_CHANGES = (AlarmTransition.ESCALATED, AlarmTransition.DEESCALATED)


def alerts_of(events: Sequence[LoggedEvent]) -> bytes:
    """The alerts of alarm events, in their order; the last word on each alarm counts."""
    alerts: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        for alert in _test(event) if event.is_test else _of_alarm(event):
            alerts[alert["labels"]["alarm_id"], alert["labels"]["severity"]] = alert
    return json.dumps(list(alerts.values()), ensure_ascii=False).encode()


def _of_alarm(event: LoggedEvent) -> list[dict[str, Any]]:
    alarm = AlarmChanged.decode(event.data.encode())
    stands = alarm.active if alarm.active is not None else alarm.transition not in _ENDS
    fires = stands and not alarm.state.is_hidden
    end = alarm.recorded_at + FIRING_FOR if fires else alarm.recorded_at
    others = [colour for colour in Colour if colour is not alarm.colour] if alarm.transition in _CHANGES else []
    return [
        *(_alert(event, alarm, colour, alarm.recorded_at) for colour in others),
        _alert(event, alarm, alarm.colour, end),
    ]


def _alert(event: LoggedEvent, alarm: AlarmChanged, colour: Colour, end: datetime) -> dict[str, Any]:
    labels = {
        "alertname": "FencelineAlarm",
        "severity": colour.value,
        "park": alarm.park_id,
        "station": alarm.station_id,
        "rule": alarm.rule_id,
        "alarm_id": str(alarm.alarm_id),
        **({"property": alarm.property_id} if alarm.property_id else {}),
    }
    return {"labels": labels, "annotations": _words(event), "startsAt": iso(alarm.raised_at), "endsAt": iso(end)}


def _test(event: LoggedEvent) -> list[dict[str, Any]]:
    labels = {"alertname": "FencelineTest", "severity": "none", "alarm_id": event.stream}
    end = event.at + timedelta(minutes=1)
    return [{"labels": labels, "annotations": _words(event), "startsAt": iso(event.at), "endsAt": iso(end)}]


def _words(event: LoggedEvent) -> dict[str, str]:
    [zh, en] = lines_of(event, Language.BOTH)
    return {"summary": en, "summary_zh": zh}
