"""Settings of the gateway."""

import hmac

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Where to listen, where the services are, and the secrets of the door."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8000, ge=1, le=65535)
    ingest_url: str = Field(default="http://127.0.0.1:8001", pattern=r"^https?://")
    alerts_url: str = Field(default="http://127.0.0.1:8002", pattern=r"^https?://")
    model_url: str = Field(default="http://127.0.0.1:8003", pattern=r"^https?://")
    gateway_demo_key: SecretStr | None = Field(default=None, description="the key that the page of a demo opens with")
    session_secret: SecretStr | None = Field(default=None, min_length=32, description="signs the page's sessions")
    gateway_event_queue: int = Field(default=256, ge=8, description="events that may wait for one client")

    def session_signing_key(self) -> bytes:
        """The key that signs sessions: a setting of its own, else one derived from the internal token."""
        if self.session_secret is not None:
            return self.session_secret.get_secret_value().encode()
        token = self.internal_token.get_secret_value().encode()
        return hmac.digest(token, b"fenceline gateway session 1", "sha256")
