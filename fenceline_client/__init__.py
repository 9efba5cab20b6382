"""The client of Fenceline's API: `Client` for programs that wait, `AsyncClient` for asyncio."""

from fenceline_client.aio import AsyncClient
from fenceline_client.client import Client
from fenceline_client.errors import FencelineError, NotUnderstood, ProblemError, Unreachable
from fenceline_client.events import Event
from fenceline_client.models import Reading
from fenceline_client.retries import Retries

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "FencelineError",
    "NotUnderstood",
    "ProblemError",
    "Reading",
    "Retries",
    "Unreachable",
]
