"""What a correction changes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from services.ingest.meaning.normalise import quality_of
from services.ingest.schemas import CorrectedValue, JudgedSpan
from shared.quality import Quality

Key = tuple[int, datetime]
"""Datastream and time."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an observation says, in the datastream's stored unit."""

    value: float | None
    quality: Quality
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """One observation before and after."""

    key: Key
    before: Content
    after: Content


class CorrectionError(ValueError):
    """A correction that cannot be made; the message says which part of it and why."""


def keys_of(values: Iterable[CorrectedValue]) -> list[Key]:
    """The keys of single values in order; raises CorrectionError where one stands twice."""
    keys = sorted((entry.datastream_id, entry.time) for entry in values)
    for key, following in pairwise(keys):
        if key == following:
            raise CorrectionError(f"datastream {key[0]} at {key[1].isoformat()} is given twice")
    return keys


def changes(
    stored: Mapping[Key, Content], spans: Iterable[JudgedSpan], values: Iterable[CorrectedValue]
) -> list[Change]:
    """What really changes of ``stored``, by key. A value given by itself stands over a span that covers it.

    Raises CorrectionError for a value at a time that has no observation: a correction invents none.
    """
    after = dict(stored)
    for span in spans:
        for key, content in stored.items():
            if key[0] == span.datastream_id and span.start <= key[1] < span.end:
                after[key] = replace(content, quality=quality_of(span.quality, content.value))
    for entry in values:
        key = entry.datastream_id, entry.time
        if key not in stored:
            raise CorrectionError(f"datastream {key[0]} has no observation at {key[1].isoformat()}")
        quality = quality_of(entry.quality, entry.value)
        after[key] = Content(entry.value, quality, entry.minimum, entry.maximum)
    return [Change(key, stored[key], after[key]) for key in sorted(stored) if after[key] != stored[key]]
