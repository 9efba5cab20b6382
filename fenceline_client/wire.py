"""Between operations and httpx: how a request is built and an answer is read, for both clients."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from fenceline_client.errors import NotUnderstood, ProblemError, Unreachable
from fenceline_client.operations import Operation

Answer = TypeVar("Answer", bound=BaseModel)
CONNECT_S = 10.0
CHUNK = 64 * 1024


def _version() -> str:
    try:
        return version("fenceline-client")
    except PackageNotFoundError:
        return "source"


def settings(url: str, key: str, timeout_s: float) -> dict[str, Any]:
    """What both httpx clients are made with; raises `ValueError` for an address or a key that cannot be one.

    Redirects are not followed: the key goes to the given address and to no other.
    """
    address = httpx.URL(url)
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"{url!r} is not an address such as https://fenceline.example.com")
    if not key.isascii() or not key.isprintable() or not key or " " in key:
        raise ValueError("the key is empty or has characters that no key has")
    return {
        "base_url": address,
        "headers": {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, application/problem+json",
            "User-Agent": f"fenceline-client/{_version()}",
        },
        "timeout": httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S)),
    }


def options(operation: Operation[Any]) -> dict[str, Any]:
    """The request of an operation, but for a body that is read from a file."""
    given: dict[str, Any] = {"params": operation.query(), "headers": dict(operation.headers)}
    if operation.json is not None:
        given["json"] = operation.json
    if isinstance(operation.body, bytes):
        given["content"] = operation.body
    if operation.answer_s is not None:
        given["timeout"] = httpx.Timeout(operation.answer_s, connect=CONNECT_S)
    return given


def understood(operation: Operation[Answer], content: bytes) -> Answer:
    """The answer as what the operation promises."""
    try:
        return operation.answer.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(map(str, first["loc"])) or "the body"
        raise NotUnderstood(f"the answer to {operation.method} {operation.path}: {where}: {first['msg']}") from error


def refusal(answer: httpx.Response) -> ProblemError:
    """The problem that an answer, which has been read, tells."""
    return ProblemError.of(answer.status_code, answer.content)


def unreachable(url: httpx.URL, error: httpx.RequestError) -> Unreachable:
    """No answer from the address, with the reason that the system gives."""
    return Unreachable(f"{url.scheme}://{url.netloc.decode()}: {str(error) or type(error).__name__}")


def now() -> datetime:
    """The time of the machine."""
    return datetime.now(UTC)
