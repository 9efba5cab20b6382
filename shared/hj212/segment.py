"""The data segment of a frame: ``QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;PNUM=…;PNO=…;CP=&&…&&``.

Parsing is lenient, because real stations break the grammar of HJ 212-2017 in many small ways (commas for semicolons,
blanks, fields missing or in another order) and what they mean is still plain. It never raises.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_BODY_START = "CP=&&"
_BODY_END = "&&"
_HEADER_FIELDS = frozenset({"QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO"})
_SEPARATOR = re.compile(r"[;,]")
_FREE_TEXT = "=//"
_FREE_TEXT_END = "//"
_INTEGER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Pair(NamedTuple):
    """``name-suffix=value``; the suffix is None where the key has none."""

    name: str
    suffix: str | None
    value: str


Group = tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A data segment taken apart. A field that was not sent is None; fields outside the standard stand in ``extra``."""

    qn: str | None = None
    st: str | None = None
    cn: str | None = None
    pw: str | None = None
    mn: str | None = None
    flag: int | None = None
    pnum: int | None = None
    pno: int | None = None
    extra: tuple[tuple[str, str], ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def pairs(self) -> Iterator[Pair]:
        """All pairs of all groups, in order."""
        return (pair for group in self.groups for pair in group)

    def value(self, name: str) -> str | None:
        """Value of the first pair with this name and no suffix, for example ``DataTime``."""
        return next((pair.value for pair in self.pairs if pair.suffix is None and pair.name == name), None)

    def encode(self) -> bytes:
        """The segment as UTF-8, fields in the order of the standard."""
        fields: list[tuple[str, str | int | None]] = [
            ("QN", self.qn),
            ("ST", self.st),
            ("CN", self.cn),
            ("PW", self.pw),
            ("MN", self.mn),
            ("Flag", self.flag),
            ("PNUM", self.pnum),
            ("PNO", self.pno),
            *self.extra,
        ]
        head = "".join(f"{name}={value};" for name, value in fields if value is not None)
        body = ";".join(",".join(_text(pair) for pair in group) for group in self.groups)
        return f"{head}{_BODY_START}{body}{_BODY_END}".encode()


def build(
    cn: str,
    *,
    qn: str | None = None,
    st: str | None = None,
    pw: str | None = None,
    mn: str | None = None,
    flag: int | None = None,
    groups: tuple[Group, ...] = (),
) -> Segment:
    """A segment from its parts."""
    return Segment(qn=qn, st=st, cn=cn, pw=pw, mn=mn, flag=flag, groups=groups)


def parse(segment: bytes) -> Segment:
    """Take a data segment apart. Never raises: what cannot be read is left out."""
    text = _decode(segment)
    start = text.find(_BODY_START)
    head, body = (text, "") if start < 0 else (text[:start], text[start + len(_BODY_START) :])
    end = body.rfind(_BODY_END)
    fields, extra = _header(head)
    return Segment(
        qn=fields.get("QN"),
        st=fields.get("ST"),
        cn=fields.get("CN"),
        pw=fields.get("PW"),
        mn=fields.get("MN"),
        flag=_integer(fields.get("Flag")),
        pnum=_integer(fields.get("PNUM")),
        pno=_integer(fields.get("PNO")),
        extra=extra,
        groups=_groups(body if end < 0 else body[:end]),
    )


def _text(pair: Pair) -> str:
    key = pair.name if pair.suffix is None else f"{pair.name}-{pair.suffix}"
    return f"{key}={pair.value}"


def _decode(segment: bytes) -> str:
    """UTF-8 by the standard; older loggers send GBK."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return segment.decode(encoding)
        except UnicodeDecodeError:
            continue
    return segment.decode("utf-8", errors="replace")


def _header(head: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    fields: dict[str, str] = {}
    extra: list[tuple[str, str]] = []
    for item in _SEPARATOR.split(head):
        name, equals, value = item.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            continue
        if name in _HEADER_FIELDS and name not in fields:
            fields[name] = value
        else:
            extra.append((name, value))
    return fields, tuple(extra)


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and _INTEGER.fullmatch(text) else None


def _groups(body: str) -> tuple[Group, ...]:
    groups: list[Group] = []
    for item in _split(body, ";"):
        pairs = tuple(pair for part in _split(item, ",") if (pair := _pair(part)) is not None)
        if pairs:
            groups.append(pairs)
    return tuple(groups)


def _split(text: str, separator: str) -> list[str]:
    """Split at ``separator`` but not inside the free text ``=//…//`` of ``-Info`` values. Linear."""
    if _FREE_TEXT not in text:
        return text.split(separator)
    parts, current, position = [], "", 0
    while True:
        opening = text.find(_FREE_TEXT, position)
        closing = text.find(_FREE_TEXT_END, opening + len(_FREE_TEXT)) if opening >= 0 else -1
        plain = text[position:] if closing < 0 else text[position:opening]
        head, *rest = plain.split(separator)
        current += head
        for part in rest:
            parts.append(current)
            current = part
        if closing < 0:
            return [*parts, current]
        position = closing + len(_FREE_TEXT_END)
        current += text[opening:position]


def _pair(part: str) -> Pair | None:
    key, equals, value = part.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        return None
    name, dash, suffix = key.rpartition("-")
    if not dash or not name:
        return Pair(key, None, value)
    return Pair(name.strip(), suffix.strip(), value)
