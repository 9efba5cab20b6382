"""A device that does what the platform asks, and remembers the records that it made."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.hj212 import commands
from shared.hj212.codes import Cn, ExeRtn, QnRtn, flag_of
from shared.hj212.frame import encode
from shared.hj212.readings import Reading
from shared.hj212.segment import Pair, Segment, build
from tests.ingest.running import Running, StationClient

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
NOTICES = (Cn.STOP_REALTIME, Cn.STOP_RUN_STATE)


def local(moment: datetime) -> datetime:
    """The park's time, as devices tell it."""
    return moment.astimezone(SHANGHAI).replace(tzinfo=None)


class Answering:
    """The device's end of a connection, answering in a task of its own."""

    def __init__(self, client: StationClient, mn: str, records: Mapping[datetime, float], cn: Cn = Cn.MINUTE) -> None:
        self.client = client
        self.mn = mn
        self.records = records
        """What it remembers: the value of each record by its local time."""
        self.cn = cn
        """What its records are."""
        self.asked: list[Segment] = []
        self.silent = False
        self.says: dict[str, str] = {}
        """What it says before it is done, by the command."""
        self.refuses: QnRtn | None = None
        self.next_password: str | None = None
        """What it shows from its next answer on, once it was told to."""
        self._head = {"mn": mn, "pw": "123456", "st": "31"}

    async def tell(self, time: datetime, value: float) -> None:
        """Send one record; it is answered in `run`."""
        await self.client.send(self._record(time, value))

    async def hello(self) -> None:
        """A message after which the platform knows who is connected."""
        await self.client.send(commands.heartbeat(**self._head, qn="1"))

    async def run(self) -> None:
        """Answer until the connection ends."""
        while True:
            message = await self.client.answer(3600)
            if message.cn in (Cn.DATA_ANSWER, Cn.NOTICE_ANSWER):
                continue
            self.asked.append(message)
            if not self.silent:
                await self.answer(message)

    async def answer(self, message: Segment) -> None:
        """Do what was asked, and say so."""
        if message.cn in NOTICES:
            await self.client.send(commands.notice_answer(message))
            return
        if self.refuses is not None:
            await self.client.send(commands.request_answer(message, self.refuses))
            return
        if message.cn == Cn.SET_PASSWORD and self.next_password is not None:
            self._head["pw"] = message.pw = self.next_password
        await self.client.send(commands.request_answer(message, QnRtn.READY))
        result = ExeRtn.DONE
        if message.cn == self.cn:
            begin, end = (commands.parse_time(message.value(name)) for name in ("BeginTime", "EndTime"))
            assert begin is not None
            assert end is not None
            found = [time for time in sorted(self.records) if begin <= time <= end]
            for time in found:
                await self.client.send(self._record(time, self.records[time]))
            result = ExeRtn.DONE if found else ExeRtn.NO_DATA
        elif message.cn == Cn.REALTIME_INTERVAL:
            groups = ((Pair("RtdInterval", None, "30"),),)
            await self.client.send(build(message.cn, qn=message.qn, flag=flag_of(), groups=groups, **self._head))
        elif message.cn in self.says:
            body = f"QN={message.qn};ST=31;CN={message.cn};PW=123456;MN={self.mn};Flag=4;CP=&&{self.says[message.cn]}&&"
            await self.client.send(encode(body.encode()))
        await self.client.send(commands.execution_result(message, result))

    def _record(self, time: datetime, value: float) -> Segment:
        reading = Reading("a21022", "Avg", value, "N")
        qn = commands.format_qn(time)
        message = {Cn.MINUTE: commands.minute, Cn.DAY: commands.day}[self.cn]
        return message(**self._head, qn=qn, time=time, readings=[reading])


@asynccontextmanager
async def answering(
    ingest: Running, mn: str = "A1", records: Mapping[datetime, float] | None = None, cn: Cn = Cn.MINUTE
) -> AsyncIterator[Answering]:
    """A connected device that answers."""
    async with ingest.station() as client:
        device = Answering(client, mn, records or {}, cn)
        await device.hello()
        task = asyncio.create_task(device.run())
        try:
            yield device
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
