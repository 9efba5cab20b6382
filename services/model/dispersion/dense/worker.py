"""The process that engines run in: `python -m services.model.dispersion.dense.worker FD ENGINE...`.

Reads (engine, scenario, time-out) from the pipe, answers a result or a failure, until the pipe closes.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection

from services.model.dispersion.dense.engine import DenseEngine
from services.model.dispersion.dense.installed import library_version

# What a first run would otherwise import within its own time.
_HEAVY = {
    "slabx": ("slabx.core.plume", "slabx.post.concentration", "slabx.core.vertical_jet"),
    "degadisx": ("degadisx.run",),
}

# A worker whose parent was killed while it computed ends itself this long after its time-out [s].
_GRACE_S = 5.0


def main(arguments: list[str]) -> None:
    """Serve the pipe with this file descriptor; the rest names engines to load first."""
    # Ctrl-C goes to the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engines = {target: _load(target) for target in arguments[1:]}
    with Connection(int(arguments[0])) as pipe, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send("ready")
        while True:
            target, scenario, time_out_s = pipe.recv()
            signal.setitimer(signal.ITIMER_REAL, time_out_s + _GRACE_S)
            answer = engines[target].run(scenario)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            pipe.send(answer)


def _load(target: str) -> DenseEngine:
    module, _, name = target.partition(":")
    engine: DenseEngine = getattr(import_module(module), name)()
    if library_version(engine.name) is not None:
        for heavy in _HEAVY.get(engine.name, ()):
            import_module(heavy)
    return engine


if __name__ == "__main__":
    main(sys.argv[1:])
