"""`python -m services.gateway.admin COMMAND`: who comes in at the gateway. Needs FENCELINE_DATABASE_URL alone."""

import argparse
import asyncio
import sys

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from services.gateway.admin import auditing, keys, organisations
from services.gateway.admin.noting import AdminError
from services.gateway.admin.options import parser
from services.gateway.identity_store import IdentityStore
from services.gateway.store import Store
from shared.database import create_engine
from shared.settings import Settings


class AdminSettings(Settings):
    """Only the database."""

    database_url: SecretStr


async def _run(options: argparse.Namespace, settings: AdminSettings) -> str | None:
    engine = create_engine(settings.database_url.get_secret_value(), "gateway", pool_size=1)
    store, identities = Store(engine), IdentityStore(engine)
    try:
        match options.command:
            case "create-key":
                return await keys.create_key(store, identities, options)
            case "rotate-key":
                return await keys.rotate_key(store, options)
            case "revoke-key":
                return await keys.revoke_key(store, options.which)
            case "list-keys":
                return await keys.list_keys(store)
            case "create-organisation":
                return await organisations.create_organisation(identities, options)
            case "create-member":
                return await organisations.create_member(identities, options)
            case "list-organisations":
                return await organisations.list_organisations(identities)
            case "list-members":
                return await organisations.list_members(identities)
            case "audit":
                await auditing.export_audit(engine, options)
                return None
            case _:
                return await organisations.switch(identities, options)
    finally:
        await engine.dispose()


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit status 2 with one line where something is wrong."""
    options = parser().parse_args(arguments)
    try:
        said = asyncio.run(_run(options, AdminSettings.load()))
    except AdminError as error:
        print(error, file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        remedy = "is FENCELINE_DATABASE_URL right, and has `python -m shared.migrate gateway` run?"
        print(f"the database cannot be used ({remedy}): {reason[:300]}", file=sys.stderr)
        return 2
    if said is not None:
        print(said)
    return 0
