"""API keys from the command line."""

import argparse
import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from services.gateway.admin.noting import AdminError, note_of, table
from services.gateway.auth import ApiKey, KeyRecord, principal_of
from services.gateway.identities import Member
from services.gateway.identity_store import IdentityStore
from services.gateway.scopes import Scope
from services.gateway.store import Store
from shared.time import iso, utc_now


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


async def create_key(store: Store, identities: IdentityStore, options: argparse.Namespace) -> str:
    """Create a key, or with a key file bring it up to date; answers what to print."""
    member = await _member(identities, options.member) if options.member else None
    key = key_from_file(options.key_file) if options.key_file else ApiKey.new()
    now = utc_now()
    record = KeyRecord(
        prefix=key.prefix,
        name=options.name,
        secret_digest=key.digest(),
        parks=frozenset(options.park),
        scopes=frozenset(Scope(scope) for scope in options.scope or [Scope.READ]),
        created_at=now,
        expires_at=_expiry(options, now),
        member=member,
    )
    _require_some_right(record)
    try:
        written = await store.put_key(record, note_of("create-key", f"/keys/{key.prefix}", now))
    except IntegrityError as error:
        raise AdminError(f"There is a key named {options.name!r} already. Choose another name.") from error
    if not written:
        raise AdminError(f"The key {key.prefix} was revoked or rotated. Remove its file to have another one made.")
    if options.key_file:
        return f"{options.name}: key fl_{key.prefix}_... is in {options.key_file}"
    return _shown_once(key)


async def rotate_key(store: Store, options: argparse.Namespace) -> str:
    """Make the key that follows another, with its name and rights; both are good for the overlap."""
    key, now = ApiKey.new(), utc_now()
    fresh = KeyRecord(key.prefix, "", key.digest(), frozenset(), frozenset(), now, _expiry(options, now))
    until = now + timedelta(days=options.overlap_days)
    rotated = await store.rotate(options.which, fresh, until, note_of("rotate-key", "", now))
    if rotated is None:
        raise AdminError(f"There is no valid key with the prefix or name {options.which!r} that was not rotated yet.")
    ends = min(until, rotated.old.expires_at or until)
    return f"{_shown_once(key)}\nThe key fl_{rotated.old.prefix}_... is good until {iso(ends)}."


async def list_keys(store: Store) -> str:
    """Every key in a table, without its secret."""
    rows = [("PREFIX", "NAME", "STATE", "SCOPES", "PARKS", "MEMBER", "EXPIRES", "LAST USED")]
    now = utc_now()
    for key in await store.keys():
        used = iso(key.last_used_at) if key.last_used_at else "never"
        expires = iso(key.expires_at) if key.expires_at else "never"
        scopes, parks = ",".join(sorted(key.scopes)), ",".join(sorted(key.parks))
        rows.append(
            (key.prefix, key.name, _state(key, now), scopes, parks, key.member.id if key.member else "-", expires, used)
        )
    return table(rows)


async def revoke_key(store: Store, which: str) -> str:
    """Revoke a key by prefix, or by name with those that it follows."""
    now = utc_now()
    revoked = await store.revoke(which, now, note_of("revoke-key", "", now))
    if not revoked:
        raise AdminError(f"There is no valid key with the prefix or name {which!r}.")
    return f"revoked: {', '.join(revoked)} (running gateways refuse it within 5 seconds)"


def _state(key: KeyRecord, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and now >= key.expires_at:
        return "expired"
    if not key.is_valid(now):
        return "disabled"
    return "rotated" if key.successor else "valid"


def _expiry(options: argparse.Namespace, now: datetime) -> datetime | None:
    return now + timedelta(days=options.expires_in_days) if options.expires_in_days else None


def _shown_once(key: ApiKey) -> str:
    return f"{key}\nThis is shown once. Keep it safe."


async def _member(identities: IdentityStore, id_: str) -> Member:
    member = await identities.member(id_)
    if member is None:
        raise AdminError(f"There is no member {id_!r}. Make it with create-member first.")
    return member


def _require_some_right(record: KeyRecord) -> None:
    principal = principal_of(record)
    if record.member is not None and not (principal.parks and principal.scopes):
        raise AdminError(
            f"The key would be good for nothing: the member {record.member.id!r} has none of these parks or scopes."
        )
