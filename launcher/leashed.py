"""How a child of ours is started: on a leash to this process, and if need be under another account."""

import os
import pwd
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

CAP_DAC_OVERRIDE = 1  # linux/capability.h

_LEASH = str(Path(__file__).with_name("leash.py"))


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine to run a child under, and whether it needs help to reach its files."""

    uid: int
    gid: int
    capability: int | None


def leashed(program: list[str], *, last_signal: signal.Signals, account: Account | None = None) -> list[str]:
    """The command that runs `program` so that it gets `last_signal` when this process ends in any way."""
    identity = f"{account.uid}:{account.gid}" if account else "-"
    capability = str(account.capability) if account and account.capability is not None else "-"
    leash = [_LEASH, str(os.getpid()), str(int(last_signal)), identity, capability]
    return [sys.executable, "-I", "-S", *leash, *program]


def account_beside_root(data: Path, program: Path) -> Account | None:
    """PostgreSQL refuses to run as root: the account that it runs under when we are root, else None.

    An existing data directory keeps its owner. No account is made and no folder of the user is opened to
    others: where the account may not pass (a checkout below /root), its process keeps the one capability that
    lets it through.
    """
    if os.geteuid() != 0:
        return None
    entry = _owner(data) or _first_account("postgres", "nobody", "daemon")
    reachable = _open_to_all(data.parent) and _open_to_all(program.parent)
    return Account(entry.pw_uid, entry.pw_gid, None if reachable else CAP_DAC_OVERRIDE)


def _owner(path: Path) -> pwd.struct_passwd | None:
    if not path.exists() or path.stat().st_uid == 0:
        return None
    return pwd.getpwuid(path.stat().st_uid)


def _first_account(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"none of the accounts {', '.join(names)} exists on this machine")


def _open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))
