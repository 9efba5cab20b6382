"""Identity providers: whose tokens are taken, and their keys, asked over HTTP and kept."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from joserfc.jwk import KeySet

from services.gateway.settings import SAFE_URL, OidcProvider
from services.gateway.subscriptions.http import no_cookies
from services.gateway.tokens import Identity, TokenRefused, claimed_issuer, claimed_key, usable_keys, verified
from shared.problems import Unavailable
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
FRESH_S = 3600.0
RETRY_S = 30.0
"""How often a provider is asked at most, whatever keys tokens name."""
STALE_S = 86_400.0
"""How long its keys are good while a provider does not answer."""
MOST_BYTES = 256 * 1024
TIMEOUT_S = 5.0
DISCOVERY = "/.well-known/openid-configuration"


class _NoKeys(Exception):
    """The provider did not tell its keys; the message says why."""


class Keyring:
    """The keys of one provider."""

    def __init__(
        self, provider: OidcProvider, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._client = client
        self._clock = clock
        self._keys: KeySet | None = None
        self._heard_at = float("-inf")
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def keys(self, kid: str | None) -> KeySet:
        """The provider's keys, asked again when they are old or `kid` is not one; raises `Unavailable` without any."""
        if self._is_due(kid):
            async with self._lock:
                if self._is_due(kid):
                    await self._ask()
        if self._keys is None or self._clock() - self._heard_at > STALE_S:
            raise Unavailable("The identity provider cannot be asked for its keys now.", missing=["oidc"])
        return self._keys

    def _is_due(self, kid: str | None) -> bool:
        now = self._clock()
        if now - self._asked_at < RETRY_S:
            return False
        known = self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys))
        return not known or now - self._heard_at > FRESH_S

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                self._keys = usable_keys(await self._fetch(self._provider.jwks_url or await self._discovered()))
            self._heard_at = self._clock()
        except (httpx.HTTPError, TimeoutError, ValueError, _NoKeys) as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            log.warning("oidc_keys_not_heard", issuer=self._provider.issuer, error=reason)
        self._asked_at = self._clock()

    async def _discovered(self) -> str:
        document = await self._fetch(self._provider.issuer.rstrip("/") + DISCOVERY)
        if document.get("issuer") != self._provider.issuer:
            raise _NoKeys("the provider names another issuer than the settings")
        named = document.get("jwks_uri")
        if not isinstance(named, str) or not re.match(SAFE_URL, named):
            raise _NoKeys("the provider does not say where its keys are, or not over TLS")
        return named

    async def _fetch(self, url: str) -> dict[str, Any]:
        async with self._client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            content = bytearray()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MOST_BYTES:
                    raise _NoKeys(f"the answer is over {MOST_BYTES} bytes")
        document = json.loads(content)
        if not isinstance(document, dict):
            raise _NoKeys("the answer is not a JSON object")
        return document


class Providers:
    """Every provider whose tokens are taken."""

    def __init__(self, settings: Sequence[OidcProvider], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, cookies=no_cookies()
        )
        self._providers = {one.issuer: one for one in settings}
        self._keyrings = {one.issuer: Keyring(one, self._client, clock) for one in settings}

    def __bool__(self) -> bool:
        return bool(self._providers)

    async def identify(self, token: str) -> Identity:
        """Who the token proves that somebody is; raises `TokenRefused`, or `Unavailable` without the keys."""
        issuer = claimed_issuer(token)
        provider = self._providers.get(issuer)
        if provider is None:
            raise TokenRefused("an issuer that is not taken")
        keys = await self._keyrings[issuer].keys(claimed_key(token))
        return verified(token, keys, provider.issuer, provider.audience, utc_now())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
