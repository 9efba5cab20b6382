"""`kill -9` of each process in turn: it comes back, the story goes on, no acknowledged reading is lost."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import httpx
import psycopg
import pytest

from tests.support.ledger import PARK as LEDGER_PARK
from tests.support.ledger import LedgerStation, park_file
from tests.support.park import ROOT, RunningPark, eventually, running_park

pytestmark = [pytest.mark.timeout(420)]
VICTIMS = (
    "services.ingest",
    "services.alerts",
    "services.model",
    "services.model.worker",
    "services.gateway",
    "valkey-server",
    "postgres",
    "simulator",
)


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPark]:
    folder = tmp_path_factory.mktemp("kill") / "fenceline"
    story = {"FENCELINE_SIMULATOR_SEED": "1", "FENCELINE_SIMULATOR_RELEASE_AFTER": "30"}
    with running_park(folder, speed=6, **story) as running:
        yield running


@pytest.fixture(scope="module")
def ledger(park: RunningPark) -> Iterator[LedgerStation]:
    """A station of the test's own, registered as an operator would, that sends all the while."""
    rights = ["--park", LEDGER_PARK, "--scope", "read", "--scope", "write", "--scope", "admin"]
    made = subprocess.run(
        [sys.executable, "-m", "services.gateway.admin", "create-key", "--name", "ledger", *rights],
        cwd=ROOT,
        env=os.environ | park.processes()["services.gateway"].environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"fl_\S+", made.stdout)
    assert found, made.stdout
    answer = httpx.put(
        f"{park.base_url}/api/v1/parks/{LEDGER_PARK}/registry",
        json=park_file(),
        headers={"Authorization": f"Bearer {found.group()}"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    station = LedgerStation(park.hj212_port)
    station.start()
    yield station
    station.stop()


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_is_killed_comes_back_and_readings_go_on(park: RunningPark, ledger: LedgerStation, victim: str) -> None:
    eventually(lambda: len(ledger.acknowledged) > 5, 30, "acknowledged readings")
    before = eventually(lambda: park.processes().get(victim), 60, f"{victim} running")
    newest = eventually(lambda: newest_value(park), 60, "the simulated stations' readings")
    before.kill()
    after = eventually(
        lambda: (found := park.processes().get(victim)) and found.pid != before.pid and found, 30, f"{victim} again"
    )
    assert after.is_running()
    acknowledged = len(ledger.acknowledged)
    eventually(lambda: len(ledger.acknowledged) > acknowledged + 20, 60, "acknowledged readings, again")
    eventually(lambda: newest_value(park) > newest, 60, "the simulated stations' readings, again")


def test_alarms_rose_all_the_same(park: RunningPark, ledger: LedgerStation) -> None:
    eventually(
        lambda: [alarm for alarm in park.items("alarms", state="all") if alarm["peak_colour"] in ("orange", "red")],
        120,
        "an orange or red alarm",
    )
    eventually(
        lambda: [run for run in park.items("runs") if (run["trigger"], run["state"]) == ("alarm", "succeeded")],
        60,
        "a footprint for it",
    )


def test_every_acknowledged_reading_is_in_the_database(park: RunningPark, ledger: LedgerStation) -> None:
    ledger.stop()
    with psycopg.connect(park.database_url) as connection:
        stored: dict[datetime, float] = dict(
            connection.execute(
                """
                SELECT time, value FROM ingest.observation
                JOIN ingest.datastream ON datastream.id = observation.datastream_id
                WHERE datastream.station_id = %s
                """,
                (f"{LEDGER_PARK}.s1",),
            ).fetchall()
        )
        twice = connection.execute(
            "SELECT alarm_id, count(*) FROM alerts.journal WHERE action = 'raise' GROUP BY 1 HAVING count(*) > 1"
        ).fetchall()
    lost = {moment: value for moment, value in ledger.acknowledged.items() if stored.get(moment) != value}
    assert len(ledger.acknowledged) > 200
    assert lost == {}
    assert twice == [], "no alarm raised or closed twice"


def newest_value(park: RunningPark) -> str:
    return max((value["time"] for value in park.items("latest")), default="")
