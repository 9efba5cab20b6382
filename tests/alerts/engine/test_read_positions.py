"""Ingest is told how far facts are read for good: up to the checkpoint, from which a restart reads on."""

import asyncio

import pytest

from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.read_positions import ReadPositions
from tests.alerts.park import STREAM, Park, Producer


async def test_it_is_the_checkpoint_that_counts(park: Park, producer: Producer) -> None:
    positions = ReadPositions(park.database, park.client, [STREAM, "observations.5"])
    await positions.report()
    assert producer.read == {"alerts": {STREAM: 0, "observations.5": 0}}
    for second in range(3):
        await park.push((1, second, 0.1))
    await park.settle()
    await positions.report()
    assert producer.read["alerts"][STREAM] == 0
    await park.runner.store(at_once=True)
    await positions.report()
    assert producer.read == {"alerts": {STREAM: 3, "observations.5": 0}}


async def test_it_goes_on_after_an_outage_of_ingest(park: Park, producer: Producer) -> None:
    producer.down = True
    running = asyncio.create_task(ReadPositions(park.database, park.client, [STREAM]).run(OUTAGES, 0.02))
    await asyncio.sleep(0.1)
    assert producer.read == {}
    producer.down = False
    for _ in range(100):
        await asyncio.sleep(0.02)
        if producer.read:
            break
    else:
        pytest.fail("ingest was not told")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
