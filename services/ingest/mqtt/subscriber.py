"""Takes readings from an MQTT broker. A message is acknowledged when its readings are committed, not before.

While the database is down nothing is acknowledged, and the broker keeps what it may not send on. While the broker is
down the connection is tried again. What cannot be stored is kept as it came, counted and logged, and acknowledged then.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from datetime import datetime

import aiomqtt
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.mqtt.client import Connection
from services.ingest.mqtt.messages import MAX_TOPIC, Messages, Refusal
from services.ingest.mqtt.refused import keep
from services.ingest.mqtt.settings import MqttSettings
from services.ingest.mqtt.templates import Template
from shared.outages import DATABASE_OUTAGES
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)
TOGETHER = 200
"""Messages whose commits are awaited together."""
MAX_BACKOFF_S = 15.0
MAX_REASON = 500


class Subscriber:
    """Runs beside the other parts of a process, for as long as it lives."""

    def __init__(self, settings: MqttSettings, messages: Messages, engine: AsyncEngine) -> None:
        self._settings = settings
        self._messages = messages
        self._engine = engine
        self._client_id = settings.ingest_mqtt_client_id or f"fenceline-{socket.gethostname()}"[:200]
        self._topics = subscriptions(messages.templates, settings.ingest_mqtt_share)

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._messages.ready()
        backoff = 0.5
        while True:
            try:
                async with Connection(self._settings, self._client_id, _count("dropped")) as connection:
                    await connection.subscribe_all(self._topics)
                    metrics.MQTT_CONNECTED.set(1)
                    log.info("mqtt_subscribed", broker=self._settings.mqtt_host, topics=len(self._topics))
                    backoff = 0.5
                    await self._listen(connection)
            except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
                metrics.MQTT_CONNECTED.set(0)
                log.warning("mqtt_broker_lost", error=" ".join(str(error).split())[:200], retry_in_s=backoff)
                await asyncio.sleep(backoff * random.uniform(0.5, 1.0))
                backoff = min(backoff * 2, MAX_BACKOFF_S)

    async def _listen(self, connection: Connection) -> None:
        """Until the connection breaks, or has to be made again."""
        async for first in connection.messages:
            messages = [first, *connection.waiting(TOGETHER - 1)]
            continue_trace(None)
            verdicts = await asyncio.gather(*map(self._take, messages))
            for message, verdict in zip(messages, verdicts, strict=True):
                connection.acknowledge(message)
                _count(verdict)()
            if connection.overflowed:
                log.warning("mqtt_overflow", remedy="limit the messages in flight at the broker")
                return

    async def _take(self, message: aiomqtt.Message) -> str:
        """Store what a message says; what became of it, once that is final."""
        topic, at = str(message.topic), utc_now()
        refused = await self._messages.store(topic, message.payload, at, retained=message.retain)
        if not refused:
            return "accepted"
        faults = sum(refusal.faults for refusal in refused)
        log.warning("mqtt_message_refused", topic=topic[:MAX_TOPIC], why=refused[0].reason[:300], faults=faults)
        mendable = [refusal for refusal in refused if refusal.mendable]
        if mendable and isinstance(message.payload, bytes):
            await self._keep(topic, message.payload, at, mendable)
        return "refused"

    async def _keep(self, topic: str, payload: bytes, at: datetime, refused: list[Refusal]) -> None:
        """Keep a message for its parks, through every outage of the database: until then it is not acknowledged."""
        while True:
            try:
                async with self._engine.begin() as connection:
                    for park_id in {refusal.park_id: None for refusal in refused}:
                        own = [refusal for refusal in refused if refusal.park_id == park_id]
                        faults = sum(refusal.faults for refusal in own)
                        await keep(connection, park_id, at, topic, payload, own[0].reason[:MAX_REASON], faults)
                return
            except DATABASE_OUTAGES as error:
                log.warning("mqtt_refusal_not_kept", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(1.0)


def subscriptions(templates: list[Template], share: str | None) -> list[str]:
    """The topic filters to subscribe to, each once; with ``share``, as one of a group of subscribers."""
    prefix = "" if share is None else f"$share/{share}/"
    return [prefix + topic for topic in dict.fromkeys(template.filter for template in templates)]


def _count(verdict: str) -> Callable[[], None]:
    return metrics.MQTT_MESSAGES.labels(verdict).inc
