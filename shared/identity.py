"""Which service calls, in whose name: a signed, short-lived note with every call between services. Pure.

The note names the caller, the service that it is for and the actor (the principal that the gateway found), and is good
for one method and address within `MOST_AGE_S`. It is signed by HMAC-SHA-256 (RFC 2104) with a key that is derived from
the secret that the services share; the secret itself never goes over the wire.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from shared.time import EPOCH

SCHEME = "Fenceline-Service"
ACTOR_HEADER = "X-Fenceline-Actor"
"""Between services, this header says nothing: the note does, and sets it for who reads it."""
MOST_AGE_S = 60
"""How far the clocks of two services, and a call on its way, may be apart."""
_MOST_CHARACTERS = 2048


class IdentityRefused(Exception):
    """The note is not one of ours, or not for this call; the message, for the log, says why."""


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """Who calls whom, in whose name; `actor` is None for a service's own calls."""

    caller: str
    audience: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one address: the path as it goes over the wire, and the query without its question mark."""

    method: str
    path: bytes
    query: bytes

    def content(self) -> bytes:
        """What is signed of it."""
        return b"%b %b?%b" % (self.method.encode(), self.path, self.query)


class IdentitySigner:
    """Writes notes, and reads back those that were written with the same secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"fenceline service identity 1", "sha256")

    def write(self, identity: ServiceIdentity, call: Call, now: datetime) -> str:
        """The value of the header `Authorization`."""
        told = [identity.caller, identity.audience, identity.actor, int((now - EPOCH).total_seconds())]
        payload = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode())
        return f"{SCHEME} {payload.decode()}.{self._signature(payload, call)}"

    def read(self, header: str, audience: str, call: Call, now: datetime) -> ServiceIdentity:
        """The identity of a call to `audience`; raises `IdentityRefused`."""
        scheme, _, note = header.partition(" ")
        payload, _, signature = note.partition(".")
        if scheme != SCHEME or len(note) > _MOST_CHARACTERS or not note.isascii():
            raise IdentityRefused("no note of a service")
        if not hmac.compare_digest(signature, self._signature(payload.encode(), call)):
            raise IdentityRefused("signed with another secret, or for another call")
        try:
            caller, meant, actor, written = json.loads(base64.urlsafe_b64decode(payload))
        except (ValueError, binascii.Error) as error:
            raise IdentityRefused("not a note") from error
        if meant != audience:
            raise IdentityRefused(f"meant for {meant}")
        if abs((now - EPOCH).total_seconds() - written) > MOST_AGE_S:
            raise IdentityRefused(f"written more than {MOST_AGE_S} s ago or ahead; are the clocks right?")
        return ServiceIdentity(caller, meant, actor)

    def _signature(self, payload: bytes, call: Call) -> str:
        return hmac.new(self._key, payload + b"\n" + call.content(), "sha256").hexdigest()
