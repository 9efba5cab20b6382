"""What a change of the condition does to the alarm that is open, or to none: which action follows from which edges."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerts.conditions import RAW, Change, Edge, LevelRule
from services.alerts.lifecycle.alarm import Alarm, Entry, Evidence, Step, Subject
from services.alerts.lifecycle.condition import fall, open_alarm, reopen, restate, rise, settle, withdraw
from services.alerts.lifecycle.habits import Habits
from services.alerts.lifecycle.hiding import Hold
from shared.time import from_microseconds, iso


class Case:
    """The alarms of one subject and rule while changes are applied.

    Begins with the open alarm (or None), the number of alarms so far (`serial`), the last raises of the alarm before
    and what stands about its station. Afterwards `touched` holds every alarm that changed, as it stands, and `entries`
    the new journal entries in order.
    """

    def __init__(
        self,
        subject: Subject,
        open_: Alarm | None,
        serial: int,
        *,
        raises: tuple[datetime, ...] = (),
        hold: Hold | None = None,
        habits: Habits | None = None,
    ) -> None:
        self.subject = subject
        self.open = open_
        self.serial = serial
        self._raises = raises
        self._hold = hold
        self._habits = habits
        self._latching = False
        self.touched: dict[UUID, Alarm] = {}
        self.entries: list[Entry] = []

    def respond(self, rule: LevelRule, change: Change, now: datetime) -> None:
        """Act on one change of a level condition; `now` is wall time."""
        self._latching = rule.latching
        if not change.withdrawn:
            for edge in change.issued:
                self.move(edge.before, edge.after, _evidence(rule, edge, edge.after, change), now)
            return
        self._correct(rule, change, now)

    def move(self, before: int, after: int, evidence: Evidence, now: datetime) -> None:
        """Go from `before` standing levels to `after`."""
        if before == after:
            return
        if before == 0 and self.open is None:
            self.serial += 1
            self._keep(
                open_alarm(
                    self.subject,
                    self.serial,
                    evidence,
                    now,
                    latching=self._latching,
                    raises=self._raises,
                    hold=self._hold,
                    habits=self._habits,
                )
            )
        elif self.open is None:
            return  # closed by hand of the store's keeper; nothing stands that could change
        elif before == 0:
            self._keep(reopen(self.open, evidence, now, hold=self._hold, habits=self._habits))
        elif after == 0:
            self._keep(settle(self.open, evidence, now))
        else:
            self._keep((rise if after > before else fall)(self.open, evidence, now))

    def _correct(self, rule: LevelRule, change: Change, now: datetime) -> None:
        """A late reading changed what was told: go from the level that stood to the one that stands now."""
        before, after = change.level_before, change.level_after
        raises = [edge.time for edge in change.issued if edge.before == 0]
        evidence = _evidence(rule, change.issued[-1] if change.issued else None, after, change)
        if self.open is not None and not after and not change.kept and not raises:
            self._keep(withdraw(self.open, evidence, now))
            return
        if self.open is not None and before and after and raises:
            self.open = replace(self.open, raised_at=from_microseconds(raises[-1]))
        if before != after:
            self.move(before, after, evidence, now)
        elif self.open is not None:
            self._keep(restate(self.open, evidence, now))

    def _keep(self, step: Step) -> None:
        alarm, entries = step
        self.touched[alarm.id] = alarm
        self.entries += entries
        self._raises = alarm.raises
        self.open = alarm if alarm.is_open else None


def _evidence(rule: LevelRule, edge: Edge | None, level: int, change: Change) -> Evidence:
    standing = rule.levels[max(level, 1) - 1]
    detail: dict[str, Any] = {
        "levels_before": change.level_before,
        "levels_after": change.level_after,
        "threshold_source": standing.source,
    }
    if rule.measure != RAW:
        detail["measure"] = rule.measure.told()
    if edge is not None:
        detail |= {"evidence_from": iso(from_microseconds(edge.since)), "over_range": edge.over_range}
        detail |= change.evidence.get(edge.time, {})
    if change.refuted_by is not None:
        detail |= {
            "late_reading": iso(from_microseconds(change.refuted_by)),
            "withdrawn_edges": [_told(withdrawn) for withdrawn in change.withdrawn],
            "issued_edges": [_told(issued) for issued in change.issued],
        }
    at = edge.time if edge is not None else change.refuted_by
    if at is None:
        raise ValueError("a change without edges must name the late reading")
    return Evidence(
        at=from_microseconds(at),
        colour=standing.colour,
        value=edge.value if edge is not None else None,
        peak_value=edge.peak if edge is not None else None,
        threshold=standing.threshold,
        detail=detail,
    )


def _told(edge: Edge) -> dict[str, Any]:
    return {"at": iso(from_microseconds(edge.time)), "from": edge.before, "to": edge.after}
