"""Sends one message over HTTP: to the checked address only, with no redirect followed and little of the answer read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit, urlunsplit

import httpx

from services.gateway.subscriptions.addresses import AddressNotAllowed, IpNetwork, resolve

TIMEOUT_S = 15.0
MOST_ANSWER_BYTES = 64 * 1024


class NotSent(Exception):
    """No answer came; the text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    body: bytes
    retry_after_s: float | None


def no_cookies() -> CookieJar:
    """A jar that takes no cookie: what one server says is not told to another at its address."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


class HttpSender:
    """Posts messages. No connection is kept: two names at one address must not share what was proven for one."""

    def __init__(self, networks: Sequence[IpNetwork], timeout_s: float = TIMEOUT_S) -> None:
        self.networks = networks
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Post `content`; raises `NotSent`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, content, headers)
        except AddressNotAllowed as error:
            raise NotSent(f"not allowed: {error}") from error
        except TimeoutError as error:
            raise NotSent(f"no answer within {self._timeout_s:g} s") from error
        except httpx.TimeoutException as error:
            raise NotSent(f"no answer within {self._timeout_s:g} s") from error
        except (OSError, httpx.HTTPError) as error:
            raise NotSent(f"no connection: {' '.join(str(error).split())[:150] or type(error).__name__}") from error

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        address = await resolve(url, self.networks)
        parts = urlsplit(url)
        host = f"[{address}]" if address.version == 6 else str(address)
        pinned = urlunsplit(parts._replace(netloc=host if parts.port is None else f"{host}:{parts.port}"))
        request = self._client.build_request(
            "POST",
            pinned,
            content=content,
            headers={**headers, "Host": parts.netloc, "Connection": "close"},
            extensions={"sni_hostname": parts.hostname},  # the certificate must be of the name, not of the address
        )
        answer = await self._client.send(request, stream=True)
        try:
            return Answer(answer.status_code, await _beginning(answer), _retry_after(answer.headers))
        finally:
            await answer.aclose()

    async def aclose(self) -> None:
        """Close."""
        await self._client.aclose()


async def _beginning(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) >= MOST_ANSWER_BYTES:
            break
    return bytes(body[:MOST_ANSWER_BYTES])


def _retry_after(headers: httpx.Headers) -> float | None:
    told = headers.get("retry-after", "")
    return float(told[:9]) if told.isascii() and told.isdigit() else None
