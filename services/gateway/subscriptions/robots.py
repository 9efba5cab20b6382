"""The group robots of WeCom, DingTalk and Feishu: their messages, signatures and answers. Pure.

WeCom: developer.work.weixin.qq.com/document/path/91770; DingTalk: open.dingtalk.com/document/robots/custom-robot-access
and .../customize-robot-security-settings; Feishu: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. All take
a text message with 20 a minute at least; an answer of 200 can be a refusal, which its code tells.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote_plus

from services.gateway.subscriptions import webhooks
from services.gateway.subscriptions.http import Answer
from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.subscription import Channel, Language, LoggedEvent
from services.gateway.subscriptions.words import lines_of

TITLE = "Fenceline"
"""Stands first in each message: robots that ask for a keyword can be given this one."""
MOST_BYTES = 2000
"""WeCom takes 2048 bytes of text, the others more."""
MOST_EVENTS = 10
PAUSE_S = 3.0
BUSY_WAIT_S = 60.0
_BUSY = {Channel.WECOM: (45009,), Channel.DINGTALK: (130101, 660026), Channel.FEISHU: (9499, 11232)}
"""Codes of a robot that was asked too often."""


@dataclass(frozen=True, slots=True)
class RobotMessage:
    """What is posted where."""

    url: str
    content: bytes


def text_of(events: Sequence[LoggedEvent], language: Language) -> tuple[str, int]:
    """The first of the events as text, as many as one message holds; and how many these are."""
    text, count = TITLE, 0
    for event in events:
        longer = "\n".join([text, *lines_of(event, language)])
        if count and len(longer.encode()) > MOST_BYTES:
            break
        text, count = longer, count + 1
    return text.encode()[:MOST_BYTES].decode(errors="ignore"), count


def message_of(channel: Channel, url: str, secret: str | None, text: str, now: datetime) -> RobotMessage:
    """The message of a channel, signed where the robot has a secret."""
    if channel is Channel.WECOM:
        return _message(url, {"msgtype": "text", "text": {"content": text}})
    if channel is Channel.DINGTALK:
        milliseconds = int(now.timestamp() * 1000)
        if secret is not None:
            # Key: the secret; signed: time and secret.
            signature = _digest(secret, f"{milliseconds}\n{secret}")
            between = "&" if "?" in url else "?"
            url = f"{url}{between}timestamp={milliseconds}&sign={quote_plus(signature)}"
        return _message(url, {"msgtype": "text", "text": {"content": text}})
    body: dict[str, object] = {"msg_type": "text", "content": {"text": text}}
    if secret is not None:
        # Key: time and secret; signed: nothing.
        seconds = int(now.timestamp())
        body = {"timestamp": str(seconds), "sign": _digest(f"{seconds}\n{secret}", "")} | body
    return _message(url, body)


def outcome_of(channel: Channel, answer: Answer) -> Outcome:
    """What the robot's answer means; its own words are told with its code."""
    if not 200 <= answer.status < 300:
        return webhooks.outcome_of(answer)
    try:
        said = json.loads(answer.body)
        code = said.get("code", said.get("StatusCode")) if channel is Channel.FEISHU else said.get("errcode")
    except (ValueError, AttributeError):
        return Outcome(False, "the robot's answer is not one of its kind", answer.status)
    if code == 0:
        return Outcome(True, status=answer.status)
    wait_s = BUSY_WAIT_S if code in _BUSY[channel] else None
    return Outcome(False, f"the robot answered with code {str(code)[:20]}", answer.status, retry_after_s=wait_s)


def _message(url: str, body: dict[str, object]) -> RobotMessage:
    return RobotMessage(url, json.dumps(body, ensure_ascii=False).encode())


def _digest(key: str, message: str) -> str:
    return b64encode(hmac.digest(key.encode(), message.encode(), "sha256")).decode()
