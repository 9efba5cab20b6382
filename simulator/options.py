"""Options of the command line; each may also stand in the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PARK_FILE = Path(__file__).parent / "park.yaml"


@dataclass(frozen=True)
class Options:
    """How the simulator runs. `seed` None: another story with each run that the state file has counted."""

    park: Path
    host: str
    port: int
    speed: float
    seed: int | None
    release_after_s: int
    release_for_s: int
    interval_s: int
    state: Path | None
    truth: Path | None
    reveal: bool
    log_format: str


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """Read the options; ends the process with one clear line where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A chemical park that does not exist: its stations speak HJ 212 to a platform.",
    )

    def add(name: str, default: str | None, text: str, kind: type[int | float] | None = None) -> None:
        flag = f"--{name}"
        variable = "FENCELINE_DEMO_SPEED" if name == "speed" else _variable(name)
        preset = environment.get(variable) or default
        parser.add_argument(flag, default=preset, type=kind or str, help=f"{text} ({variable})")

    add("park", str(PARK_FILE), "park file")
    add("host", "127.0.0.1", "address of the platform's HJ 212 port")
    add("port", "9212", "the platform's HJ 212 port", int)
    add("speed", "1", "how many times as fast as the clock, until simulated time has caught up with it", float)
    add("seed", None, "number that settles wind, source and noise", int)
    add("release-after", "60", "seconds of calm before the first release", int)
    add("release-for", "360", "seconds that a release lasts", int)
    add("interval", "5", "seconds between real-time messages of a station", int)
    add("state", None, "file that remembers the last time told, so that no run contradicts an earlier one")
    add("truth", None, "file to which source, rate and times of each release are written")
    parser.add_argument(
        "--reveal",
        action="store_true",
        default=environment.get(_variable("reveal"), "").lower() in ("1", "true", "yes"),
        help="print the source of each release",
    )
    given = parser.parse_args(arguments)
    _check(parser, given)
    return Options(
        park=Path(given.park),
        host=given.host,
        port=given.port,
        speed=given.speed,
        seed=given.seed,
        release_after_s=given.release_after,
        release_for_s=given.release_for,
        interval_s=given.interval,
        state=Path(given.state) if given.state else None,
        truth=Path(given.truth) if given.truth else None,
        reveal=given.reveal,
        log_format=environment.get("FENCELINE_LOG_FORMAT", "console"),
    )


def _variable(name: str) -> str:
    return f"FENCELINE_SIMULATOR_{name.upper().replace('-', '_')}"


def _check(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    limits = {
        "port": (1, 65535),
        "speed": (1, 1000),
        "release_after": (1, 3600),
        "release_for": (30, 1800),
        "interval": (1, 3600),
    }
    for name, (low, high) in limits.items():
        if not low <= getattr(given, name) <= high:
            flag = name.replace("_", "-")
            parser.error(f"--{flag} must lie between {low} and {high}, it is {getattr(given, name)}")
    if given.seed is not None and given.seed < 0:
        parser.error(f"--seed must not be negative, it is {given.seed}")
