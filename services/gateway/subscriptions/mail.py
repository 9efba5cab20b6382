"""E-mail: what it says, and its way to the operator's mail server (SMTP, RFC 5321)."""

import asyncio
import smtplib
import ssl
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.subscription import Language, LoggedEvent, Subscription
from services.gateway.subscriptions.words import lines_of

MOST_EVENTS = 50
PAUSE_S = 60.0
TIMEOUT_S = 15.0
BETWEEN = ","
"""Stands between the addresses of a subscription."""
_AT_ONCE = 4
_MOST_HALF_TAKEN = 1000
Refusals = dict[str, tuple[int, bytes]]
"""Recipients that the mail server refused, with its code and words."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed in; encrypted from the start (`tls`), before the login (`starttls`), or not at all."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    username: str | None = None
    password: str | None = None


class Mailer:
    """Hands e-mail in, in threads of its own: a slow mail server holds nothing else up."""

    def __init__(self, server: MailServer | None, timeout_s: float = TIMEOUT_S) -> None:
        self.server = server
        self._timeout_s = timeout_s
        # Who has an e-mail already that others are still to get, by Message-ID: they do not get it at each attempt.
        self._half_taken: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mail")

    async def send(self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime) -> Outcome:
        """One e-mail about all of `events`."""
        if self.server is None:
            return Outcome(False, "the gateway has no mail server (FENCELINE_GATEWAY_SMTP_HOST)")
        message = message_of(subscription, events, self.server.sender, now)
        id_ = str(message["Message-ID"])
        have_it = self._half_taken.get(id_, frozenset())
        to = [address for address in subscription.target.split(BETWEEN) if address not in have_it]
        try:
            loop = asyncio.get_running_loop()
            refusals = await loop.run_in_executor(self._threads, self._hand_in, self.server, message, to)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return Outcome(False, f"the mail server refused all recipients ({codes[0]})", refused=min(codes) >= 500)
        except smtplib.SMTPResponseException as error:
            refused = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            return Outcome(False, f"the mail server answered {error.smtp_code}", refused=refused)
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(False, f"no connection to the mail server: {' '.join(str(error).split())[:150]}")
        if any(code < 500 for code, _ in refusals.values()):
            self._half_taken[id_] = have_it | (set(to) - refusals.keys())
            if len(self._half_taken) > _MOST_HALF_TAKEN:
                self._half_taken.popitem(last=False)
            return Outcome(False, _told(refusals))
        self._half_taken.pop(id_, None)
        return Outcome(True, _told(refusals) if refusals else None)

    def _hand_in(self, server: MailServer, message: EmailMessage, to: Sequence[str]) -> Refusals:
        context = ssl.create_default_context() if server.security != "none" else None
        connection = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=context)
            if server.security == "tls"
            else smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        )
        with connection:
            if server.security == "starttls":
                connection.starttls(context=context)
            if server.username is not None:
                connection.login(server.username, server.password or "")
            return connection.send_message(message, to_addrs=to)

    def close(self) -> None:
        """Close; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _told(refusals: Refusals) -> str:
    each = ", ".join(f"{address} ({code})" for address, (code, _) in sorted(refusals.items()))
    return f"the mail server refused {each}"[:400]


def message_of(subscription: Subscription, events: Sequence[LoggedEvent], sender: str, now: datetime) -> EmailMessage:
    """The e-mail. Its Message-ID is the same at each attempt, so that mail programs show it once."""
    first, last = events[0], events[-1]
    lines = [line for event in events for line in lines_of(event, subscription.language)]
    more = {Language.ZH: f"（共 {len(events)} 条）", Language.EN: f" ({len(events)} events)"}
    counted = more.get(subscription.language, f" ({len(events)} 条 / events)") if len(events) > 1 else ""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = subscription.target.replace(BETWEEN, ", ")
    message["Subject"] = f"Fenceline: {lines[0][:150]}{counted}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{subscription.id}.{first.id}.{last.id}@fenceline>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered
    message.set_content("\n".join(lines) + "\n")
    return message
