"""Alarms as rows of their table, and back."""

from typing import Any

from sqlalchemy import Row

from services.alerts.lifecycle import Alarm, Subject, Suppressor
from shared.levels import Colour
from shared.messages import AlarmState
from shared.text import BilingualText

NAMES = (
    *("id", "park_id", "station_id", "station_name_zh", "station_name_en", "ring", "subject_key", "datastream_id"),
    *("property_id", "unit", "amount", "rule_id", "serial", "entries", "state", "active", "colour", "peak_colour"),
    *("value", "peak_value", "threshold", "raised_at", "changed_at", "recorded_at", "withdrawn", "acknowledged_by"),
    *("acknowledged_at", "comment", "returned_at", "closed_at", "latching", "raises", "chattering", "assigned_to"),
    *("shelved_until", "shelved_once", "suppressed_by", "out_of_service"),
)


def alarm_of(row: Row[Any]) -> Alarm:
    """The alarm of a row with all columns."""
    subject = Subject(
        park_id=row.park_id,
        station_id=row.station_id,
        station_name=BilingualText(zh=row.station_name_zh, en=row.station_name_en),
        ring=row.ring,
        rule_id=row.rule_id,
        datastream_id=row.datastream_id,
        property_id=row.property_id,
        unit=row.unit,
        amount=row.amount,
    )
    same = {name: getattr(row, name) for name in NAMES[NAMES.index("value") :]} | {
        "raises": tuple(row.raises),
        "suppressed_by": tuple(Suppressor(why) for why in row.suppressed_by),
    }
    return Alarm(
        id=row.id,
        subject=subject,
        serial=row.serial,
        entries=row.entries,
        state=AlarmState(row.state),
        active=row.active,
        colour=Colour(row.colour),
        peak_colour=Colour(row.peak_colour),
        **same,
    )


def parameters_of(alarm: Alarm) -> dict[str, Any]:
    """The value of every one of NAMES."""
    subject = alarm.subject
    own = {name: getattr(alarm, name) for name in ("id", *NAMES[NAMES.index("serial") :])}
    return own | {
        "raises": list(alarm.raises),
        "suppressed_by": [why.value for why in alarm.suppressed_by],
        "park_id": subject.park_id,
        "station_id": subject.station_id,
        "station_name_zh": subject.station_name.zh,
        "station_name_en": subject.station_name.en,
        "ring": subject.ring,
        "subject_key": subject.key,
        "datastream_id": subject.datastream_id,
        "property_id": subject.property_id,
        "unit": subject.unit,
        "amount": subject.amount,
        "rule_id": subject.rule_id,
    }
