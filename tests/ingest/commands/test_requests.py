from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.commands.requests import REQUEST, Sender, message
from services.ingest.commands.secrets import SHOW
from tests.ingest.devices import device

NOW = datetime(2026, 3, 1, 4, 0, 5, tzinfo=UTC)
DAY = {"begin": "2026-02-28T00:00:00+08:00", "end": "2026-02-28T23:59:59+08:00"}
ON_THE_WIRE = "BeginTime=20260228000000;EndTime=20260228235959"


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
        ({"command": "records", "of": "standard_check", **DAY}, "2062", ON_THE_WIRE),
        ({"command": "records", "of": "raw_period", **DAY}, "2013", ON_THE_WIRE),
        ({"command": "records", "of": "noise_event", **DAY}, "2052", ON_THE_WIRE),
        ({"command": "records", "of": "run_time", **DAY}, "2041", ON_THE_WIRE),
        ({"command": "calibrate", "factor": "a21022"}, "3011", "PolId=a21022"),
        ({"command": "calibrate", "factor": "a21022", "point": "zero"}, "3011", "PolId=a21022;CalibrationType=0"),
        ({"command": "calibrate", "factor": "a21022", "point": "span"}, "3011", "PolId=a21022;CalibrationType=1"),
        ({"command": "sample_now", "factor": "a21022"}, "3012", "PolId=a21022"),
        ({"command": "clean", "factor": "a21022"}, "3013", "PolId=a21022"),
        ({"command": "comparison_sample", "factor": "a21022"}, "3014", "PolId=a21022"),
        ({"command": "exceedance_sample"}, "3015", ""),
        (
            {"command": "set_sampling_period", "factor": "a21022", "start": "06:30:00", "every_h": 2},
            "3016",
            "PolId=a21022;CstartTime=063000;CTime=2",
        ),
        ({"command": "get_sampling_period", "factor": "a21022"}, "3017", "PolId=a21022"),
        ({"command": "get_sample_out_time", "factor": "a21022"}, "3018", "PolId=a21022"),
        ({"command": "get_serial_number", "factor": "a21022"}, "3019", "PolId=a21022"),
        ({"command": "get_information", "info": "i12001"}, "3020", "InfoId=i12001"),
        (
            {"command": "get_information", "factor": "a21022", "info": "i11001", **DAY},
            "3020",
            f"PolId=a21022;InfoId=i11001;{ON_THE_WIRE}",
        ),
        (
            {"command": "set_parameter", "factor": "a21022", "info": "i13004", "value": "168.0"},
            "3021",
            "PolId=a21022;InfoId=i13004;i13004-Info=168.0",
        ),
        ({"command": "set_password", "password": "654321"}, "1072", "NewPW=654321"),
        (
            {"command": "set_key", "key": "0123456789abcdef"},
            "1014",
            "SKCreateTime=20260301120005;NewSK=0123456789abcdef",
        ),
        ({"command": "keep_sample", "factor": "a21022"}, "3022", "PolId=a21022"),
        ({"command": "standard_check", "factor": "a21022"}, "3024", "PolId=a21022"),
    ],
)
def test_the_message_for_the_wire(request_: dict[str, Any], cn: str, body: str) -> None:
    asked = REQUEST.validate_python(request_)
    told = message(asked, device(), Sender("22", "123456"), "20260301120005000", NOW).encode().decode()
    assert told == f"QN=20260301120005000;ST=22;CN={cn};PW=123456;MN=A1;Flag=5;CP=&&{body}&&"
    assert REQUEST.validate_json(REQUEST.dump_json(asked, context=SHOW)) == asked


@pytest.mark.parametrize(("name", "secret"), [("password", "654321"), ("key", "0123456789abcdef")])
def test_secrets_are_not_shown(name: str, secret: str) -> None:
    asked = REQUEST.validate_python({"command": f"set_{name}", name: secret})
    assert secret not in f"{asked!r} {REQUEST.dump_json(asked)!r}"
    with pytest.raises(ValidationError) as refused:
        REQUEST.validate_python({"command": f"set_{name}", name: secret + ";"})
    assert secret not in str(refused.value.errors(include_input=False))


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
        {"command": "records", "of": "raw_period", "begin": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
        {"command": "history", "cadence": "day", "begin": "9999-12-31T20:00:00Z", "end": "9999-12-31T21:00:00Z"},
        {"command": "set_time", "time": "0001-01-01T00:00:00Z"},
        {
            "command": "get_information",
            "info": "i11001",
            "begin": "9999-12-31T20:00:00Z",
            "end": "9999-12-31T21:00:00Z",
        },
        {"command": "calibrate"},
        {"command": "calibrate", "factor": "a21022;NewPW=1"},
        {"command": "set_sampling_period", "factor": "a21022", "start": "24:00:00", "every_h": 2},
        {"command": "set_sampling_period", "factor": "a21022", "start": "06:30:00", "every_h": 25},
        {"command": "get_information", "info": "i1"},
        {"command": "get_information", "info": "i11001", "begin": "2026-01-01T00:00:00Z"},
        {
            "command": "get_information",
            "info": "i11001",
            "begin": "2026-01-02T00:00:00Z",
            "end": "2026-01-01T00:00:00Z",
        },
        {"command": "set_parameter", "info": "i11001", "value": "1"},
        {"command": "set_password", "password": "1234567"},
        {"command": "set_password", "password": "12345;"},
        {"command": "set_key", "key": "short"},
        {"command": "set_parameter", "info": "i13004", "value": "1;PW=2"},
        {"command": "set_parameter", "info": "i13004", "value": "1&&"},
    ],
)
def test_what_is_not_allowed(request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        REQUEST.validate_python(request_)
