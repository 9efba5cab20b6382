"""Takes readings from an MQTT broker. A message is acknowledged when its readings are committed, not before.

While the database is down nothing is acknowledged, and the broker keeps what it may not send on. While the broker is
down the connection is tried again. What nobody will ever be able to store is acknowledged, counted and logged.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from datetime import timedelta

import aiomqtt
import msgspec

from services.ingest import metrics
from services.ingest.intake.addresses import AddressBook
from services.ingest.intake.rows import read_rows
from services.ingest.intake.taken import take
from services.ingest.intake.times import Times
from services.ingest.mqtt.client import Connection
from services.ingest.mqtt.extract import Extractor, UnreadableMessage
from services.ingest.mqtt.settings import MqttSettings
from services.ingest.mqtt.templates import Template, read_templates
from services.ingest.registry.live import Registry
from services.ingest.writing.batch import Submission
from services.ingest.writing.writer import RefusedSubmission, Writer
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)
TOGETHER = 200
"""Messages whose commits are awaited together."""
MAX_BACKOFF_S = 15.0
MAX_TOPIC = 200


class Subscriber:
    """Runs beside the other parts of a process, for as long as it lives."""

    def __init__(
        self, settings: MqttSettings, registry: Registry, writer: Writer, clock_ahead: timedelta, late: timedelta
    ) -> None:
        assert settings.ingest_mqtt_templates is not None
        self._settings = settings
        self._registry = registry
        self._writer = writer
        self._ahead = clock_ahead
        self._late = late
        self._addresses = AddressBook()
        self._times = Times()
        self._extractors = [Extractor(template) for template in read_templates(settings.ingest_mqtt_templates)]
        self._client_id = settings.ingest_mqtt_client_id or f"fenceline-{socket.gethostname()}"[:200]
        self._topics = subscriptions([extractor.template for extractor in self._extractors], settings.ingest_mqtt_share)

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._registry.loaded.wait()
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
        topic = str(message.topic)
        refused: list[str] = []
        for extractor in self._extractors:
            if extractor.pattern.fullmatch(topic) is None:
                continue
            if message.retain and extractor.template.time is None:
                refused.append("retained, and its time is not told: it may be of any age")
                continue
            try:
                refused += await self._store(extractor, topic, message.payload)
            except (UnreadableMessage, RefusedSubmission) as error:
                refused.append(str(error))
        if refused:
            log.warning("mqtt_message_refused", topic=topic[:MAX_TOPIC], why=refused[0][:300], faults=len(refused))
        return "refused" if refused else "accepted"

    async def _store(self, extractor: Extractor, topic: str, payload: object) -> list[str]:
        """Store the readings that one template finds; why those were refused that were."""
        if not isinstance(payload, bytes) or len(payload) > self._settings.ingest_mqtt_message_bytes:
            raise UnreadableMessage("the message is too large")
        now = utc_now()
        rows = read_rows(msgspec.json.encode({"observations": extractor.rows(topic, payload, now)}))
        park_id = extractor.template.park
        addresses = self._addresses.of(self._registry.snapshot, park_id)
        taken = take(rows, addresses, self._times, now, self._ahead, self._late)
        if len(taken.columns):
            source = f"mqtt:{topic[:MAX_TOPIC]}"
            await self._writer.submit(Submission(source, columns=taken.columns, parks=frozenset({park_id})))
        if taken.refused:
            metrics.ROWS.labels("refused").inc(len(taken.refused))
        return list(taken.refused.values())


def subscriptions(templates: list[Template], share: str | None) -> list[str]:
    """The topic filters to subscribe to, each once; with ``share``, as one of a group of subscribers."""
    prefix = "" if share is None else f"$share/{share}/"
    return [prefix + topic for topic in dict.fromkeys(template.filter for template in templates)]


def _count(verdict: str) -> Callable[[], None]:
    return metrics.MQTT_MESSAGES.labels(verdict).inc
