"""Bodies about refused MQTT messages."""

from pydantic import BaseModel, Field

from shared.time import UtcDatetime


class RefusedMessage(BaseModel):
    """A message and why it was refused; ``faults`` counts the readings, ``reason`` is of the first.

    ``payload`` is its beginning as text, bytes that are no UTF-8 as ``\\xNN``; ``bytes`` is the true length.
    """

    id: int
    received_at: UtcDatetime
    topic: str
    reason: str
    faults: int
    bytes: int
    payload: str


class RefusedMessagePage(BaseModel):
    """Refused messages, the latest first."""

    items: list[RefusedMessage]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")


class MessagesReadAgain(BaseModel):
    """``tried`` messages were read again; ``stored`` of them are stored now and no longer listed."""

    tried: int
    stored: int
    next: str | None = Field(default=None, description="pass it as `cursor` to go on with those that came later")
