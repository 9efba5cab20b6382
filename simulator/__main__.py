"""`python -m simulator`: play the park until stopped."""

from __future__ import annotations

import asyncio
import signal
import sys

from shared.park_file import ParkFileError
from shared.telemetry import configure_logging
from simulator.options import Options, parse
from simulator.run import run_until_stopped


async def _main(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run_until_stopped(options, stop)


def main() -> int:
    """Run; returns the exit status."""
    options = parse(sys.argv[1:])
    configure_logging("simulator", "json" if options.log_format == "json" else "console", "info")
    try:
        asyncio.run(_main(options))
    except (ParkFileError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
