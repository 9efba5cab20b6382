"""The data segment of a frame: ``QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;PNUM=…;PNO=…;CP=&&…&&``.

Parsing is lenient, because real stations break the grammar of HJ 212-2017 in many small ways (commas for semicolons,
blanks, fields missing or in another order) and what they mean is still plain. It never raises.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_BODY_START = "CP=&&"
_BODY_END = "&&"
_HEADER_FIELDS = frozenset({"QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO"})
_SEPARATOR = re.compile(r"[;,]")
_FREE_TEXT = "=//"
_FREE_TEXT_END = "//"
_PLAIN = re.compile(r"QN=([0-9]{17});ST=([0-9]{2});CN=([0-9]{4});PW=([^;,=\s]*);MN=([^;,=\s]*);Flag=([0-9]{1,3});CP=&&")
"""The head that well-behaved devices send, whole."""
MAX_PARTS = 9999
_INTEGER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Pair(NamedTuple):
    """``name-suffix=value``; the suffix is None where the key has none."""

    name: str
    suffix: str | None
    value: str


Group = tuple[Pair, ...]


class Segment:
    """A data segment taken apart. A field that was not sent is None; fields outside the standard stand in ``extra``.

    A parsed segment keeps the text of its body and takes it apart when ``groups`` are asked for: a platform answers
    many messages without looking at them so closely. Not to be changed.
    """

    __slots__ = ("_groups", "body", "cn", "extra", "flag", "mn", "pno", "pnum", "pw", "qn", "st")

    def __init__(
        self,
        qn: str | None = None,
        st: str | None = None,
        cn: str | None = None,
        pw: str | None = None,
        mn: str | None = None,
        flag: int | None = None,
        pnum: int | None = None,
        pno: int | None = None,
        extra: tuple[tuple[str, str], ...] = (),
        groups: tuple[Group, ...] | None = (),
        body: str = "",
    ) -> None:
        self.qn, self.st, self.cn, self.pw, self.mn = qn, st, cn, pw, mn
        self.flag, self.pnum, self.pno, self.extra = flag, pnum, pno, extra
        self.body = body if groups is None else ";".join(",".join(map(_text, group)) for group in groups)
        self._groups = groups

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of the body in order, each of its pairs."""
        if self._groups is None:
            self._groups = groups_of(self.body)
        return self._groups

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Segment{self._fields()!r}"

    def _fields(self) -> tuple[object, ...]:
        head = (self.qn, self.st, self.cn, self.pw, self.mn, self.flag, self.pnum, self.pno)
        return (*head, self.extra, self.groups)

    @property
    def resent(self) -> bool:
        """Whether the sender says that it sends this again (``RF=1``, edition of 2025)."""
        return ("RF", "1") in self.extra

    @property
    def part(self) -> tuple[int, int] | None:
        """Which part of how many this is (``PNO``, ``PNUM``); None for a whole message or senseless numbers."""
        if self.pno is None or self.pnum is None or not 1 <= self.pno <= self.pnum <= MAX_PARTS or self.pnum == 1:
            return None
        return self.pno, self.pnum

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
        return f"{head}{_BODY_START}{self.body}{_BODY_END}".encode()


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
    plain = _PLAIN.match(text)
    if plain is not None and text.endswith(_BODY_END, plain.end()):
        qn, st, cn, pw, mn, flag = plain.groups()
        return Segment(qn, st, cn, pw, mn, int(flag), groups=None, body=text[plain.end() : -len(_BODY_END)])
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
        groups=None,
        body=body if end < 0 else body[:end],
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


def groups_of(body: str) -> tuple[Group, ...]:
    """The groups of the text between ``CP=&&`` and ``&&``."""
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
