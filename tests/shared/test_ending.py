"""The end of a process."""

import asyncio

from shared.ending import end_all


async def test_a_cancellation_that_was_lost_comes_again() -> None:
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
        await asyncio.Event().wait()

    async def failed() -> None:
        raise ValueError

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(failed())]
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await end_all(tasks, again_s=0.01)
    assert lost == 2
    assert isinstance(tasks[1].exception(), ValueError)
