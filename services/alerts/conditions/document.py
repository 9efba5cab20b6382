"""The state of a track as a JSON document, for the store; and the fingerprint of the rule that it belongs to."""

import hashlib
from typing import Any

from services.alerts.conditions.levels import NEVER, LevelRule, LevelState, Sample
from services.alerts.conditions.track import Track
from shared.levels import Colour


def fingerprint(rule: LevelRule) -> str:
    """Changes whenever a number or colour of the rule does; 16 hex digits."""
    numbers = [
        [(level.colour.value, level.threshold) for level in rule.levels],
        rule.on_delay,
        rule.off_delay,
        rule.deadband_fraction,
        rule.max_gap,
    ]
    return hashlib.sha256(repr(numbers).encode()).hexdigest()[:16]


def to_document(track: Track) -> dict[str, Any]:
    """What must be stored so that `from_document` goes on as if nothing had happened."""
    state = track.checkpoint
    return {
        "rule": fingerprint(track.rule),
        "colour": track.rule.levels[track.head.level - 1].colour.value if track.head.level else None,
        "level": state.level,
        "over": [None if since == NEVER else since for since in state.over],
        "below": [None if since == NEVER else since for since in state.below],
        "last": state.last,
        "peak": state.peak,
        "samples": [[sample.time, sample.value, int(sample.over_range)] for sample in track.samples],
    }


def from_document(document: dict[str, Any], rule: LevelRule, bound: int) -> Track:
    """The track that the document describes. Where the rule changed since, only the standing colour is carried on."""
    if document["rule"] != fingerprint(rule):
        return carried_over(document, rule, bound)
    checkpoint = LevelState(
        document["level"],
        tuple(NEVER if since is None else since for since in document["over"]),
        tuple(NEVER if since is None else since for since in document["below"]),
        document["last"],
        document["peak"],
    )
    samples = [Sample(time, value, bool(over)) for time, value, over in document["samples"]]
    return Track(rule, bound, checkpoint, samples)


def carried_over(document: dict[str, Any], rule: LevelRule, bound: int) -> Track:
    """Begin anew under a changed rule with the alarm that stands: delays start from the next reading.

    The level is that of the standing colour, or the nearest below it that the new rule has, else its lowest.
    """
    newest = document["samples"][-1][0] if document["samples"] else document["last"]
    colours = [level.colour.value for level in rule.levels]
    level = 0
    if document["colour"] is not None:
        rank = _rank(document["colour"])
        level = max(1, sum(1 for colour in colours if _rank(colour) <= rank))
    never = (NEVER,) * len(colours)
    return Track(rule, bound, LevelState(level, never, never, newest, document["peak"]), [])


def _rank(colour: str) -> int:
    return Colour(colour).rank
