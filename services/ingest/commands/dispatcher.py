"""Sends commands to the devices that are connected here, and takes down what they answer.

Every replica runs one. The table is the truth: a command is taken by whoever is linked to its device, in a transaction
that marks it as sent before it goes out. A replica that goes down meanwhile costs a try, never a command.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.commands import lifecycle, store
from services.ingest.commands.access import Access
from services.ingest.commands.lifecycle import Patience, Progress
from services.ingest.commands.requests import Sender, message
from services.ingest.commands.store import Command, Front
from services.ingest.stations.links import Link, Links, NotConnected
from shared.hj212.codes import DATA_COMMANDS, Cn
from shared.hj212.commands import data_time, format_qn
from shared.hj212.reports import SECRET
from shared.hj212.segment import Pair, Segment
from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
EVERY_S = 1.0
"""How soon a command that another replica has taken in goes out here."""
SHORTEST_STEP_S = 0.02
MAX_HEARD = 20_000
FRESHER_ELSEWHERE = timedelta(seconds=5)
"""A device that was heard by so much later than here has found another replica: our connection to it is dead."""
MAX_DIGITS = 4
DEFAULT_ST = "22"
DEFAULT_PW = "123456"
"""For a device that shows neither; devices are delivered with this password."""
_RESULT = {Cn.REQUEST_ANSWER.value: "QnRtn", Cn.EXECUTION_RESULT.value: "ExeRtn", Cn.NOTICE_ANSWER.value: None}
"""Where the answers of devices have their result."""
_QN = re.compile(r"[0-9]{17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What matters of an answer, or of data that were asked for, with the MN and QN of the command."""

    key: tuple[str, str]
    cn: str
    result: int | None = None
    records: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)


