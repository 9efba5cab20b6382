"""Settings of the gateway."""

import hmac
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, Json, SecretStr

from services.gateway.subscriptions.mail import MailServer
from shared.settings import ServiceSettings

# Tokens and keys go over the wire unencrypted to nobody but this machine.
SAFE_URL = r"^(https://[^\s/]|http://(127\.0\.0\.1|localhost|\[::1\])[:/])\S*$"


class OidcProvider(BaseModel):
    """An identity provider (OpenID Connect Discovery 1.0) whose tokens are taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=SAFE_URL, max_length=500, description="exactly as tokens name it in `iss`")
    audience: str = Field(min_length=1, max_length=500, description="what the tokens must name in `aud`")
    jwks_url: str | None = Field(default=None, pattern=SAFE_URL, description="its keys; default: what it publishes")


class GatewaySettings(ServiceSettings):
    """Where to listen, where the services are, and the secrets of the door."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8000, ge=1, le=65535)
    ingest_url: str = Field(default="http://127.0.0.1:8001", pattern=r"^https?://")
    alerts_url: str = Field(default="http://127.0.0.1:8002", pattern=r"^https?://")
    model_url: str = Field(default="http://127.0.0.1:8003", pattern=r"^https?://")
    gateway_demo_key: SecretStr | None = Field(default=None, description="the key that the page of a demo opens with")
    session_secret: SecretStr | None = Field(default=None, min_length=32, description="signs the page's sessions")
    gateway_oidc: Json[tuple[OidcProvider, ...]] = Field(
        default=cast(Any, "[]"), description='JSON: [{"issuer": "https://...", "audience": "..."}]'
    )
    gateway_subscription_networks: Json[tuple[IPvAnyNetwork, ...]] = Field(
        default=cast(Any, "[]"), description='private networks that subscriptions may reach, JSON: ["10.20.0.0/16"]'
    )
    gateway_smtp_host: str | None = Field(default=None, description="the mail server of e-mail subscriptions")
    gateway_smtp_port: int = Field(default=587, ge=1, le=65535)
    gateway_smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    gateway_smtp_username: str | None = None
    gateway_smtp_password: SecretStr | None = None
    gateway_smtp_sender: str = Field(default="fenceline@localhost", pattern=r"^[^\s<>@,]+@[^\s<>@,]+$")
    gateway_event_queue: int = Field(default=256, ge=8, description="events that may wait for one client")

    def session_signing_key(self) -> bytes:
        """The key that signs sessions: a setting of its own, else one derived from the internal token."""
        if self.session_secret is not None:
            return self.session_secret.get_secret_value().encode()
        token = self.internal_token.get_secret_value().encode()
        return hmac.digest(token, b"fenceline gateway session 1", "sha256")

    def mail_server(self) -> MailServer | None:
        """Where e-mail is handed in, None where there is no such server."""
        if self.gateway_smtp_host is None:
            return None
        password = self.gateway_smtp_password
        return MailServer(
            self.gateway_smtp_host,
            self.gateway_smtp_port,
            self.gateway_smtp_security,
            self.gateway_smtp_sender,
            self.gateway_smtp_username,
            password.get_secret_value() if password else None,
        )
