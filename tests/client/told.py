"""Documents as the services tell them, written by the services' own schemas; what the client does not read may lack."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.alerts.api.schemas import AlarmOut
from services.ingest.schemas.registry import Location, Park, Station, StationDatastream
from services.ingest.schemas.series import LatestValue
from shared.levels import Colour
from shared.messages import AlarmState
from shared.quality import Quality
from shared.text import BilingualText

MOMENT = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
ALARM_ID = UUID("00000000-0000-4000-8000-000000000001")
RUN_ID = UUID("00000000-0000-4000-8000-000000000002")


def name(text: str) -> BilingualText:
    return BilingualText(zh=f"{text}号", en=text)


def park() -> dict[str, Any]:
    told = Park.model_construct(
        id="north", name=name("North"), fictitious=True, timezone="Asia/Shanghai", boundary={}, station_count=2
    )
    return told.model_dump(mode="json")


def station(code: str) -> dict[str, Any]:
    stream: dict[str, Any] = {
        "id": 1,
        "property_id": "chlorine",
        "property_name": name("Chlorine"),
        "unit": "mg/m3",
        "cadence": "realtime",
        "range_upper": 30.0,
        "detection_limit": None,
    }
    told = Station.model_construct(
        id=f"north.{code}",
        code=code,
        name=name(code),
        description=None,
        properties={},
        ring="boundary",
        enterprise_id=None,
        location=Location(longitude=118.99, latitude=37.1, height_m=2.0),
        device=None,
        datastreams=[StationDatastream.model_construct(**stream)],
    )
    return told.model_dump(mode="json")


def latest() -> dict[str, Any]:
    told = LatestValue.model_construct(
        datastream_id=1,
        station_id="north.s01",
        property_id="chlorine",
        cadence="realtime",
        time=MOMENT,
        value=0.12,
        quality=Quality.NORMAL,
        unit="mg/m3",
    )
    return told.model_dump(mode="json")


def alarm(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = dict.fromkeys(AlarmOut.model_fields) | {
        "id": ALARM_ID,
        "park_id": "north",
        "station_id": "north.s01",
        "station_name": name("s01"),
        "ring": "boundary",
        "property_id": "chlorine",
        "rule_id": "level.chlorine",
        "state": AlarmState.UNACKNOWLEDGED,
        "colour": Colour.RED,
        "peak_colour": Colour.RED,
        "value": 12.4,
        "unit": "mg/m3",
        **dict.fromkeys(("raised_at", "changed_at", "recorded_at"), MOMENT),
        "suppressed_by": [],
        "allowed": [],
        **dict.fromkeys(("withdrawn", "latching", "shelved_once", "out_of_service", "chattering", "stale"), False),
        "active": True,
    }
    return AlarmOut(**given | changes).model_dump(mode="json")


def run(state: str = "succeeded") -> dict[str, Any]:
    return {
        "id": str(RUN_ID),
        "park_id": "north",
        "state": state,
        "trigger": "manual",
        "requested_by": "vendor",
        "created_at": MOMENT.isoformat(),
        "finished_at": None,
        "chemical": "7782-50-5",
        "chemical_name": {"zh": "氯", "en": "chlorine"},
        "result": None,
        "error": None,
    }


def page(*items: dict[str, Any], then: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": then}


def problem(status: int, slug: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"https://fenceline.example/problems/{slug}",
        "title": slug,
        "status": status,
        "detail": detail,
        "trace_id": "t1",
    }
