"""Organisations and members from the command line."""

import argparse

from sqlalchemy.exc import IntegrityError

from services.gateway.admin.noting import AdminError, note_of, table
from services.gateway.identities import Member, MemberKind, Organisation, OrganisationKind
from services.gateway.identity_store import IdentityStore
from services.gateway.scopes import Scope
from shared.time import utc_now


async def create_organisation(store: IdentityStore, options: argparse.Namespace) -> str:
    """Make an organisation, or bring the one of this id up to date."""
    now = utc_now()
    kind = OrganisationKind(options.kind)
    organisation = Organisation(options.id, kind, options.name, frozenset(options.park), now)
    await store.put_organisation(organisation, note_of("create-organisation", "", now))
    return f"{options.id}: {options.kind} {options.name}, parks {_joined(organisation.parks)}"


async def create_member(store: IdentityStore, options: argparse.Namespace) -> str:
    """Make a member of an organisation, or bring the one of this id up to date."""
    if (options.issuer is None) != (options.subject is None):
        raise AdminError("--issuer and --subject go together: they tie the member to an identity provider's tokens.")
    now = utc_now()
    organisation = next((one for one in await store.organisations() if one.id == options.organisation), None)
    if organisation is None:
        raise AdminError(f"There is no organisation {options.organisation!r}. Make it with create-organisation first.")
    member = Member(
        options.id,
        organisation,
        MemberKind(options.kind),
        frozenset(options.park or organisation.parks),
        frozenset(Scope(scope) for scope in options.scope or [Scope.READ]),
        now,
        options.issuer,
        options.subject,
    )
    try:
        written = await store.put_member(member, note_of("create-member", "", now))
    except IntegrityError as error:
        raise AdminError("Another member has this issuer and subject already.") from error
    if not written:
        raise AdminError(f"The member {options.id!r} is another organisation's. Choose another id.")
    return f"{options.id}: {options.kind} of {organisation.id}, parks {_joined(member.parks)}"


async def list_organisations(store: IdentityStore) -> str:
    """Every organisation in a table."""
    rows = [
        (one.id, one.kind, "disabled" if one.disabled_at else "active", _joined(one.parks), one.name)
        for one in await store.organisations()
    ]
    return table([("ID", "KIND", "STATE", "PARKS", "NAME"), *rows])


async def list_members(store: IdentityStore) -> str:
    """Every member in a table."""
    rows = [("ID", "ORGANISATION", "KIND", "STATE", "SCOPES", "PARKS", "SUBJECT")]
    for one in await store.members():
        state = "active" if one.is_active() else "disabled"
        scopes, parks = _joined(frozenset(one.scopes)), _joined(one.parks)
        rows.append((one.id, one.organisation.id, one.kind, state, scopes, parks, one.subject or "-"))
    return table(rows)


async def switch(store: IdentityStore, options: argparse.Namespace) -> str:
    """Shut an organisation or a member out with all their keys and tokens, or let it in again."""
    verb, _, what = options.command.partition("-")
    now = utc_now()
    if not await store.switch(what, options.id, now if verb == "disable" else None, note_of(options.command, "", now)):
        raise AdminError(f"There is no {what} {options.id!r}.")
    return f"{options.id}: {verb}d (running gateways know within 5 seconds)"


def _joined(words: frozenset[str]) -> str:
    return ",".join(sorted(words))
