"""The alerts service of the stand-in: alarms, what is done to them, incidents, floods, what is out of service.

What a state allows is the real table's word; what becomes of an alarm is told as shortly as the page can tell apart.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.alerts.api.schemas import by_hand
from shared.messages import AlarmState

SHELVE_MOST_S = 28_800
GONE: tuple[int, dict[str, Any]] = (404, {"title": "Not found"})


def stamp(ahead_s: float = 0.0) -> str:
    """The present as the API writes it, or a moment after it."""
    return (datetime.now(UTC) + timedelta(seconds=ahead_s)).isoformat().replace("+00:00", "Z")


class StubAlarms:
    """What the alerts service knows; a test changes it while the page looks on."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = []
        self.incidents: list[dict[str, Any]] = []
        self.suppressions: list[dict[str, Any]] = []
        self.flood: dict[str, Any] = {
            "in_flood": False, "began_at": None, "window_s": 600.0, "begins_above": 10, "alarms": {},
        }  # fmt: skip
        self.overtaken: dict[str, dict[str, Any]] = {}
        """What somebody else does to an alarm an instant before the page does."""
        self._journals: dict[str, list[dict[str, Any]]] = {}

    def put(self, alarm: dict[str, Any], evidence: dict[str, Any] | None = None) -> dict[str, Any]:
        """An open alarm, with what it rests on; one of the same id is replaced."""
        self.alarms = [one for one in self.alarms if one["id"] != alarm["id"]] + [alarm]
        self._journals[alarm["id"]] = []
        self._note(alarm, "raise", None, None, evidence)
        return alarm

    def incident(self, *alarms: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """An incident of these alarms."""
        colour = alarms[0]["colour"]
        number = len(self.incidents) + 1
        incident = {
            "id": f"incident-{number}", "state": "active", "colour": colour, "peak_colour": colour,
            "property_ids": sorted({one["property_id"] for one in alarms}),
            "station_ids": sorted({one["station_id"] for one in alarms}),
            "alarms": len(alarms), "active": len(alarms), "unacknowledged": len(alarms),
            "opened_at": alarms[0]["raised_at"], "last_at": alarms[-1]["raised_at"], "recorded_at": stamp(number),
            "closed_at": None, "closed_by": None, "reason_kind": None, "reason": None,
        } | fields  # fmt: skip
        for one in alarms:
            one["incident_id"] = incident["id"]
        self.incidents.append(incident)
        return incident

    def answer(self, method: str, path: list[str], query: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        """Status and document for a path of a park; None for one that is not of this service."""
        match method, path:
            case "GET", ["alarms"]:
                return _page([self._shown(one) for one in self.alarms if one["closed_at"] is None])
            case "GET", ["alarms", name]:
                return self._with_journal(name)
            case "POST", ["alarms", name, action]:
                return self._act(name, action, body)
            case "GET", ["incidents"]:
                return _page([one for one in self.incidents if "state=all" in query or one["state"] != "closed"])
            case "GET", ["incidents", name, "timeline"]:
                return self._timeline(name)
            case "POST", ["incidents", name, "close"]:
                return self._close(name, body)
            case "GET", ["flood"]:
                return 200, {**self.flood, "incidents": [], "more_incidents": len(self.incidents)}
            case "GET", ["suppressions"]:
                return _page(self.suppressions)
            case "POST", ["suppressions"]:
                return self._suppress(body)
            case "POST", ["suppressions", name, "end"]:
                self.suppressions = [one for one in self.suppressions if one["id"] != name]
                return 200, {"id": name}
        return None

    def _shown(self, alarm: dict[str, Any]) -> dict[str, Any]:
        return {**alarm, "allowed": [action.value for action in by_hand(AlarmState(alarm["state"]))]}

    def _with_journal(self, name: str) -> tuple[int, Any]:
        alarm = next((one for one in self.alarms if one["id"] == name), None)
        return (200, {**self._shown(alarm), "journal": self._journals[name]}) if alarm else GONE

    def _act(self, name: str, action: str, body: dict[str, Any]) -> tuple[int, Any]:
        alarm = next((one for one in self.alarms if one["id"] == name), None)
        if alarm is None:
            return GONE
        alarm |= self.overtaken.pop(name, {})
        state, allowed = alarm["state"], self._shown(alarm)["allowed"]
        if action not in allowed:
            return 409, {"title": "Conflict", "detail": "not now", "state": state, "allowed": allowed}
        if (body.get("for_s") or 0) > SHELVE_MOST_S:
            return 422, {"title": "Unprocessable", "detail": "for_s: too long", "most_s": SHELVE_MOST_S}
        ends = (action, state) in {("acknowledge", "returned_unacknowledged"), ("reset", "latched")}
        done: dict[str, dict[str, Any]] = {
            "acknowledge": {
                "state": "latched" if state == "latched_unacknowledged" else "acknowledged",
                "acknowledged_by": "demo", "comment": body.get("comment"), "escalation": None,
            },
            "reset": {},
            "shelve": {
                "state": "shelved", "shelved_until": stamp(body.get("for_s") or SHELVE_MOST_S),
                "shelved_once": bool(body.get("once")),
            },
            "unshelve": {"state": "unacknowledged", "shelved_until": None, "shelved_once": False},
            "assign": {"assigned_to": body.get("assignee")},
            "comment": {},
        }  # fmt: skip
        alarm |= done[action] | {"changed_at": stamp()} | ({"state": "normal", "closed_at": stamp()} if ends else {})
        self._note(alarm, action, "demo", body.get("comment") or body.get("reason"))
        return 200, self._shown(alarm)

    def _note(
        self,
        alarm: dict[str, Any],
        action: str,
        actor: str | None,
        comment: str | None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        journal = self._journals[alarm["id"]]
        journal.append({
            "id": f"{alarm['id']}-{len(journal)}", "action": action, "state_before": None,
            "state_after": alarm["state"], "colour_before": None, "colour_after": alarm["colour"],
            "value": alarm["value"] if action == "raise" else None, "threshold": alarm["threshold"],
            "event_time": stamp(), "recorded_at": stamp(), "actor": actor, "comment": comment, "detail": detail,
        })  # fmt: skip

    def _timeline(self, name: str) -> tuple[int, Any]:
        incident = next(one for one in self.incidents if one["id"] == name)
        own = {
            "id": f"{name}-opened", "alarm_id": None, "station_id": None, "what": "opened", "colour": "yellow",
            "value": None, "event_time": incident["opened_at"], "recorded_at": incident["opened_at"], "actor": None,
            "comment": None, "detail": None,
        }  # fmt: skip
        lines = [own]
        for alarm in self.alarms:
            if alarm.get("incident_id") == name:
                about = {"alarm_id": alarm["id"], "station_id": alarm["station_id"]}
                lines += [
                    {**entry, **about, "what": entry["action"], "colour": entry["colour_after"]}
                    for entry in self._journals[alarm["id"]]
                ]
        return _page(lines)

    def _close(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        incident = next(one for one in self.incidents if one["id"] == name)
        if incident["active"]:
            return 409, {"title": "Conflict", "state": "active", "active": incident["active"]}
        incident |= {
            "state": "closed", "closed_at": stamp(), "closed_by": "demo",
            "reason_kind": body["kind"], "reason": body["reason"],
        }  # fmt: skip
        return 200, incident

    def _suppress(self, body: dict[str, Any]) -> tuple[int, Any]:
        begun = {
            **body, "id": f"suppression-{len(self.suppressions) + 1}", "begun_at": stamp(), "begun_by": "demo",
            "until": stamp(body["for_s"]) if body["for_s"] else None,
        }  # fmt: skip
        self.suppressions.append(begun)
        return 201, begun


def _page(items: list[Any]) -> tuple[int, Any]:
    return 200, {"items": items, "next": None}
