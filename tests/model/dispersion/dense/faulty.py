"""Engines that do wrong, for the processes that have to bear them."""

import os

from services.model.dispersion.dense.engine import EngineFailure, Limit, refused
from services.model.dispersion.dense.scenario import DenseScenario


class _Faulty:
    name = "slabx"
    version: str | None = "0"
    validity: tuple[Limit, ...] = ()


class Hangs(_Faulty):
    def run(self, scenario: DenseScenario) -> EngineFailure:
        del scenario
        while True:
            pass


class Crashes(_Faulty):
    def run(self, scenario: DenseScenario) -> EngineFailure:
        del scenario
        os._exit(139)


class Raises(_Faulty):
    def run(self, scenario: DenseScenario) -> EngineFailure:
        del scenario
        raise AssertionError("a defect")


class Answers(_Faulty):
    def run(self, scenario: DenseScenario) -> EngineFailure:
        del scenario
        return refused("answers", str(os.getpid()), str(os.getpid()))
