"""`python -m launcher run | status | seed`."""

import argparse
import asyncio
import sys
from pathlib import Path

from launcher.inspect import seed_park, status
from launcher.options import Options
from launcher.run import run
from launcher.tell import Refusal, refuse


def main() -> int:
    """The command line; every refusal is one line and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m launcher", description="Run Fenceline on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run everything until Ctrl-C")
    running.add_argument("--speed", type=float, help="how fast the simulated park lives (FENCELINE_DEMO_SPEED)")
    running.add_argument("--no-simulator", action="store_true", help="wait for real stations")
    commands.add_parser("status", help="say what runs")
    seeding = commands.add_parser("seed", help="load a park file into the running system")
    seeding.add_argument("park", type=Path)
    given = parser.parse_args()
    try:
        if given.command == "run":
            return run(Options.read(simulator=not given.no_simulator, speed=given.speed))
        options = Options.read()
        return asyncio.run(status(options) if given.command == "status" else seed_park(options, given.park))
    except Refusal as refusal:
        return refuse(refusal)
    except OSError as error:
        where = error.filename or ""
        return refuse(
            Refusal(f"{error.strerror or error} {where}".strip(), f"无法继续：{error.strerror or error} {where}")
        )


if __name__ == "__main__":
    sys.exit(main())
