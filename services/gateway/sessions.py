"""Sessions of the page: a signed note of which key opened it. Pure; the cookie itself is set in `sign_in`."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=12)
COOKIE = "fenceline_session"


@dataclass(frozen=True, slots=True)
class Session:
    """Which key, with which secret (its fingerprint), until when."""

    key_prefix: str
    fingerprint: str
    expires_at: datetime
    demo: bool = False


class SessionSigner:
    """Writes sessions as `<payload>.<signature>` and reads back only those that it signed."""

    def __init__(self, signing_key: bytes) -> None:
        self._signing_key = signing_key

    def write(self, session: Session) -> str:
        """The value of the cookie."""
        fields = [session.key_prefix, session.fingerprint, int(session.expires_at.timestamp()), session.demo]
        payload = json.dumps(fields, separators=(",", ":")).encode()
        return f"{_base64(payload)}.{_base64(self._signature(payload))}"

    def read(self, cookie: str, now: datetime) -> Session | None:
        """The session of a cookie; None for one that was tampered with, is not ours or has ended."""
        try:
            payload, signature = (base64.urlsafe_b64decode(part) for part in cookie.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(payload)):
            return None
        prefix, fingerprint, expires, demo = json.loads(payload)
        expires_at = datetime.fromtimestamp(expires, now.tzinfo)
        return Session(prefix, fingerprint, expires_at, demo) if now < expires_at else None

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self._signing_key, payload, "sha256")


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
