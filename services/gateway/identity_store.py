"""The gateway's organisations and their members."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.audit_store import AuditEntry, append
from services.gateway.identities import Member, MemberKind, Organisation, OrganisationKind
from services.gateway.scopes import Scope
from services.gateway.tokens import Identity

MOST = 10_000
_ORGANISATION_COLUMNS = """
    o.id AS organisation_id, o.kind AS organisation_kind, o.name AS organisation_name, o.parks AS organisation_parks,
    o.created_at AS organisation_created_at, o.disabled_at AS organisation_disabled_at
"""
MEMBER_COLUMNS = f"""
    m.id AS member_id, m.kind AS member_kind, m.parks AS member_parks, m.scopes AS member_scopes, m.issuer, m.subject,
    m.created_at AS member_created_at, m.disabled_at AS member_disabled_at,
    {_ORGANISATION_COLUMNS}
"""
MEMBER_TABLES = "member m JOIN organisation o ON o.id = m.organisation_id"
_SELECT = f"SELECT {MEMBER_COLUMNS} FROM {MEMBER_TABLES}"  # noqa: S608  constants
_MEMBERS = text(f"{_SELECT} ORDER BY o.id, m.id LIMIT {MOST}")
_MEMBER = text(f"{_SELECT} WHERE m.id = :id")
_BY_SUBJECT = text(f"{_SELECT} WHERE m.issuer = :issuer AND m.subject = :subject")
_ORGANISATIONS = text(f"SELECT {_ORGANISATION_COLUMNS} FROM organisation o ORDER BY o.id LIMIT {MOST}")  # noqa: S608
_PUT_ORGANISATION = text(
    """
    INSERT INTO organisation (id, kind, name, parks, created_at) VALUES (:id, :kind, :name, :parks, :created_at)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, parks = excluded.parks
    """
)
_PUT_MEMBER = text(
    """
    INSERT INTO member (id, organisation_id, kind, parks, scopes, issuer, subject, created_at)
    SELECT :id, o.id, :kind, :parks, :scopes, :issuer, :subject, :created_at
    FROM organisation o WHERE o.id = :organisation_id
    ON CONFLICT (id) DO UPDATE SET
        kind = excluded.kind, parks = excluded.parks, scopes = excluded.scopes, issuer = excluded.issuer,
        subject = excluded.subject
    WHERE member.organisation_id = excluded.organisation_id
    """
)
_SWITCH = {
    "organisation": text("UPDATE organisation SET disabled_at = :at WHERE id = :id RETURNING id"),
    "member": text("UPDATE member SET disabled_at = :at WHERE id = :id RETURNING id"),
}


class IdentityStore:
    """SQL of organisations and members. Every method is one transaction, with its note in the audit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def organisations(self) -> list[Organisation]:
        """Every organisation (at most `MOST`), by id."""
        async with self._engine.connect() as connection:
            return [_organisation(row) for row in (await connection.execute(_ORGANISATIONS)).mappings()]

    async def members(self) -> list[Member]:
        """Every member (at most `MOST`), by organisation."""
        async with self._engine.connect() as connection:
            return [member_of(row) for row in (await connection.execute(_MEMBERS)).mappings()]

    async def member(self, id_: str) -> Member | None:
        """The member with this id."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_MEMBER, {"id": id_})).mappings().first()
        return member_of(row) if row is not None else None

    async def by_identity(self, identity: Identity) -> Member | None:
        """The member that an identity provider calls so."""
        parameters = {"issuer": identity.issuer, "subject": identity.subject}
        async with self._engine.connect() as connection:
            row = (await connection.execute(_BY_SUBJECT, parameters)).mappings().first()
        return member_of(row) if row is not None else None

    async def put_organisation(self, organisation: Organisation, note: AuditEntry) -> None:
        """Write an organisation, or bring the one of this id up to date."""
        parameters = {
            "id": organisation.id,
            "kind": organisation.kind,
            "name": organisation.name,
            "parks": sorted(organisation.parks),
            "created_at": organisation.created_at,
        }
        async with self._engine.begin() as connection:
            await connection.execute(_PUT_ORGANISATION, parameters)
            await append(connection, [replace(note, path=f"/organisations/{organisation.id}")])

    async def put_member(self, member: Member, note: AuditEntry) -> bool:
        """Write a member, or bring the one of this id up to date.

        False where the organisation does not exist, or the member is another organisation's.
        """
        parameters = {
            "id": member.id,
            "organisation_id": member.organisation.id,
            "kind": member.kind,
            "parks": sorted(member.parks),
            "scopes": sorted(member.scopes),
            "issuer": member.issuer,
            "subject": member.subject,
            "created_at": member.created_at,
        }
        async with self._engine.begin() as connection:
            done = (await connection.execute(_PUT_MEMBER, parameters)).rowcount == 1
            if done:
                await append(connection, [replace(note, path=f"/members/{member.id}")])
        return done

    async def switch(self, what: str, id_: str, disabled_at: datetime | None, note: AuditEntry) -> bool:
        """Shut an `organisation` or a `member` out, or with None let it in again; False where there is none."""
        async with self._engine.begin() as connection:
            found = (await connection.execute(_SWITCH[what], {"id": id_, "at": disabled_at})).first()
            if found is not None:
                await append(connection, [replace(note, path=f"/{what}s/{id_}")])
        return found is not None


def member_of(row: RowMapping) -> Member:
    """The member in a row with `MEMBER_COLUMNS`."""
    return Member(
        id=row["member_id"],
        organisation=_organisation(row),
        kind=MemberKind(row["member_kind"]),
        parks=frozenset(row["member_parks"]),
        scopes=frozenset(Scope(scope) for scope in row["member_scopes"]),
        created_at=row["member_created_at"],
        issuer=row["issuer"],
        subject=row["subject"],
        disabled_at=row["member_disabled_at"],
    )


def _organisation(row: RowMapping) -> Organisation:
    return Organisation(
        id=row["organisation_id"],
        kind=OrganisationKind(row["organisation_kind"]),
        name=row["organisation_name"],
        parks=frozenset(row["organisation_parks"]),
        created_at=row["organisation_created_at"],
        disabled_at=row["organisation_disabled_at"],
    )
