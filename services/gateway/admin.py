"""API keys from the command line: `python -m services.gateway.admin create-key | list-keys | revoke-key`.

Needs FENCELINE_DATABASE_URL alone.
"""

import argparse
import asyncio
import os
import re
import sys
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from services.gateway.auth import ALL_PARKS, ApiKey, KeyRecord, Scope
from services.gateway.store import Store
from services.gateway.tenancy import PARK_ID
from shared.database import create_engine
from shared.settings import Settings
from shared.time import iso, utc_now

# The name goes into a header and a log line.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}")


class AdminSettings(Settings):
    """Only the database."""

    database_url: SecretStr


class AdminError(Exception):
    """What was asked cannot be done; the message says why and what to do."""


def key_from_file(path: Path) -> ApiKey:
    """The key in `path`; a new one, written there for its owner alone, where there is no such file."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = ApiKey.new()
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key}\n")
        return key
    except (OSError, UnicodeDecodeError) as error:
        raise AdminError(f"{path}: cannot be read as a key: {error}") from error
    found = ApiKey.parse(text)
    if found is None:
        raise AdminError(f"{path}: holds no key (fl_<prefix>_<secret>); remove it to have one made")
    return found


async def create_key(store: Store, options: argparse.Namespace) -> str:
    """Create a key, or with a key file bring it up to date; answers what to print."""
    key = key_from_file(options.key_file) if options.key_file else ApiKey.new()
    now = utc_now()
    record = KeyRecord(
        prefix=key.prefix,
        name=options.name,
        secret_digest=key.digest(),
        parks=frozenset(options.park),
        scopes=frozenset(Scope(scope) for scope in options.scope or [Scope.READ]),
        created_at=now,
        expires_at=now + timedelta(days=options.expires_in_days) if options.expires_in_days else None,
    )
    try:
        written = await store.put_key(record)
    except IntegrityError as error:
        raise AdminError(f"There is a key named {options.name!r} already. Choose another name.") from error
    if not written:
        raise AdminError(f"The key {key.prefix} was revoked. Remove its file to have another one made.")
    if options.key_file:
        return f"{options.name}: key fl_{key.prefix}_... is in {options.key_file}"
    return f"{key}\nThis is shown once. Keep it safe."


async def list_keys(store: Store) -> str:
    """Every key in a table, without its secret."""
    rows = [("PREFIX", "NAME", "STATE", "SCOPES", "PARKS", "LAST USED")]
    now = utc_now()
    for key in await store.keys():
        state = "revoked" if key.revoked_at else "valid" if key.is_valid(now) else "expired"
        used = iso(key.last_used_at) if key.last_used_at else "never"
        rows.append((key.prefix, key.name, state, ",".join(sorted(key.scopes)), ",".join(sorted(key.parks)), used))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


async def revoke_key(store: Store, which: str) -> str:
    """Revoke a key by prefix or name."""
    revoked = await store.revoke(which, utc_now())
    if not revoked:
        raise AdminError(f"There is no valid key with the prefix or name {which!r}.")
    return f"revoked: {', '.join(revoked)} (running gateways refuse it within 5 seconds)"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("up to 63 ASCII letters, digits, spaces and ._@-, a letter or digit first")
    return text


def _park(text: str) -> str:
    if text != ALL_PARKS and not PARK_ID.fullmatch(text):
        raise argparse.ArgumentTypeError("a park id such as bohai-demo, or '*' for all parks")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.gateway.admin", description="API keys of the gateway.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-key", help="make a key and show it once")
    create.add_argument("--name", type=_name, required=True, help="who holds it; stands in journals and the audit")
    create.add_argument("--park", type=_park, action="append", required=True, help="a park it sees (repeat), or '*'")
    create.add_argument("--scope", choices=list(Scope), action="append", help="repeat; default: read")
    create.add_argument("--expires-in-days", type=float, help="default: never")
    create.add_argument("--key-file", type=Path, help="take the key from this file, or make it and write it there")
    commands.add_parser("list-keys", help="show all keys, without their secrets")
    revoke = commands.add_parser("revoke-key", help="make a key useless")
    revoke.add_argument("which", metavar="PREFIX_OR_NAME")
    return parser


async def _run(options: argparse.Namespace, settings: AdminSettings) -> str:
    engine = create_engine(settings.database_url.get_secret_value(), "gateway", pool_size=1)
    store = Store(engine)
    try:
        match options.command:
            case "create-key":
                return await create_key(store, options)
            case "revoke-key":
                return await revoke_key(store, options.which)
            case _:
                return await list_keys(store)
    finally:
        await engine.dispose()


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit status 2 with one line where something is wrong."""
    options = _parser().parse_args(arguments)
    try:
        print(asyncio.run(_run(options, AdminSettings.load())))
    except AdminError as error:
        print(error, file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        remedy = "is FENCELINE_DATABASE_URL right, and has `python -m shared.migrate gateway` run?"
        print(f"the database cannot be used ({remedy}): {reason[:300]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
