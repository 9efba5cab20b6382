"""What the simulator's tests share: the demonstration park and a platform that speaks HJ 212."""

from collections.abc import AsyncIterator

import pytest

from shared.park_file import ParkFile, read_park_file
from simulator.options import PARK_FILE
from simulator.site import Site
from tests.simulator.platform import Platform


@pytest.fixture(scope="session")
def park() -> ParkFile:
    return read_park_file(PARK_FILE)


@pytest.fixture(scope="session")
def site(park: ParkFile) -> Site:
    return Site(park)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform() as running:
        yield running
