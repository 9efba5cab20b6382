"""What every message has."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A fact or a piece of work. Unknown fields are ignored, so that version N-1 can read what version N sends."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def encode(self) -> bytes:
        """The message as JSON in UTF-8."""
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """The inverse of `encode`; raises pydantic's `ValidationError`."""
        return cls.model_validate_json(payload)
