from collections.abc import Iterator

import pytest

from fenceline_client import Client, Retries
from tests.client.scripted import Scripted, scripted

KEY = "fl_abcd1234_secret"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with scripted() as one:
        yield one


@pytest.fixture
def client(script: Scripted) -> Iterator[Client]:
    with Client(script.url, KEY, timeout_s=20, retries=Retries(attempts=3, first_s=0.01)) as one:
        yield one
