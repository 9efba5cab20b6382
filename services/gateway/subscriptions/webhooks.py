"""Messages as Standard Webhooks 1.0.0 (https://www.standardwebhooks.com) has them: signed, with an id and a time."""

import json
import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

from services.gateway.subscriptions.http import Answer
from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.subscription import LoggedEvent
from shared.time import iso

_SECRET_BYTES = 32
_OF_THE_RECEIVER = (401, 403, 404, 407, 408, 421, 423, 425, 429)
"""Of 400 to 499: what does not object to the one message, and may pass."""


def new_secret() -> str:
    """A secret to sign with, as receivers' libraries take it."""
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def body_of(event: LoggedEvent) -> bytes:
    """The body: type, time and the fact as the event stream tells it."""
    message = {"type": event.type, "timestamp": iso(event.at), "data": event.body}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(message_id: str, body: bytes, signing: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers: `webhook-id` is the same at each attempt, the rest is of this one."""
    signatures = (Webhook(secret).sign(message_id, now, body.decode()) for secret in signing)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Fenceline",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def outcome_of(answer: Answer) -> Outcome:
    """What a receiver's answer means: every 2xx is taken, 410 wants nothing more, all else is sent again."""
    status = answer.status
    if 200 <= status < 300:
        return Outcome(True, status=status)
    return Outcome(
        False,
        f"the receiver answered {status}",
        status,
        refused=400 <= status < 500 and status not in _OF_THE_RECEIVER,
        gone=status == 410,
        retry_after_s=answer.retry_after_s,
    )
