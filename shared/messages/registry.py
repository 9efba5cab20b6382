"""Changes of the registry."""

from typing import Literal

from shared.messages.base import Message


class RegistryChanged(Message):
    """Stations, devices or datastreams of a park changed; whoever caches them reads them again."""

    version: Literal[1] = 1
    park_id: str
