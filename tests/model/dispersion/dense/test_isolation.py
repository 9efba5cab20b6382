"""Engines in their own processes, among them some that hang and crash."""

import os
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from time import monotonic, sleep

import psutil
import pytest

from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.isolation import ENGINES, EnginePool
from services.model.dispersion.dense.scenario import JetSource
from tests.model.dispersion.dense.cases import ENDPOINT_2_KG_M3, chlorine

FAULTY = {
    name: f"tests.model.dispersion.dense.faulty:{name.capitalize()}"
    for name in ("hangs", "crashes", "raises", "answers")
}


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    with EnginePool(workers=1, engines=FAULTY | {"slabx": ENGINES["slabx"]}) as pool:
        yield pool


def process_of(answer: DenseResult | EngineFailure) -> str:
    assert isinstance(answer, EngineFailure)
    assert answer.kind == "refused"
    return answer.reason.en


def test_a_process_serves_run_after_run(pool: EnginePool) -> None:
    first, second = (process_of(pool.run("answers", chlorine())) for _ in range(2))
    assert first == second


def test_one_that_hangs_is_killed_in_time_and_the_next_run_has_a_new_process(pool: EnginePool) -> None:
    before = process_of(pool.run("answers", chlorine()))
    began = monotonic()
    answer = pool.run("hangs", chlorine(), time_out_s=0.5)
    assert monotonic() - began < 5.0
    assert isinstance(answer, EngineFailure)
    assert answer.kind == "timed-out"
    assert "0.5 s" in answer.reason.en
    assert process_of(pool.run("answers", chlorine())) != before


@pytest.mark.parametrize("name", ["crashes", "raises"])
def test_one_that_dies_is_told(pool: EnginePool, name: str) -> None:
    answer = pool.run(name, chlorine())
    assert isinstance(answer, EngineFailure)
    assert (answer.engine, answer.kind) == (name, "crashed")
    process_of(pool.run("answers", chlorine()))


def test_one_that_fails_leaves_the_other_s_answer(pool: EnginePool) -> None:
    answers = pool.run_all(("hangs", "slabx"), chlorine(), time_out_s=5.0)
    assert isinstance(answers["hangs"], EngineFailure)
    assert isinstance(answers["slabx"], DenseResult)
    assert answers["slabx"].distance_to(ENDPOINT_2_KG_M3) is not None


def test_the_real_engines_side_by_side_and_a_jet_that_one_refuses() -> None:
    with EnginePool() as pool:
        answers = pool.run_all(tuple(ENGINES), chlorine())
        assert all(isinstance(answer, DenseResult) for answer in answers.values())
        jet = pool.run_all(tuple(ENGINES), chlorine(source=JetSource(1.0, 0.01, 600.0, 1.0)))
        assert isinstance(jet["slabx"], DenseResult)
        assert isinstance(jet["degadisx"], EngineFailure)
        assert pool.run_all((), chlorine()) == {}


def test_a_caller_that_is_interrupted_leaves_no_answer_for_the_next(
    pool: EnginePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = process_of(pool.run("answers", chlorine()))
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "poll", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.run("slabx", chlorine())
    assert process_of(pool.run("answers", chlorine())) != before


def _interrupted(*_: object) -> bool:
    raise KeyboardInterrupt


def test_workers_end_with_the_process_that_started_them() -> None:
    """Even when it is killed and can end nothing itself."""
    program = (
        "import os, time\n"
        "from services.model.dispersion.dense.isolation import EnginePool\n"
        "from tests.model.dispersion.dense.cases import chlorine\n"
        "pool = EnginePool(workers=1, engines={'a': 'tests.model.dispersion.dense.faulty:Answers'})\n"
        "print(pool.run('a', chlorine()).reason.en, flush=True)\n"
        "time.sleep(60)\n"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    limit = monotonic() + 10.0
    while psutil.pid_exists(worker) and psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
        assert monotonic() < limit, "the worker outlived its parent"
        sleep(0.05)


def test_an_engine_that_the_pool_does_not_have_is_an_error(pool: EnginePool) -> None:
    with pytest.raises(KeyError):
        pool.run("unknown", chlorine())
