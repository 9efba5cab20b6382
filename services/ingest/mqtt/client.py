"""An MQTT connection whose messages are acknowledged by hand, after the commit, and of which a bounded amount waits."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from services.ingest.mqtt.settings import MqttSettings
from shared.telemetry import get_logger

log = get_logger(__name__)
_QUIET = logging.getLogger("fenceline.mqtt")
_QUIET.setLevel(logging.CRITICAL)  # what the library would log, `Subscriber` counts and logs itself
KEEPALIVE_S = 30
FIRST_REFUSAL = 128
"""Reason codes from here on are refusals (MQTT 5, 2.4; MQTT 3.1.1, 3.9.3)."""


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """Messages that wait, bounded in number and bytes. Above that, QoS 0 is dropped; with QoS 1 it ``overflowed``."""

    def __init__(self, max_messages: int, max_bytes: int, dropped: Callable[[], None]) -> None:
        super().__init__()
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._dropped = dropped
        self._bytes = 0
        self.overflowed = False

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take a message, or not."""
        if self.qsize() >= self._max_messages or self._bytes >= self._max_bytes:
            if item.qos:
                self.overflowed = True  # it stays with the broker, which sends it again after a new connect
            else:
                self._dropped()
            return
        self._bytes += len(item.payload)
        super().put_nowait(item)

    def get_nowait(self) -> aiomqtt.Message:
        """The message that came first; raises asyncio.QueueEmpty."""
        item = super().get_nowait()
        self._bytes -= len(item.payload)
        return item


class Connection(aiomqtt.Client):
    """One connection to the broker, with a session that outlives it."""

    def __init__(self, settings: MqttSettings, client_id: str, dropped: Callable[[], None]) -> None:
        newest = settings.ingest_mqtt_version == "5"
        # An in-flight message never finds the box full: there is room for as many again.
        self._inbox = Inbox(2 * settings.ingest_mqtt_in_flight, settings.ingest_mqtt_waiting_bytes, dropped)
        password = settings.ingest_mqtt_password
        super().__init__(
            settings.mqtt_host,
            settings.mqtt_port,
            username=settings.ingest_mqtt_username,
            password=None if password is None else password.get_secret_value(),
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if newest else aiomqtt.ProtocolVersion.V311,
            clean_session=None if newest else False,
            clean_start=False if newest else MQTT_CLEAN_START_FIRST_ONLY,
            properties=_properties(settings) if newest else None,
            queue_type=lambda maxsize: self._inbox,  # type: ignore[arg-type]  # noqa: ARG005
            tls_context=_tls(settings),
            keepalive=KEEPALIVE_S,
            logger=_QUIET,
        )
        # The library has no name of its own for this, the client beneath it has.
        self._client.manual_ack_set(True)

    @property
    def overflowed(self) -> bool:
        """Whether a message had no room: only a new connection brings it again."""
        return self._inbox.overflowed

    async def subscribe_all(self, filters: Iterable[str]) -> None:
        """Subscribe with QoS 1; raises aiomqtt.MqttError when the broker refuses one."""
        for topic in filters:
            for code in await self.subscribe(topic, qos=1):
                number = code.value if isinstance(code, ReasonCode) else code
                if number >= FIRST_REFUSAL:
                    raise aiomqtt.MqttError(f"the broker refuses the subscription to {topic}: {code}")

    def waiting(self, limit: int) -> list[aiomqtt.Message]:
        """Up to ``limit`` messages that are already there."""
        return [self._inbox.get_nowait() for _ in range(min(limit, self._inbox.qsize()))]

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """The message is committed, or will never be; the broker may forget it. In the order of arrival."""
        self._client.ack(message.mid, message.qos)


def _properties(settings: MqttSettings) -> Properties:
    chosen = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    chosen.SessionExpiryInterval = settings.ingest_mqtt_session_s
    chosen.ReceiveMaximum = settings.ingest_mqtt_in_flight
    chosen.MaximumPacketSize = settings.ingest_mqtt_message_bytes
    return chosen


def _tls(settings: MqttSettings) -> ssl.SSLContext | None:
    if not settings.mqtt_tls:
        return None
    context = ssl.create_default_context(cafile=settings.ingest_mqtt_ca_file)
    if settings.ingest_mqtt_certificate_file is not None:
        context.load_cert_chain(settings.ingest_mqtt_certificate_file, settings.ingest_mqtt_key_file)
    return context
