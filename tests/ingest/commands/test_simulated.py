"""The simulator's data logger, whose memory of unsent frames is too small for an outage, beside a real ingest."""

import asyncio
import random
from datetime import UTC, datetime

from shared.hj212.readings import Reading
from simulator.backlog import Backlog
from simulator.device import Device
from simulator.requests import DeviceSettings, Identity
from tests.ingest.commands.devices import MINUTE, local
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import until

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
EAGER = {"ingest_gap_settle_s": 0, "ingest_gap_look_s": 0.2, "ingest_gap_every_s": 0.1}


def tell(device: Device, *minutes: int) -> None:
    for number in minutes:
        device.tell_minute(local(NOW - number * MINUTE), [Reading("a21022", "Avg", float(number), "N")])


async def test_an_outage_longer_than_the_devices_memory_leaves_no_gap(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, **EAGER) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        identity = Identity(mn="A1", pw="123456", st="31")
        address = ("127.0.0.1", ingest.port)
        luck = random.Random(1)
        device = Device(identity, address, lambda: local(datetime.now(UTC)), DeviceSettings(), Backlog(5), luck)
        running = asyncio.create_task(device.run())

        async def stored() -> list[float]:
            return [value for (value,) in await ingest.rows("SELECT value FROM observation ORDER BY time")]

        async def complete(first: int, last: int) -> bool:
            return await stored() == [float(minutes) for minutes in range(first, last - 1, -1)]

        async def acknowledged() -> bool:
            return len(device.backlog) == 0

        try:
            tell(device, 60, 59, 58, 57, 56)
            await until(lambda: complete(60, 56))
            await until(acknowledged)
            device.cut_line()
            tell(device, *range(55, 20, -1))
            assert device.backlog.dropped == 30
            device.mend_line()
            await until(lambda: complete(60, 21))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        gaps = (await ingest.get("/parks/test-park/devices/A1/gaps"))["items"]
        assert {gap["state"] for gap in gaps} <= {"filled", "asked"}
        assert sum(gap["tries"] <= 1 for gap in gaps) == len(gaps) > 0
