"""The command `fenceline` as a person meets it: a process of its own, its files, its lines and its exit status."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

import pytest

from cli import main as cli_main
from cli.model import Phase, SurfaceName
from shared.park_file import read_park_file
from tests.support.databases import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "chlorine.yaml"


class Done(NamedTuple):
    status: int
    out: str
    err: str

    def refused(self, *words: str) -> bool:
        """Whether it ended with status 2 and one line that holds the words."""
        one_line = self.err.count("\n") == 1 and not self.out
        return self.status == 2 and one_line and all(word in self.err for word in words)


Fenceline = Callable[..., Done]


@pytest.fixture
def fenceline(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fenceline:
    """The command line in this process: a process of its own takes seconds to load NumPy and its friends."""
    monkeypatch.delenv("FENCELINE_DEBUG", raising=False)

    def call(*arguments: str | Path) -> Done:
        capfd.readouterr()
        status = cli_main.main([str(argument) for argument in arguments])
        return Done(status, *capfd.readouterr())

    return call


def process(*arguments: str | Path, folder: Path) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def scenario(folder: Path, **changes: object) -> Path:
    """The example with some entries changed; None takes one out. JSON is YAML."""
    import yaml

    document = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")) | changes
    path = folder / "scenario.yaml"
    kept = {name: value for name, value in document.items() if value is not None}
    path.write_text(json.dumps(kept, default=str), encoding="utf-8")
    return path


def test_the_example_gives_its_files_and_a_table(tmp_path: Path) -> None:
    # In an empty folder, with no setting of any service: nothing but the files is needed.
    files = ["--out", "zones.geojson", "--json", "result.json", "--png", "map.png", "--report", "report.html"]
    done = process("model", "run", EXAMPLE, *files, folder=tmp_path)
    assert (done.status, done.err) == (0, "")
    zones = json.loads((tmp_path / "zones.geojson").read_text(encoding="utf-8"))
    assert zones["type"] == "FeatureCollection"
    reaches = {f["properties"]["key"]: f["properties"]["max_distance_m"] for f in zones["features"]}
    assert reaches["endpoint-2"] > reaches["endpoint-1"] > 100.0
    east = [x for f in zones["features"] for part in f["geometry"]["coordinates"] for ring in part for x, _ in ring]
    assert max(east) > 119.0  # the wind is from the west
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["zones"] == zones
    assert {place["id"] for place in result["receptors"]} == {"school", "village"}
    for words in ("液氯管线泄漏", "Leak of a chlorine line", "Toxic endpoint 1", "示例小学 | Example school"):
        assert words in done.out
    assert result["times"]["compute_ms"] > 0.0
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert "Example school" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files[1::2])


def test_the_spread_between_engines_is_told(fenceline: Fenceline, tmp_path: Path) -> None:
    told = fenceline("model", "run", scenario(tmp_path, ensemble={"members": 0})).out
    engines = [
        line.split()[0] for line in told.splitlines() if line.startswith(("neutral-puff ", "slabx ", "degadisx "))
    ]
    assert {"neutral-puff", "slabx", "degadisx"} <= set(engines)


def test_a_risk_source_of_a_park_file(fenceline: Fenceline, tmp_path: Path) -> None:
    park = ROOT / "simulator" / "park.yaml"
    tank = next(entry for entry in read_park_file(park).risk_sources if entry.chemical == "7782-50-5")
    named = {"risk_source_id": f"bohai-demo.{tank.id}"}
    changes = {"park": str(park), "source": named, "rate_kg_s": 0.001}  # so little that no dense-gas engine is asked
    done = fenceline("model", "run", scenario(tmp_path, **changes), "--json", tmp_path / "r.json")
    assert (done.status, done.err) == (0, "")
    source = json.loads((tmp_path / "r.json").read_text())
    assert source["centreline"]["coordinates"][0] == [tank.location.longitude, tank.location.latitude]
    assert "bohai-demo" in str(source["receptors"])

    unknown = {"risk_source_id": "bohai-demo.no-such-tank"}
    done = fenceline("model", "run", scenario(tmp_path, park=str(park), source=unknown))
    assert done.refused("no-such-tank", "bohai-demo.", "园区文件")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_kg_s": -1}, ["rate_kg_s", "greater than 0", "不正确"]),
        ({"rate_kg_s": None}, ["rate_kg_s", "反推"]),
        ({"meteorology": None}, ["meteorology", "worst-case", "气象"]),
        ({"source": {"suspicion": {}}}, ["source", "trace"]),
        ({"source": {"risk_source_id": "x"}}, ["park"]),
        ({"park": "none.yaml"}, ["park", "none.yaml"]),
        ({"chemical": "50-00-9"}, ["50-00-9", "目录"]),
        ({"colour": "red"}, ["colour"]),
        ({"at": "2026-11-20T19:00:00"}, ["at", "offset"]),
    ],
)
def test_what_is_wrong_with_a_scenario_is_one_line(
    fenceline: Fenceline, tmp_path: Path, changes: dict[str, object], words: list[str]
) -> None:
    done = fenceline("model", "run", scenario(tmp_path, **changes), "--out", tmp_path / "zones.geojson")
    assert done.refused("scenario.yaml" if "chemical" not in changes else "", *words), done.err
    assert not (tmp_path / "zones.geojson").exists()


def test_files_that_cannot_be_used(fenceline: Fenceline, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [1\nb: 2\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "latin.yaml").write_bytes(b"title: \xff\xfe\n")
    assert fenceline("model", "run", tmp_path / "none.yaml").refused("none.yaml", "No such file")
    assert fenceline("model", "run", tmp_path).refused("Is a directory")
    assert fenceline("model", "run", tmp_path / "broken.yaml").refused("not YAML, line 2")
    assert fenceline("model", "run", tmp_path / "list.yaml").refused("mapping")
    assert fenceline("model", "run", tmp_path / "latin.yaml").refused("UTF-8")


def test_a_file_that_could_not_be_written_is_refused_before_anything_is_computed(
    fenceline: Fenceline, tmp_path: Path
) -> None:
    assert fenceline("model", "run", EXAMPLE, "--out", tmp_path / "no" / "zones.geojson").refused("--out", "no folder")
    assert fenceline("model", "run", EXAMPLE, "--json", tmp_path).refused("--json", "is a folder")


def test_a_misspelt_command_line_is_one_line(fenceline: Fenceline) -> None:
    assert fenceline("model").refused("Missing command")
    assert fenceline("model", "ran").refused("ran")
    assert fenceline("model", "run").refused("SCENARIO.YAML")
    assert fenceline("model", "run", EXAMPLE, "--outt", "x").refused("--outt")


def test_help_names_the_commands(fenceline: Fenceline) -> None:
    assert "model" in fenceline("--help").out
    assert fenceline().out == fenceline("--help").out
    said = fenceline("model", "--help").out
    assert "run" in said
    assert "chemicals" in said


@pytest.mark.parametrize("text", ["ammonia", "氨气", "7664-41-7", "a21001"])
def test_chemicals_are_found_by_name_number_and_factor(fenceline: Fenceline, text: str) -> None:
    done = fenceline("model", "chemicals", text)
    assert done.status == 0
    assert "7664-41-7" in done.out


def test_one_chemical_is_shown_with_its_sources(fenceline: Fenceline) -> None:
    said = fenceline("model", "chemicals", "7664-41-7").out
    assert "endpoint-1" in said
    assert "HJ 169-2018" in said
    assert "aegl-2 60 min" in said
    assert "boiling point | 沸点" in said


VESSEL = ["7782-50-5", "--phase", "liquid", "--hole-mm", "20", "--pressure-kpa", "700", "--mass-kg", "10000"]


def test_a_source_term(fenceline: Fenceline, tmp_path: Path) -> None:
    done = fenceline("model", "source-term", *VESSEL, "--isolation-s", "600", "--out", tmp_path / "rate.csv")
    assert (done.status, done.err) == (0, "")
    assert "kg/s" in done.out
    assert "shut after 600 s" in done.out
    heading, *rows = (tmp_path / "rate.csv").read_text().splitlines()
    assert heading == "time_s,rate_kg_s"
    series = [tuple(map(float, row.split(","))) for row in rows]
    assert series[0][0] == 0.0
    assert series[-1] == (600.0, 0.0)
    released = sum(rate * (later - time) for (time, rate), (later, _) in itertools.pairwise(series))
    assert 0.0 < released <= 10_000.0


def test_source_terms_that_there_are_not(fenceline: Fenceline) -> None:
    assert fenceline("model", "source-term", "50-00-9", *VESSEL[1:]).refused("50-00-9", "目录")
    assert fenceline("model", "source-term", *VESSEL[:4], "-1", *VESSEL[5:]).refused("hole diameter", "above 0")
    assert fenceline("model", "source-term", *VESSEL[:2], "solid", *VESSEL[3:]).refused("--phase", "solid")


def test_the_options_of_a_source_term_are_those_of_the_engine() -> None:
    from services.model.source_terms.heat_evaporation import SURFACES
    from services.model.source_terms.vessel import Leak

    assert set(get_args(SurfaceName)) == set(SURFACES)
    assert set(get_args(Phase)) == set(get_args(get_type_hints(Leak)["phase"]))


def test_no_such_chemical(fenceline: Fenceline) -> None:
    assert fenceline("model", "chemicals", "unobtainium").refused("unobtainium", "没有")


def test_a_fault_of_the_program_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("services.model.scenario.run_scenario", broken)
    monkeypatch.delenv("FENCELINE_DEBUG", raising=False)
    assert cli_main.main(["model", "run", str(EXAMPLE)]) == 70
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("FENCELINE_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli_main.main(["model", "run", str(EXAMPLE)])


def test_administration_is_handed_on_to_the_gateways_program(
    fenceline: Fenceline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FENCELINE_DATABASE_URL", raising=False)
    done = fenceline("admin", "list-keys")
    assert done.status == 2
    assert "FENCELINE_DATABASE_URL" in done.err
