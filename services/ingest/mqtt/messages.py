"""What MQTT messages say, stored by the templates; and why not, where that cannot be."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.ingest import metrics
from services.ingest.intake.judge import Judge
from services.ingest.intake.rows import read_rows
from services.ingest.mqtt.extract import Extractor, UnreadableMessage
from services.ingest.mqtt.templates import Template
from services.ingest.registry.live import Registry
from services.ingest.writing.batch import Submission
from services.ingest.writing.writer import RefusedSubmission, Writer

MAX_TOPIC = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """Readings of a park that could not be taken from a message: ``faults`` of them, the first for this reason.

    ``mendable`` tells whether another registry or template could take them.
    """

    park_id: str
    reason: str
    faults: int = 1
    mendable: bool = True


class Messages:
    """The templates at work. ``max_bytes`` bounds the size of messages."""

    def __init__(
        self, templates: list[Template], registry: Registry, judge: Judge, writer: Writer, *, max_bytes: int
    ) -> None:
        self.templates = templates
        self._extractors = [Extractor(template) for template in templates]
        self._registry = registry
        self._judge = judge
        self._writer = writer
        self._max_bytes = max_bytes

    async def ready(self) -> None:
        """Wait until it is known whose the readings are."""
        await self._registry.loaded.wait()

    async def store(
        self, topic: str, payload: object, at: datetime, *, retained: bool = False, park_id: str | None = None
    ) -> list[Refusal] | None:
        """Store what a message that came at ``at`` says, of all parks or of one; what was refused, once it is final.

        None where no template is for its topic.
        """
        refused: list[Refusal] = []
        heard = False
        for extractor in self._extractors:
            park = extractor.template.park
            if park_id not in (None, park) or extractor.pattern.fullmatch(topic) is None:
                continue
            heard = True
            if retained and extractor.template.time is None:
                reason = "retained, and its time is not told: it may be of any age"
                refused.append(Refusal(park, reason, mendable=False))
            elif not isinstance(payload, bytes) or len(payload) > self._max_bytes:
                refused.append(Refusal(park, "the message is too large", mendable=False))
            else:
                refused += await self._store(extractor, topic, payload, at)
        return refused if heard else None

    async def _store(self, extractor: Extractor, topic: str, payload: bytes, at: datetime) -> list[Refusal]:
        park_id = extractor.template.park
        try:
            rows = read_rows(msgspec.json.encode({"observations": extractor.rows(topic, payload, at)}))
            taken = self._judge.take(park_id, rows, at)
            if len(taken.columns):
                source = f"mqtt:{topic[:MAX_TOPIC]}"
                await self._writer.submit(Submission(source, columns=taken.columns, parks=frozenset({park_id})))
        except (UnreadableMessage, RefusedSubmission) as error:
            return [Refusal(park_id, str(error))]
        if not taken.refused:
            return []
        metrics.ROWS.labels("refused").inc(len(taken.refused))
        return [Refusal(park_id, next(iter(taken.refused.values())), len(taken.refused))]
