"""Who asks: API keys and the principals that they stand for. Pure; nothing here knows a store or the web."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SECRET_BYTES = 32
ALL_PARKS = "*"
_KEY = re.compile(r"fl_([a-z0-9]{4,16})_([A-Za-z0-9_-]{43})", re.ASCII)
_PREFIX_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Scope(StrEnum):
    """What a key may do in the parks that it sees."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    """Everything."""


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
    """A key as the store holds it."""

    prefix: str
    name: str
    secret_digest: bytes
    parks: frozenset[str]
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the key may be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def belongs_to(self, key: ApiKey) -> bool:
        """Whether `key` has the secret of this record; takes the same time for every wrong one."""
        return hmac.compare_digest(self.secret_digest, key.digest())

    def fingerprint(self) -> str:
        """Ties a session to this very secret: it ends when the key gets another one."""
        return hashlib.sha256(b"session" + self.secret_digest).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from, and what they may do."""

    key_prefix: str
    name: str
    parks: frozenset[str]
    scopes: frozenset[Scope]
    by_cookie: bool = False
    demo: bool = False

    def may(self, scope: Scope) -> bool:
        """Whether the principal has `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, park_id: str) -> bool:
        """Whether the park is among the principal's."""
        return ALL_PARKS in self.parks or park_id in self.parks


def principal_of(record: KeyRecord, *, by_cookie: bool = False, demo: bool = False) -> Principal:
    """The principal that a key stands for."""
    return Principal(record.prefix, record.name, record.parks, record.scopes, by_cookie, demo)
