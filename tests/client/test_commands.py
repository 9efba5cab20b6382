"""The command `fenceline` as a vendor meets it: against a real server, its lines and its exit status."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.main import main as whole_command
from fenceline_client import Retries
from fenceline_client.commands.main import main
from fenceline_client.commands.tables import parts
from tests.client import told
from tests.client.conftest import KEY
from tests.client.scripted import Said, Scripted
from tests.client.test_client import event, stream
from tests.support.databases import ROOT


class Done(NamedTuple):
    status: int
    out: str
    err: str

    def refused(self, *words: str) -> bool:
        """Whether it ended with status 2 and one line on standard error that holds the words."""
        return self.status == 2 and self.err.count("\n") == 1 and all(word in self.err for word in words)


Fenceline = Callable[..., Done]


@pytest.fixture
def fenceline(script: Scripted, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fenceline:
    monkeypatch.setenv("FENCELINE_URL", script.url)
    monkeypatch.setenv("FENCELINE_API_KEY", KEY)
    monkeypatch.setenv("FENCELINE_PARK", "north")

    def call(*arguments: object) -> Done:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return Done(status, *capfd.readouterr())

    return call


def result(*statuses: str) -> dict[str, object]:
    counts = {name: statuses.count(name) for name in ("accepted", "duplicate", "conflicting", "refused")}
    results = [{"index": i, "status": one, "detail": f"why {i}"} for i, one in enumerate(statuses)]
    return {**counts, "results": results}


def test_stations_and_parks(fenceline: Fenceline, script: Scripted) -> None:
    script.say(told.page(told.station("s01")))
    done = fenceline("stations")
    assert (done.status, done.err) == (0, "")
    assert "s01号 | s01" in done.out
    assert "chlorine" in done.out
    script.say(told.page(told.park()))
    assert "Asia/Shanghai" in fenceline("parks").out
    script.say(told.page(told.station("s01"), then="n"), told.page(told.station("s02")))
    lines = fenceline("stations", "--json").out.splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["s01", "s02"]


def test_a_file_is_sent_and_what_was_refused_is_told_by_its_line(
    fenceline: Fenceline, script: Scripted, tmp_path: Path
) -> None:
    table = tmp_path / "readings.csv"
    table.write_text("station,property,time,value\ns01,chlorine,t,1\n\ns01,chlorine,t,2\n", encoding="gb18030")
    script.say(result("accepted", "duplicate"))
    done = fenceline("readings", "send", table, "--encoding", "gb18030", "--timezone", "Asia/Shanghai")
    assert (done.status, done.err) == (0, "")
    assert done.out == "accepted 1, duplicate 1, conflicting 0, refused 0\n"
    assert script.asked[0].path.endswith("/observations?timezone=Asia%2FShanghai")
    assert script.asked[0].body == b"station,property,time,value\ns01,chlorine,t,1\ns01,chlorine,t,2\n"
    script.say(result("accepted", "refused"))
    done = fenceline("readings", "send", table)
    assert done.refused("1 rows were refused")
    assert done.out.splitlines()[0] == "line 4: refused: why 1"


def test_a_long_file_is_sent_in_parts(tmp_path: Path) -> None:
    table = tmp_path / "long.csv"
    table.write_text("a,b\n" + "".join(f'{i},"x\ny"\n' for i in range(5)), encoding="utf-8-sig")
    found = list(parts(table, "utf-8", max_rows=2))
    rows = [list(csv.reader(io.StringIO(part.table.decode()))) for part in found]
    assert [len(one) for one in rows] == [3, 3, 2]
    assert {tuple(one[0]) for one in rows} == {("a", "b")}
    assert [number for one in rows for number, _ in one[1:]] == list("01234")
    assert [line for part in found for line in part.lines] == [3, 5, 7, 9, 11]


def test_files_that_cannot_be_sent(fenceline: Fenceline, script: Scripted, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    assert fenceline("readings", "send", table).refused("cannot be read", "无法读取")
    table.write_text("站点\n一号\n", encoding="gb18030")
    assert fenceline("readings", "send", table).refused("--encoding gb18030")
    table.write_text("station,value\n")
    assert fenceline("readings", "send", table).refused("no rows")
    assert fenceline("readings", "send", table, "--encoding", "klingon").refused("klingon")
    table.write_text(f"a\n{'x' * 20_000}\n")
    assert fenceline("readings", "send", table).refused("not a CSV table")
    assert script.asked == []


def test_a_span_is_written_as_csv(fenceline: Fenceline, script: Scripted) -> None:
    series = {"datastream_id": 1, "unit": "mg/m3", "resolution": "raw", "time": [told.MOMENT.isoformat()]}
    script.say(told.page(told.station("s01")), told.page({**series, "value": [0.12], "quality": ["N"]}))
    span = ["--start", "2026-03-01T00:00Z", "--end", "2026-03-02T00:00Z", "--resolution", "raw"]
    done = fenceline("readings", "get", "--station", "s01", "--property", "chlorine", *span)
    [row] = csv.DictReader(io.StringIO(done.out))
    assert (row["station"], row["value"], row["unit"], row["resolution"]) == ("s01", "0.12", "mg/m3", "raw")
    assert "datastream_id=1&start=2026-03-01T00%3A00%3A00%2B00%3A00" in script.asked[1].path
    script.say(told.page(told.station("s01")), told.page(told.station("s01")))
    assert fenceline("readings", "get", "--station", "s9", "--property", "chlorine", *span).refused("no station 's9'")
    done = fenceline("readings", "get", "--station", "s01", "--property", "ammonia", *span)
    assert done.refused("it measures chlorine (realtime)")
    span[1] = "yesterday"
    assert fenceline("readings", "get", "--station", "s01", "--property", "x", *span).refused("--start", "yesterday")
    script.say(told.page(told.latest()))
    assert "0.12 mg/m3" in fenceline("readings", "latest").out


def test_alarms(fenceline: Fenceline, script: Scripted) -> None:
    script.say(told.page(told.alarm(), told.alarm(value=None)))
    done = fenceline("alarms", "list")
    assert done.out.count(str(told.ALARM_ID)) == 2
    assert "12.4 mg/m3" in done.out
    script.say(told.alarm(state="acknowledged"))
    done = fenceline("alarms", "acknowledge", told.ALARM_ID, "--comment", "on my way")
    assert done.out == f"{told.ALARM_ID} acknowledged\n"
    assert script.asked[1].json == {"comment": "on my way"}
    entry = {"action": "acknowledge", "state_after": "acknowledged", "colour_after": "red", "value": 12.4}
    entry |= {"event_time": told.MOMENT.isoformat(), "recorded_at": told.MOMENT.isoformat()}
    # Whatever somebody wrote, it cannot steer the reader's terminal.
    script.say(told.alarm() | {"journal": [{**entry, "actor": "li", "comment": "\x1b[2J[red]gone"}]})
    done = fenceline("alarms", "show", told.ALARM_ID)
    assert "?[2J[red]gone" in done.out
    script.say(Said(told.problem(409, "conflict", "It is normal."), 409))
    assert fenceline("alarms", "acknowledge", told.ALARM_ID).refused("409", "It is normal.", "trace t1")
    assert fenceline("alarms", "show", "first").refused("ALARM", "UUID")


def test_watching_and_the_tail(fenceline: Fenceline, script: Scripted) -> None:
    changed = {
        "transition_id": str(told.RUN_ID), "alarm_id": str(told.ALARM_ID), "park_id": "north",
        "station_id": "north.s01", "property_id": "chlorine", "transition": "raised",
        "state": "unacknowledged", "colour": "red", "value": 12.4,
        "unit": "mg/m3", "event_time": told.MOMENT.isoformat(), "recorded_at": told.MOMENT.isoformat(),
    }  # fmt: skip
    revoked = Said(told.problem(401, "unauthorized", "The key was revoked."), 401)
    script.say(stream(b"event: alarm\nid: alarms:1\ndata: " + json.dumps(changed).encode() + b"\n\n"), revoked)
    done = fenceline("alarms", "watch")
    assert done.refused("The key was revoked.")
    assert done.out.split(" ", 2)[2] == "red raised north.s01 chlorine 12.4 mg/m3\n"
    script.say(stream(event(7)), revoked)
    done = fenceline("tail", "--kind", "alarm", "--after", "alarms:6")
    assert json.loads(done.out) == {"event": "alarm", "id": "alarms:7", "data": {"park_id": "north", "comment": ""}}
    assert script.asked[2].path == "/api/v1/events?park_id=north&kind=alarm"
    assert script.asked[2].headers["last-event-id"] == "alarms:6"


def test_runs(fenceline: Fenceline, script: Scripted, tmp_path: Path) -> None:
    script.say(told.page(told.run()), told.run(), told.run("queued"), told.run("cancelled"))
    assert "氯" in fenceline("runs", "list").out
    assert json.loads(fenceline("runs", "show", told.RUN_ID).out)["state"] == "succeeded"
    request = tmp_path / "request.json"
    request.write_text('{"chemical": "7782-50-5"}')
    assert fenceline("runs", "start", request).out == f"{told.RUN_ID} queued\n"
    assert script.asked[2].json == {"chemical": "7782-50-5"}
    assert fenceline("runs", "cancel", told.RUN_ID).out == f"{told.RUN_ID} cancelled\n"
    request.write_text("chemical: 7782-50-5")
    assert fenceline("runs", "start", request).refused("is not JSON")
    request.write_text("[]")
    assert fenceline("runs", "start", request).refused("no JSON object")


def test_keys_and_addresses(
    fenceline: Fenceline, script: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fenceline_client.client.Retries", lambda: Retries(attempts=1))
    assert fenceline("stations", "--url", "fenceline.example.com").refused("is not an address")
    assert fenceline("stations", "--url", "http://127.0.0.1:1").refused("no answer from http://127.0.0.1:1")
    assert fenceline("stations", "--key", KEY).refused("--key")
    monkeypatch.delenv("FENCELINE_API_KEY")
    assert fenceline("stations").refused("FENCELINE_API_KEY", "密钥")
    key = tmp_path / "key"
    assert fenceline("stations", "--key-file", key).refused("cannot be read")
    key.write_text(f"{KEY}\n")
    script.say(told.page())
    assert fenceline("stations", "--key-file", key).status == 0
    assert script.asked[0].headers["authorization"] == f"Bearer {KEY}"
    monkeypatch.delenv("FENCELINE_URL")
    assert fenceline("stations").refused("--url")


def test_the_whole_command_has_the_same_and_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert whole_command(["--help"]) == 0
    whole = capsys.readouterr().out
    assert main([]) == 0
    vendors = capsys.readouterr().out
    for command in ("parks", "stations", "readings", "alarms", "runs", "tail"):
        assert command in whole
        assert command in vendors
    assert "admin" in whole
    assert "admin" not in vendors


def test_a_reader_that_has_had_enough_is_no_fault(script: Scripted) -> None:
    script.say(told.page(*[told.station("s01")] * 2000))
    program = "import sys; from fenceline_client.commands.main import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program, "stations", "--json"],
        cwd=ROOT,
        env={
            "FENCELINE_URL": script.url,
            "FENCELINE_API_KEY": KEY,
            "FENCELINE_PARK": "north",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
