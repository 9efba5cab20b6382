"""Organisations and their members: who stands behind a key or a token, and the most that they may be given. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.gateway.scopes import Scope

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
"""How the id of an organisation or a member is written; it stands in journals and the audit."""


class OrganisationKind(StrEnum):
    """What an organisation is to the parks."""

    PROVINCE = "province"
    PARK = "park"
    VENDOR = "vendor"


class MemberKind(StrEnum):
    """A person, or a program that acts by itself."""

    USER = "user"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who members belong to; `parks` is the most that any of them sees."""

    id: str
    kind: OrganisationKind
    name: str
    parks: frozenset[str]
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A user or a machine; `parks` and `scopes` are the most that a key or a token of theirs gives.

    `issuer` and `subject` (RFC 7519, 4.1.1 and 4.1.2) tie the member to the tokens of an identity provider.
    """

    id: str
    organisation: Organisation
    kind: MemberKind
    parks: frozenset[str]
    scopes: frozenset[Scope]
    created_at: datetime
    issuer: str | None = None
    subject: str | None = None
    disabled_at: datetime | None = None

    def is_active(self) -> bool:
        """Whether neither the member nor the organisation was shut out."""
        return self.disabled_at is None and self.organisation.disabled_at is None
