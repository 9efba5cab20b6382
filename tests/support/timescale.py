"""A PostgreSQL with TimescaleDB's community edition: the WASM build behind the relay in tests/timescale."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.databases import ROOT

FOLDER = ROOT / "tests" / "timescale"


@contextmanager
def timescale_server() -> Iterator[str]:
    """A new, empty server for as long as the block lasts; gives the URL of its database.

    It has one session: a second connection waits until the first one is closed. A server that cannot start is
    a failure, never a reason to skip.
    """
    if not (FOLDER / "node_modules").exists():
        raise RuntimeError("TimescaleDB is not installed: `npm ci` in tests/timescale, or `make test`")
    relay = subprocess.Popen(
        ["node", "relay.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert relay.stdin is not None
    assert relay.stdout is not None
    with relay.stdin, relay.stdout:
        try:
            port = relay.stdout.readline().strip()
            if not port:
                raise RuntimeError(f"TimescaleDB did not start: node ended with status {relay.wait(10)}")
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            relay.terminate()
            relay.wait(10)
