import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.codes import Cn
from shared.hj212.reports import KIND_OF, MAX_REPORTS, MAX_TEXT, Kind, Report, reports
from shared.hj212.segment import parse


def told(cn: str, body: str) -> list[Report]:
    return reports(parse(f"QN=20160801085857223;ST=32;CN={cn};PW=123456;MN=A1;Flag=5;CP=&&{body}&&".encode()))


@pytest.mark.parametrize(
    ("cn", "body", "kind", "expected"),
    [
        (
            "2021",
            "DataTime=20160801085857;SB1-RS=1;SB2-RS=0",
            "run_state",
            [("SB1", {"RS": "1"}), ("SB2", {"RS": "0"})],
        ),
        ("2041", "DataTime=20160801000000;SB1-RT=1.1", "run_time", [("SB1", {"RT": "1.1"})]),
        (
            "2081",
            "DataTime=20160801085857;RestartTime=20160801085624",
            "startup",
            [("", {"RestartTime": "20160801085624"})],
        ),
        ("3015", " DataTime=20160801085857;VaseNo=1 ", "exceedance_sample", [("", {"VaseNo": "1"})]),
        (
            "3017",
            "PolId=w01018;CstartTime=000000;CTime=2",
            "sampling_period",
            [("w01018", {"CstartTime": "000000", "CTime": "2"})],
        ),
        ("3018", "PolId=w01018;Stime=40", "sample_out_time", [("w01018", {"Stime": "40"})]),
        (
            "3019",
            "DataTime=20160801085857;PolId=w01018;w01018-SN=010000A8900016F000169DC1",
            "serial_number",
            [("w01018", {"SN": "010000A8900016F000169DC1"})],
        ),
        (
            "3020",
            "DataTime=20100301145000;PolId=w01018;i11001-Info=//a; b, c//;i11001-Info=//\u65f6\u95f4\u6821\u51c6//",
            "information",
            [("w01018", {"i11001": "a; b, c"}), ("w01018", {"i11001": "\u65f6\u95f4\u6821\u51c6"})],
        ),
        (
            "3020",
            "DataTime=20100301145000;PolId=w01018;i12001-Info=1;i12003-Info =0",
            "information",
            [("w01018", {"i12001": "1", "i12003": "0"})],
        ),
        ("1001", "i23005-Info=L1;i23006-Info=C1", "hardware", [("", {"i23005": "L1", "i23006": "C1"})]),
        ("1061", "RtdInterval=30", "setting", [("", {"RtdInterval": "30"})]),
        (
            "2062",
            "DataTime=20260301000000;a21026-SampleRd=49.1;a21026-StandardValue=50;a21026-ResultType=1",
            "standard_check",
            [("a21026", {"SampleRd": "49.1", "StandardValue": "50", "ResultType": "1"})],
        ),
        (
            "2013",
            "DataTime=20260301000000;a1-SampleTime=20260301000000,a1-CompleteTime=20260301003000,a1-SampleType=1,a1-Avg=2",
            "raw_sample",
            [("a1", {"SampleTime": "20260301000000", "CompleteTime": "20260301003000", "SampleType": "1"})],
        ),
    ],
)
def test_what_is_reported(cn: str, body: str, kind: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert told(cn, body) == [Report(Kind(kind), subject, content) for subject, content in expected]


@pytest.mark.parametrize("body", ["SKCreateTime=20260101000000;NewSK=0123456789abcdef", "SKCreateTime=20260101000000"])
def test_a_key_is_left_out(body: str) -> None:
    assert told("1014", body) == [Report(Kind.KEY, "", {"SKCreateTime": "20260101000000"})]


@pytest.mark.parametrize("cn", [Cn.REALTIME, Cn.MINUTE, Cn.HEARTBEAT, Cn.REQUEST_ANSWER, Cn.TIME_REQUEST, "7777"])
def test_others_report_nothing(cn: str) -> None:
    assert told(cn, "DataTime=20160801085857;SB1-RS=1") == []


def test_a_message_reports_so_much_and_no_more() -> None:
    found = told("2021", ";".join(f"SB{number}-RS={'1' * 2000}" for number in range(MAX_REPORTS + 1)))
    assert len(found) == MAX_REPORTS
    assert {len(text) for report in found for text in report.content.values()} == {MAX_TEXT}


@given(st.sampled_from(sorted(KIND_OF)), st.text(max_size=200))
def test_no_body_raises_and_none_shows_a_key(cn: str, body: str) -> None:
    assert all("NewSK" not in report.content for report in told(cn, f"{body};NewSK=x"))
