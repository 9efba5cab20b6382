"""The readings in a data message.

What a device sends every minute differs in its numbers alone. So a body is split into its shape, which is the body
without the values, and the values; which values make which reading is worked out once for a shape, by the lenient way
that is right for every body, and remembered. Bodies for which that would not do take the lenient way each time.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from shared.hj212.segment import Group, Segment, groups_of
from shared.quality import MAX_VALUE

_VALUE_SUFFIXES = ("Rtd", "Avg", "Data")
_VALUE = re.compile(r"=([^;,]*)")
_SHAPES = 1024
"""Shapes that are remembered; a park has some for each kind of device."""
_LONGEST_SHAPED = 2048
"""Longer bodies, of which the standard knows none, are not: what is remembered stays some tens of megabytes at most."""


class Reading(NamedTuple):
    """What a data message says of one factor.

    ``statistic`` is the suffix that the value stood under: ``Rtd`` (instant) or ``Avg`` (over the period), ``Data`` for
    noise. ``value`` is None when it was absent or not a number. ``flag`` is the text of ``-Flag``, None when not sent.
    """

    factor: str
    statistic: str
    value: float | None
    flag: str | None = None
    minimum: float | None = None
    maximum: float | None = None


class _Texts(NamedTuple):
    """A reading before its numbers are read."""

    factor: str
    statistic: str
    value: str | None
    flag: str | None
    minimum: str | None
    maximum: str | None


class _Places(NamedTuple):
    """Where among the values of a body those of one reading stand."""

    factor: str
    statistic: str
    value: int | None
    flag: int | None
    minimum: int | None
    maximum: int | None


def readings(segment: Segment) -> list[Reading]:
    """The readings of a data message in the order sent.

    Pairs of one factor in one group belong together. A group that holds only a flag completes the reading of the same
    factor before it. Groups without a value (``DataTime``, totals) give none.
    """
    body = segment.body
    if len(body) > _LONGEST_SHAPED:
        return _each(segment)
    parts = _VALUE.split(body)
    values = parts[1::2]
    # An empty value decides what completes what; "//" is free text; Python reads numbers that no instrument writes.
    if body.isascii() and "_" not in body and "//" not in body and all(values):
        places = _places(tuple(parts[::2]))
        if places is not None:
            return _from_values(places, values)
    return _each(segment)


def _each(segment: Segment) -> list[Reading]:
    return [
        Reading(factor, statistic, _number(value), flag, _number(minimum), _number(maximum))
        for factor, statistic, value, flag, minimum, maximum in _texts(segment.groups)
    ]


def _from_values(places: tuple[_Places, ...], values: list[str]) -> list[Reading]:
    return [
        Reading(
            factor,
            statistic,
            None if value is None else _number(values[value]),
            None if flag is None else values[flag].strip() or None,
            None if minimum is None else _number(values[minimum]),
            None if maximum is None else _number(values[maximum]),
        )
        for factor, statistic, value, flag, minimum, maximum in places
    ]


@lru_cache(_SHAPES)
def _places(shape: tuple[str, ...]) -> tuple[_Places, ...] | None:
    """The readings of a shape; None where its values might be read otherwise than one by one."""
    count = len(shape) - 1
    body = "".join(f"{part}={number}" for number, part in enumerate(shape[:-1])) + shape[-1]
    groups = groups_of(body)
    if sorted(int(pair.value) for group in groups for pair in group if pair.value.isdigit()) != list(range(count)):
        return None
    return tuple(
        _Places(texts.factor, texts.statistic, *(None if text is None else int(text) for text in texts[2:]))
        for texts in _texts(groups)
    )


def _texts(groups: tuple[Group, ...]) -> list[_Texts]:
    found: list[_Texts] = []
    for group in groups:
        for texts in _of_group(group):
            if texts.statistic:
                found.append(texts)
            elif found and found[-1].factor == texts.factor and found[-1].flag is None:
                found[-1] = found[-1]._replace(flag=texts.flag)
    return found


def _of_group(group: Group) -> Iterator[_Texts]:
    factors: dict[str, dict[str, str]] = {}
    leader = next((pair.name for pair in group if pair.suffix is not None), "")
    for pair in group:
        if pair.suffix is None:
            continue
        # The standard's own example prints ``01018-Rtd`` beside ``w01018-SampleTime``.
        name = leader if leader[1:] == pair.name and leader[:1].isalpha() else pair.name
        factors.setdefault(name, {}).setdefault(pair.suffix, pair.value)
    for factor, fields in factors.items():
        statistic = next((suffix for suffix in _VALUE_SUFFIXES if suffix in fields), "")
        if statistic or "Flag" in fields:
            yield _Texts(
                factor,
                statistic,
                fields.get(statistic),
                fields.get("Flag") or None,
                fields.get("Min"),
                fields.get("Max"),
            )


def _number(text: str | None) -> float | None:
    if not text or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= MAX_VALUE else None
