"""A folder of its own for each test's launcher."""

from pathlib import Path

import pytest

from launcher.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "home")
    made.prepare()
    return made
