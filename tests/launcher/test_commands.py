"""The command `fenceline` in the environments that `make` sets up."""

import os
import subprocess
import venv
from pathlib import Path

from launcher import install


def test_the_command_runs_from_anywhere(tmp_path: Path) -> None:
    environment = tmp_path / "an environment"
    venv.create(environment, with_pip=False, symlinks=True)
    install.install_commands(environment)
    [packages] = (environment / "lib").glob("python*/site-packages")
    # The new environment has no packages: a stand-in tells that the project's own code was reached.
    (packages / "typer.py").write_text("raise SystemExit('typer was asked for')\n")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [environment / "bin" / "fenceline"], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "typer was asked for"
    assert str(install.ROOT) in (packages / "fenceline.pth").read_text()


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    install.write_if_other(path, "one")
    before = path.stat().st_mtime_ns
    install.write_if_other(path, "one")
    assert path.stat().st_mtime_ns == before
    install.write_if_other(path, "two")
    assert path.read_text() == "two"
