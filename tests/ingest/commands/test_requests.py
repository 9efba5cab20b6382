from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.commands.requests import REQUEST, Sender, message
from tests.ingest.devices import device

NOW = datetime(2026, 3, 1, 4, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("request_", "cn", "body"),
    [
        ({"command": "get_time"}, "1011", ""),
        ({"command": "set_time"}, "1012", "SystemTime=20260301120005"),
        ({"command": "set_time", "time": "2026-03-01T01:00:00Z"}, "1012", "SystemTime=20260301090000"),
        ({"command": "set_timeout", "over_time_s": 5, "recount": 3}, "1000", "OverTime=5;ReCount=3"),
        ({"command": "set_realtime_interval", "seconds": 30}, "1062", "RtdInterval=30"),
        ({"command": "set_minute_interval", "minutes": 10}, "1064", "MinInterval=10"),
        ({"command": "stop_realtime"}, "2012", ""),
        (
            {
                "command": "history",
                "cadence": "minute",
                "begin": "2026-03-01T08:40:00+08:00",
                "end": "2026-03-01T08:50:00+08:00",
            },
            "2051",
            "BeginTime=20260301084000;EndTime=20260301085000",
        ),
    ],
)
def test_the_message_for_the_wire(request_: dict[str, Any], cn: str, body: str) -> None:
    asked = REQUEST.validate_python(request_)
    told = message(asked, device(), Sender("22", "123456"), "20260301120005000", NOW).encode().decode()
    assert told == f"QN=20260301120005000;ST=22;CN={cn};PW=123456;MN=A1;Flag=5;CP=&&{body}&&"
    assert REQUEST.validate_json(REQUEST.dump_json(asked)) == asked


@pytest.mark.parametrize(
    "request_",
    [
        {"command": "format_disk"},
        {"command": "set_timeout", "over_time_s": 100, "recount": 3},
        {"command": "set_realtime_interval", "seconds": 29},
        {"command": "set_minute_interval", "minutes": 7},
        {"command": "get_time", "time": "2026-03-01T01:00:00Z"},
        {"command": "set_time", "time": "2026-03-01T01:00:00"},
        {"command": "history", "cadence": "minute", "begin": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
        {"command": "history", "cadence": "minute", "begin": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
    ],
)
def test_what_is_not_allowed(request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        REQUEST.validate_python(request_)
