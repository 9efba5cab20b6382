"""All stations of the park: what each tells in which second, and their lines to the platform."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

from simulator.backlog import Backlog
from simulator.device import Device
from simulator.outages import Outage
from simulator.requests import DeviceSettings, Identity
from simulator.world import MINUTE_S, World

# System types of HJ 212-2017 Table 5. It has none for toxic gas at a boundary: parks send air quality, or the
# air of a pollution source beside vessels.
SYSTEM_TYPE = {"source": "31", "boundary": "22", "receptor": "22", "meteorology": "22"}
# Of a device whose password the platform does not check.
UNCHECKED = "123456"


class Stations:
    """The data loggers of a world's stations."""

    def __init__(self, world: World, address: tuple[str, int], interval_s: int, seed: int) -> None:
        self._world = world
        self._outages: list[Outage] = []
        self.devices: list[Device] = []
        for index, station in enumerate(world.site.stations):
            if station.device is None:
                continue
            password = station.device.password or UNCHECKED
            identity = Identity(station.device.mn, password, SYSTEM_TYPE[station.ring])
            settings = DeviceSettings(realtime_interval_s=interval_s)
            luck = random.Random(f"{seed} {index}")
            self.devices.append(Device(identity, address, world.local_time, settings, Backlog(), luck))

    @property
    def connected(self) -> int:
        """Number of stations with a line to the platform."""
        return sum(device.connected for device in self.devices)

    @property
    def waiting(self) -> int:
        """Number of frames without acknowledgement."""
        return sum(len(device.backlog) for device in self.devices)

    @property
    def dropped(self) -> int:
        """Number of frames lost because a station's memory was full."""
        return sum(device.backlog.dropped for device in self.devices)

    async def run(self) -> None:
        """Keep all stations connected, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for device in self.devices:
                group.create_task(device.run())

    def start_up(self) -> None:
        """Let every station tell that it has started."""
        for device in self.devices:
            device.tell_startup(self._world.local_time())

    def expect(self, outages: Sequence[Outage]) -> None:
        """Plan lines to fail."""
        self._outages += outages

    def tell(self) -> None:
        """Queue what falls due in this second."""
        self._cut_and_mend()
        local, now = self._world.local_time(), self._world.now
        for index, device in enumerate(self.devices):
            settings = device.settings
            # Each station has its own second, so that they do not all speak at once.
            if settings.send_realtime and (now + index) % settings.realtime_interval_s == 0:
                device.tell_realtime(local, self._world.realtime(index))
            if now % MINUTE_S == 0 and (readings := self._world.minute(index)):
                device.tell_minute(local - timedelta(seconds=MINUTE_S), readings)

    def _cut_and_mend(self) -> None:
        now = self._world.now
        for outage in self._outages:
            if outage.start == now:
                self.devices[outage.station].cut_line()
            elif outage.end == now:
                self.devices[outage.station].mend_line()
        self._outages = [outage for outage in self._outages if outage.end > now]
