"""The registry follows a device whose password or key a command changes.

A device may show its new password with its very answer, or change it and never say so. So the new one is taken beside
the registered one before the command goes out, and replaces it once the device has told that it is done.
"""

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.commands.lifecycle import State
from services.ingest.commands.secrets import KEY_LENGTH, MASK, PASSWORD_LENGTH, SetKey, SetPassword
from services.ingest.commands.store import Command
from services.ingest.registry.store import REGISTRY_STREAM, take_turn
from services.ingest.stations.session import Directory
from shared.hj212.codes import ExeRtn
from shared.messages import RegistryChanged
from shared.outbox import enqueue

# What the device shows now stays taken, also where an earlier change of it is not in the registry.
_EXPECT = text(
    """
    UPDATE device SET password = coalesce(:shown, password), password_set = :new
    WHERE mn = :mn AND password IS NOT NULL AND password_set IS DISTINCT FROM :new
    """
)
_TAKEN = text(
    "UPDATE device SET password = password_set WHERE mn = :mn AND password IS NOT NULL AND password_set IS NOT NULL"
)
_REFUSED = text("UPDATE device SET password_set = NULL WHERE mn = :mn AND password_set IS NOT NULL")
_KEY = text("UPDATE device SET sm4_key = :key WHERE mn = :mn")
_FORGET = text(
    """
    UPDATE command SET request = request || jsonb_build_object(CAST(:field AS text), CAST(:mask AS text))
    WHERE id = :id
    """
)


class Access:
    """``directory`` has the devices as frames are judged by; ``changed`` is called when the registry has."""

    def __init__(self, engine: AsyncEngine, directory: Directory, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._directory = directory
        self.changed = changed

    async def ready(self, command: Command, shown: str | None) -> bool:
        """Whether a command may go out: a new password only once it would be taken. ``shown`` is the present one."""
        request = command.request
        device = self._directory(command.mn)
        if not isinstance(request, SetPassword) or device is None or device.password is None:
            return True
        new = request.password.get_secret_value()
        if device.password_set == new:
            return True
        async with self._engine.begin() as connection:
            await take_turn(connection, command.park_id)
            values = {"mn": command.mn, "shown": shown, "new": new}
            if (await connection.execute(_EXPECT, values)).rowcount:
                await enqueue(connection, REGISTRY_STREAM, RegistryChanged(park_id=command.park_id))
        self.changed()
        return False

    async def settle(self, connection: AsyncConnection, command: Command) -> bool:
        """After a command has ended, in the transaction that says so: whether the registry has changed.

        Its secret is forgotten; only after a time-out it stays, for a result that comes late.
        """
        request, progress = command.request, command.progress
        if not isinstance(request, SetPassword | SetKey) or progress.open or progress.state is State.TIMED_OUT:
            return False
        await take_turn(connection, command.park_id)
        done = progress.state is State.EXECUTED and progress.exe_rtn == ExeRtn.DONE
        changed = 0
        if isinstance(request, SetPassword):
            field, length = "password", PASSWORD_LENGTH
            if done or progress.state is State.REFUSED:
                changed = (await connection.execute(_TAKEN if done else _REFUSED, {"mn": command.mn})).rowcount
        else:
            field, length = "key", KEY_LENGTH
            if done:
                values = {"mn": command.mn, "key": request.key.get_secret_value()}
                changed = (await connection.execute(_KEY, values)).rowcount
        await connection.execute(_FORGET, {"id": command.id, "field": field, "mask": MASK * length})
        if changed:
            await enqueue(connection, REGISTRY_STREAM, RegistryChanged(park_id=command.park_id))
        return bool(changed)
