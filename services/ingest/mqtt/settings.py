"""Settings of MQTT; without `FENCELINE_INGEST_MQTT_URL` it is off."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationInfo, field_validator

from services.ingest.mqtt.templates import read_templates
from shared.settings import ServiceSettings

_PORTS = {"mqtt": 1883, "mqtts": 8883}


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ValueError("not mqtt://host:port or mqtts://host:port (user and password have settings of their own)")
    _ = parts.port  # raises ValueError
    return url


class MqttSettings(ServiceSettings):
    """Broker, session, limits."""

    ingest_mqtt_url: Annotated[str, AfterValidator(_broker)] | None = Field(
        default=None, description="mqtt://host:port, or mqtts://host:port for TLS; none: no MQTT"
    )
    ingest_mqtt_templates: Path | None = Field(
        default=None, validate_default=True, description="YAML file, see docs/ingest/mqtt.md"
    )
    ingest_mqtt_version: Literal["5", "3.1.1"] = "5"
    ingest_mqtt_username: str | None = None
    ingest_mqtt_password: SecretStr | None = None
    ingest_mqtt_ca_file: FilePath | None = Field(default=None, description="else the system's authorities")
    ingest_mqtt_certificate_file: FilePath | None = None
    ingest_mqtt_key_file: FilePath | None = None
    ingest_mqtt_client_id: str | None = Field(
        default=None, min_length=1, max_length=200, description="unlike any other's; else made of the host's name"
    )
    ingest_mqtt_share: str | None = Field(
        default=None, pattern=r"^[^/+#$]+$", description="group of the replicas, for shared subscriptions"
    )
    ingest_mqtt_session_s: int = Field(
        default=3600, ge=0, le=0xFFFFFFFF, description="how long the broker keeps messages for us (MQTT 5)"
    )
    ingest_mqtt_in_flight: int = Field(default=500, ge=1, le=65_535, description="messages not yet acknowledged")
    ingest_mqtt_message_bytes: int = Field(default=256 * 1024, ge=1024, description="of the largest message taken")
    ingest_mqtt_waiting_bytes: int = Field(default=16 * 1024 * 1024, ge=1024, description="of messages that wait")

    @field_validator("ingest_mqtt_templates")
    @classmethod
    def _readable(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None:
            read_templates(path)
        elif info.data.get("ingest_mqtt_url") is not None:
            raise ValueError("FENCELINE_INGEST_MQTT_URL needs a file of templates")
        return path

    @property
    def mqtt_host(self) -> str:
        """The broker's host."""
        return urlsplit(self.ingest_mqtt_url or "").hostname or ""

    @property
    def mqtt_port(self) -> int:
        """The broker's port."""
        parts = urlsplit(self.ingest_mqtt_url or "")
        return parts.port or _PORTS[parts.scheme]

    @property
    def mqtt_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.ingest_mqtt_url or "").scheme == "mqtts"
