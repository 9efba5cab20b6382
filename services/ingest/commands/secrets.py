"""What a device knows its platform by, and may be told to change: its password and its key. Never shown again."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, PlainSerializer, SecretStr, SerializationInfo

from services.ingest.commands.asking import Asked, Fields, Local
from shared.hj212.codes import Cn

MASK = "*"
PASSWORD_LENGTH = 6
"""Characters (HJ 212-2017 Table 9: C6)."""
KEY_LENGTH = 16
SHOW: dict[str, Any] = {"secrets": "shown"}
"""The context in which secrets are written out: for the database alone."""
_RESERVED = frozenset(";,=&#")


def _of_length(length: int) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if len(text) != length or not all("!" <= character <= "~" for character in text) or _RESERVED & set(text):
            raise ValueError(f"{length} printable ASCII characters are needed, none of them blank or one of ; , = & #")
        return secret

    return check


def _shown(secret: SecretStr, info: SerializationInfo) -> str:
    text = secret.get_secret_value()
    return text if info.context == SHOW else MASK * len(text)


Password = Annotated[SecretStr, AfterValidator(_of_length(PASSWORD_LENGTH)), PlainSerializer(_shown)]
Key = Annotated[SecretStr, AfterValidator(_of_length(KEY_LENGTH)), PlainSerializer(_shown)]


class SetPassword(Asked):
    """Set the password that the device shows (1072). From then on both are taken, from its success on only the new."""

    command: Literal["set_password"]
    password: Password

    @property
    def cn(self) -> Cn:
        """1072."""
        return Cn.SET_PASSWORD

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """The new password."""
        return [("NewPW", self.password.get_secret_value())]


class SetKey(Asked):
    """Set the key by which the device encrypts (1014, edition of 2025); the registry has it once the device does."""

    command: Literal["set_key"]
    key: Key

    @property
    def cn(self) -> Cn:
        """1014."""
        return Cn.KEY

    def fields(self, local: Local, now: datetime) -> Fields:
        """When it was made, and the key."""
        return [("SKCreateTime", local(now)), ("NewSK", self.key.get_secret_value())]