class Dispatcher:
    """A listener of the links of this process, and the loop that serves them."""

    def __init__(
        self,
        engine: AsyncEngine,
        links: Links,
        patience: Patience,
        access: Access,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.patience = patience
        self._access = access
        self._engine = engine
        self._links = links
        self._clock = clock
        self._heard: list[_Heard] = []
        self._asked: dict[str, Command] = {}
        self._waiting: frozenset[str] = frozenset()
        self._woken = asyncio.Event()
        links.listeners.append(self)

    # ---- what the links tell ----

    def linked(self, link: Link) -> None:
        """A device for which something waits is connected."""
        if link.mn in self._waiting:
            self.wake()

    def unlinked(self, link: Link) -> None:
        """Nothing to do: what was sent has its time-out."""

    def answered(self, link: Link, message: Segment, received_at: datetime) -> None:  # noqa: ARG002
        """Keep what may belong to a command, for the next step."""
        heard = _answer(message, link) if message.cn in _RESULT else _data(message, self._asked.get(link.mn), link)
        if heard is None or len(self._heard) >= MAX_HEARD:
            return
        self._heard.append(heard)
        if message.cn not in DATA_COMMANDS:
            self.wake()

    # ---- the loop ----

    def wake(self) -> None:
        """There is something to do: take the next step now."""
        self._woken.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.step()
                await asyncio.sleep(SHORTEST_STEP_S)
            except DATABASE_OUTAGES as error:
                log.warning("commands_not_served", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(EVERY_S)
            except Exception:
                # Commands wait then; readings do not, which the same process takes in.
                log.exception("commands_not_served")
                await asyncio.sleep(EVERY_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._woken.wait()

    async def step(self) -> None:
        """Take down what was heard, what is overdue, and send what is next."""
        await self._take_down()
        await self._time_out()
        await self._send()

    async def _take_down(self) -> None:
        heard = self._heard[:]
        if not heard:
            return
        keys = sorted({entry.key for entry in heard})
        now = self._clock()
        async with self._engine.begin() as connection:
            before = {(command.mn, command.qn or ""): command for command in await store.take_by_qn(connection, keys)}
            commands = dict(before)
            for entry in heard:
                command = commands.get(entry.key)
                if command is not None:
                    commands[entry.key] = command.going(self._after(command, entry, now))
            await store.save(connection, list(commands.values()), now)
            news = [after for key, after in commands.items() if after.progress.state != before[key].progress.state]
            changed = [await self._access.settle(connection, command) for command in news]
        if any(changed):
            self._access.changed()
        del self._heard[: len(heard)]
        for key in keys:
            ended = commands.get(key)
            if ended is None or not ended.progress.open:
                self._forget(key)
            if ended is not None:
                self._tell(ended)

    def _after(self, command: Command, heard: _Heard, now: datetime) -> Progress:
        progress = command.progress
        match heard.cn:
            case Cn.REQUEST_ANSWER:
                return lifecycle.confirmed(progress, heard.result, now, self.patience)
            case Cn.EXECUTION_RESULT:
                return lifecycle.executed(progress, heard.result)
            case Cn.NOTICE_ANSWER:
                return lifecycle.noticed(progress)
            case _:
                return lifecycle.told(progress, heard.records, heard.fields, now, self.patience)

    async def _time_out(self) -> None:
        now = self._clock()
        async with self._engine.begin() as connection:
            overdue = await store.take_overdue(connection, now)
            after = [command.going(lifecycle.overdue(command.progress, now, self.patience)) for command in overdue]
            await store.save(connection, after, now)
        for command in after:
            if not command.progress.open and command.qn is not None:
                self._forget((command.mn, command.qn))
            self._tell(command)

    async def _send(self) -> None:
        waiting: set[str] = set()
        after: str | None = ""
        while after is not None:
            async with self._engine.connect() as connection:
                page, after = await store.fronts(connection, after)
            fronts = [front for front in page if front.command.progress.state is lifecycle.State.REQUESTED]
            waiting |= {front.command.mn for front in fronts}
            await self._send_those([front for front in fronts if self._is_ours(front) and await self._ready(front)])
        self._waiting = frozenset(waiting)

    def _is_ours(self, front: Front) -> bool:
        link = self._links.get(front.command.mn)
        if link is None or link.device.park_id != front.command.park_id:
            # A device that another park has meanwhile does not do what the former one asked.
            return False
        return front.last_seen is None or link.heard_at >= front.last_seen - FRESHER_ELSEWHERE

    async def _ready(self, front: Front) -> bool:
        link = self._links.get(front.command.mn)
        return link is not None and await self._access.ready(front.command, link.pw)

    async def _send_those(self, fronts: list[Front]) -> None:
        if not fronts:
            return
        now = self._clock()
        async with self._engine.begin() as connection:
            taken = await store.take_requested(connection, [front.command.id for front in fronts])
            going = [
                command.going(
                    lifecycle.sent(command.progress, now, self.patience), format_qn(now.astimezone(link.device.zone))
                )
                for command in taken
                if (link := self._links.get(command.mn)) is not None
            ]
            await store.save(connection, going, now)
        for command in going:
            self._transmit(command, now)

    def _transmit(self, command: Command, now: datetime) -> None:
        link = self._links.get(command.mn)
        if link is None or command.qn is None:
            return
        self._asked[command.mn] = command
        if command.request.span is not None:
            self._links.watched.add((command.mn, command.cn))
        sender = Sender(link.st or DEFAULT_ST, link.pw or link.device.password or DEFAULT_PW)
        with contextlib.suppress(NotConnected):
            link.send(message(command.request, link.device, sender, command.qn, now))
            metrics.COMMANDS.labels(command.progress.state.value).inc()

    def _forget(self, key: tuple[str, str]) -> None:
        asked = self._asked.get(key[0])
        if asked is not None and asked.qn == key[1]:
            del self._asked[key[0]]
            self._links.watched.discard((asked.mn, asked.cn))

    def _tell(self, command: Command) -> None:
        if not command.progress.open:
            metrics.COMMANDS.labels(command.progress.state.value).inc()
            log.info("command_ended", command=command.id, mn=command.mn, state=command.progress.state.value)


def _answer(message: Segment, link: Link) -> _Heard | None:
    name = _RESULT.get(message.cn or "")
    # Every QN of ours has this form; whatever else a device makes up is not worth a question to the database.
    if message.cn is None or message.qn is None or not _QN.fullmatch(message.qn):
        return None
    return _Heard((link.mn, message.qn), message.cn, _number(message, name) if name else None)


def _data(message: Segment, asked: Command | None, link: Link) -> _Heard | None:
    """What a message of the device adds to the command that asked for it."""
    if asked is None or asked.qn is None or message.cn != asked.cn:
        return None
    key = (link.mn, asked.qn)
    span = asked.request.span
    if span is None:
        values = {_key(pair): pair.value for pair in message.pairs if pair.name not in SECRET}
        return _Heard(key, asked.cn, fields=lifecycle.bounded(values))
    local = data_time(message)
    if local is None or not span[0] <= local.replace(tzinfo=link.device.zone) <= span[1]:
        return None
    return _Heard(key, asked.cn, records=1)


def _key(pair: Pair) -> str:
    return pair.name if pair.suffix is None else f"{pair.name}-{pair.suffix}"


def _number(message: Segment, name: str) -> int | None:
    value = message.value(name)
    return (
        int(value) if value is not None and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS else None
    )
