"""Log files are bounded, and the console tells whose line it is."""

import io
from pathlib import Path

from launcher.logs import ProcessLog


def test_a_file_is_turned_over_and_one_older_is_kept(tmp_path: Path) -> None:
    log = ProcessLog("ingest", tmp_path / "ingest.log", "36", max_bytes=100, console=io.StringIO())
    for index in range(50):
        log.line(f"line {index}")
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["ingest.log", "ingest.log.1"]
    assert all((tmp_path / name).stat().st_size <= 100 for name in files)
    assert (tmp_path / "ingest.log").read_text().endswith("line 49\n")


def test_lines_reach_the_console_only_when_shown(tmp_path: Path) -> None:
    console = io.StringIO()
    log = ProcessLog("alerts", tmp_path / "alerts.log", "33", console=console)
    log.line("before")
    log.echo = True
    log.line("气体 after")
    log.close()
    assert console.getvalue() == "alerts     气体 after\n"
    assert list(log.recent) == ["before", "气体 after"]
