"""Engines in processes of their own: one that hangs or crashes is ended, told as a failure, and harms nothing else.

A worker is a fresh interpreter (no fork of a process with threads) that loads both libraries once and then answers
scenario after scenario; engines keep no state between runs.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Self

from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.installed import library_version
from services.model.dispersion.dense.scenario import DenseScenario
from shared.text import BilingualText

# Where each engine's class stands; the worker imports it there, so that this process never loads the library.
ENGINES = {
    "slabx": "services.model.dispersion.dense.slabx_engine:SlabxEngine",
    "degadisx": "services.model.dispersion.dense.degadisx_engine:DegadisxEngine",
}

# A steady run takes 0.1 to 2 s; DEGADIS's transient run of a large sudden release up to half a minute.
TIME_OUT_S = 60.0
START_TIME_OUT_S = 60.0
_WORKERS = 2


def installed_engines() -> tuple[str, ...]:
    """Names of the engines whose libraries are here."""
    return tuple(name for name in ENGINES if library_version(name) is not None)


class EnginePool:
    """A few workers, started when first needed and started anew after one was ended. Safe to share between threads."""

    def __init__(self, workers: int = _WORKERS, engines: dict[str, str] | None = None) -> None:
        self._engines = ENGINES if engines is None else engines
        self._idle: LifoQueue[_Worker] = LifoQueue()
        self._workers = [_Worker(self._engines) for _ in range(workers)]
        for worker in self._workers:
            self._idle.put(worker)

    def run(self, engine: str, scenario: DenseScenario, time_out_s: float = TIME_OUT_S) -> DenseResult | EngineFailure:
        """Run one engine; waits for a free worker. Raises KeyError for an engine that the pool does not have."""
        target = self._engines[engine]
        worker = self._idle.get()
        try:
            return worker.run(engine, target, scenario, time_out_s)
        finally:
            self._idle.put(worker)

    def run_all(
        self, engines: Sequence[str], scenario: DenseScenario, time_out_s: float = TIME_OUT_S
    ) -> dict[str, DenseResult | EngineFailure]:
        """Run several engines at once; every one has its answer or its failure."""
        if not engines:
            return {}
        with ThreadPoolExecutor(len(engines)) as threads:
            answers = threads.map(lambda name: self.run(name, scenario, time_out_s), engines)
            return dict(zip(engines, answers, strict=True))

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@cache
def shared_pool() -> EnginePool:
    """The process's own pool, made when first asked for and ended with the process."""
    pool = EnginePool()
    atexit.register(pool.close)
    return pool


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, engines: dict[str, str]) -> None:
        self._preload = list(engines.values())
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def run(self, engine: str, target: str, scenario: DenseScenario, time_out_s: float) -> DenseResult | EngineFailure:
        try:
            pipe = self._started()
            if pipe is None:
                return _failure(engine, "crashed", "计算进程未能启动", "its process did not start")
            pipe.send((target, scenario, time_out_s))
            if not pipe.poll(time_out_s):
                self.end()
                said = f"{time_out_s:g}"
                return _failure(
                    engine,
                    "timed-out",
                    f"超过 {said} 秒未完成，已终止",
                    f"it did not end within {said} s and was killed",
                )
            answer: DenseResult | EngineFailure = pipe.recv()
            return answer
        except (EOFError, OSError):
            self.end()
            return _failure(engine, "crashed", "计算进程异常退出", "its process died")
        except BaseException:
            # Interrupted between question and answer: the next question must not be given this answer.
            self.end()
            raise

    def _started(self) -> Connection | None:
        if self._process is not None and self._process.poll() is None:
            return self._pipe
        self.end()
        ours, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.model.dispersion.dense.worker", str(theirs.fileno()), *self._preload],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        self._pipe = ours
        if not ours.poll(START_TIME_OUT_S):
            self.end()
            return None
        ours.recv()
        return ours

    def end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _environment() -> dict[str, str]:
    # One core an engine: threads inside NumPy only get in the way of the other engine.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return os.environ | single | {"PYTHONPATH": path}


def _failure(engine: str, kind: str, zh: str, en: str) -> EngineFailure:
    assert kind in ("timed-out", "crashed")
    reason = BilingualText(zh=f"模型 {engine} 无结果：{zh}。", en=f"The engine {engine} gave no answer: {en}.")
    return EngineFailure(engine, "timed-out" if kind == "timed-out" else "crashed", reason)
