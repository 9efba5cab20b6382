"""Who asks: API keys and the principals that they stand for. Pure; nothing here knows a store or the web."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.gateway.identities import Member
from services.gateway.scopes import ALL_PARKS, Scope, common_parks, common_scopes, covers

SECRET_BYTES = 32
_KEY = re.compile(r"fl_([a-z0-9]{4,16})_([A-Za-z0-9_-]{43})", re.ASCII)
_PREFIX_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner holds it: `fl_<prefix>_<secret>`. The prefix recognises it and is no secret."""

    prefix: str
    secret: str

    @classmethod
    def new(cls) -> "ApiKey":
        """A key with a fresh secret of 32 random bytes."""
        prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
        return cls(prefix, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "ApiKey | None":
        """The key written as `text`, None for anything that is not one."""
        match = _KEY.fullmatch(text)
        return cls(match.group(1), match.group(2)) if match else None

    def __str__(self) -> str:
        return f"fl_{self.prefix}_{self.secret}"

    def __repr__(self) -> str:
        return f"ApiKey(fl_{self.prefix}_...)"

    def digest(self) -> bytes:
        """What is stored of the secret. It has 256 random bits, so one SHA-256 is as good as a slow hash."""
        return hashlib.sha256(self.secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as the store holds it.

    One without a member is the installation's own. `successor` is the prefix of the key that it was rotated to; until
    it expires, both are good.
    """

    prefix: str
    name: str
    secret_digest: bytes
    parks: frozenset[str]
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    member: Member | None = None
    successor: str | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the key may be used at `now`."""
        return (
            self.revoked_at is None
            and (self.expires_at is None or now < self.expires_at)
            and (self.member is None or self.member.is_active())
        )

    def belongs_to(self, key: ApiKey) -> bool:
        """Whether `key` has the secret of this record; takes the same time for every wrong one."""
        return hmac.compare_digest(self.secret_digest, key.digest())

    def fingerprint(self) -> str:
        """Ties a session to this very secret: it ends when the key gets another one."""
        return hashlib.sha256(b"session" + self.secret_digest).hexdigest()[:16]


class Via(StrEnum):
    """By which way somebody came in."""

    KEY = "key"
    SESSION = "session"
    OIDC = "oidc"
    COMMAND_LINE = "command-line"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from, and what they may do.

    `credential` recognises what was shown and is no secret: the prefix of a key, the member of a token.
    """

    credential: str
    name: str
    parks: frozenset[str]
    scopes: frozenset[Scope]
    via: Via = Via.KEY
    organisation_id: str | None = None
    demo: bool = False

    def may(self, scope: Scope) -> bool:
        """Whether the principal has `scope`."""
        return covers(self.scopes, scope)

    def sees(self, park_id: str) -> bool:
        """Whether the park is among the principal's."""
        return ALL_PARKS in self.parks or park_id in self.parks


def principal_of(record: KeyRecord, via: Via = Via.KEY, *, demo: bool = False) -> Principal:
    """The principal that a key stands for: never more than its member and their organisation may."""
    member, parks, scopes = record.member, record.parks, record.scopes
    if member is not None:
        parks, scopes = common_parks(parks, _parks_of(member)), common_scopes(scopes, member.scopes)
    organisation_id = member.organisation.id if member else None
    return Principal(record.prefix, record.name, parks, scopes, via, organisation_id, demo)


def principal_of_member(member: Member) -> Principal:
    """The principal that a token of the member stands for."""
    return Principal(member.id, member.id, _parks_of(member), member.scopes, Via.OIDC, member.organisation.id)


def _parks_of(member: Member) -> frozenset[str]:
    return common_parks(member.parks, member.organisation.parks)
