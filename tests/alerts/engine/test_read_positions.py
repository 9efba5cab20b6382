"""Ingest is told how far facts are read for good: up to the checkpoint, from which a restart reads on."""

import asyncio

from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.read_positions import ReadPositions
from tests.alerts.park import STREAM, Park, Producer
from tests.alerts.test_app import eventually


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

    async def refused() -> bool:
        return producer.refusals > 1

    await eventually(refused)
    assert producer.read == {}
    producer.down = False

    async def told() -> bool:
        return bool(producer.read)

    await eventually(told)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
