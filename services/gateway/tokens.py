"""OIDC bearer tokens (RFC 7519, RFC 9068): what one has to be to say who asks. Pure.

A token says who somebody is and nothing more: what they may do stands in the gateway's own tables.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a private key alone: a public key of the provider must never pass for a shared secret."""
LEEWAY_S = 30
MOST_CHARACTERS = 8192
MOST_KEYS = 100
_MOST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
_LEAST_RSA_BYTES = 256  # RFC 7518, 3.3
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_PUBLIC = ("kty", "kid", "use", "alg", "n", "e", "crv", "x", "y")


class TokenRefused(Exception):
    """The token does not say who asks; the message, for the log, says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider says that somebody is."""

    issuer: str
    subject: str


def looks_like_token(text: str) -> bool:
    """Whether the text has the form of a signed token (three parts, not five: nothing encrypted)."""
    return len(text) <= MOST_CHARACTERS and _TOKEN.fullmatch(text) is not None


def claimed_issuer(token: str) -> str:
    """Who the token says has issued it, which nothing has proven yet; raises `TokenRefused`."""
    issuer = _part(token, 1).get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("no issuer")
    return issuer


def claimed_key(token: str) -> str | None:
    """The id of the key that the token says has signed it."""
    kid = _part(token, 0).get("kid")
    return kid if isinstance(kid, str) else None


def usable_keys(document: Any) -> KeySet:
    """The keys of a JWKS document (RFC 7517, 5) that may prove a signature; others are passed over."""
    listed = document.get("keys") if isinstance(document, dict) else None
    keys = [_key(entry) for entry in listed[:MOST_KEYS]] if isinstance(listed, list) else []
    return KeySet([key for key in keys if key is not None])


def verified(token: str, keys: KeySet, issuer: str, audience: str, now: datetime) -> Identity:
    """Who the token proves that somebody is; raises `TokenRefused`."""
    claims = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        claims.validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused(f"{type(error).__name__}: {error}"[:200]) from error
    subject = found.claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT or "\0" in subject:
        raise TokenRefused("no subject")
    return Identity(issuer, subject)


def _part(token: str, index: int) -> dict[str, Any]:
    try:
        part = token.split(".")[index]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise TokenRefused("not a token") from error
    if not isinstance(found, dict):
        raise TokenRefused("not a token")
    return found


def _key(entry: Any) -> RSAKey | ECKey | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    public = {name: entry[name] for name in _PUBLIC if isinstance(entry.get(name), str)}
    try:
        if public.get("kty") == "RSA" and _bytes_in(public.get("n", "")) >= _LEAST_RSA_BYTES:
            return RSAKey.import_key(public)
        if public.get("kty") == "EC":
            return ECKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _bytes_in(encoded: str) -> int:
    return len(encoded) * 3 // 4
