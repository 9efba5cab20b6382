"""What must hold of any bytes that a station may send: the target of the fuzzer and of the tests of its corpus."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isfinite

from services.ingest.registry.snapshot import Device
from services.ingest.stations.session import Received, Session
from shared.hj212.crc import CrcMode
from shared.hj212.encryption import Sm4
from shared.hj212.frame import JUNK_LIMIT, MAX_LENGTH, DecodedFrame, FrameDecoder
from shared.hj212.reports import SECRET
from shared.hj212.segment import parse
from shared.quality import Quality
from tests.ingest.devices import device

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
KEY = "0123456789abcdef"
_PLAIN = device(password=None)
DEVICES: dict[str, Device] = {
    "A1": _PLAIN,
    "A2": replace(_PLAIN, mn="A2", password="123456", acknowledge="always", crc_mode=CrcMode.MODBUS_SWAPPED),
    "A3": replace(_PLAIN, mn="A3", cipher=Sm4(KEY), acknowledge="never"),
    "A4": replace(_PLAIN, mn="A4", crc_mode=CrcMode.OFF),
}
_ANSWERS = frozenset({"9013", "9014", "1012"})
_LETTERS = frozenset(quality.value for quality in Quality)
_HELD = MAX_LENGTH + 20 + JUNK_LIMIT


def one_input(data: bytes) -> None:
    """Raise where the bytes break a promise of the decoder or of the session.

    The first byte says how long the pieces are that the rest comes in.
    """
    step, stream = max(1, *data[:1], 0), data[1:]
    whole = _converse([stream])
    cut = _converse([stream[start : start + step] for start in range(0, len(stream), step)])
    assert whole == cut, "the cut of the stream changes what is read"
    assert sum(len(entry.raw) for entry in whole) <= len(stream)


def _converse(pieces: list[bytes]) -> list[Received]:
    session = Session(DEVICES.get, ahead=timedelta(minutes=10))
    found: list[Received] = []
    for piece in pieces:
        received = session.receive(piece, NOW)
        assert session.pending <= _HELD
        for entry in received:
            _check(session, entry)
        found += received
    session.lost()
    return found + session.end(NOW)


def _check(session: Session, entry: Received) -> None:
    for row in entry.data.observations:
        assert row.value is None or isfinite(row.value)
        assert row.quality in _LETTERS
        assert row.time <= (NOW + timedelta(minutes=10)).timestamp() * 1e6
    for report in entry.reports:
        assert entry.genuine
        assert "\x00" not in "".join((report.subject, *report.content, *report.content.values())), (
            "no database keeps it"
        )
        assert report.time <= NOW + timedelta(minutes=10)
        assert not SECRET & report.content.keys()
    answers = session.answers(entry, NOW)
    if not answers:
        return
    assert entry.genuine
    assert entry.device is not None
    mode = CrcMode.HJ212 if entry.device.crc_mode is CrcMode.OFF else entry.device.crc_mode
    decoder = FrameDecoder(crc_mode_of=lambda _: mode)
    for frame in [*decoder.feed(b"".join(answers)), *decoder.close()]:
        assert isinstance(frame, DecodedFrame), f"an answer cannot be read: {frame}"
        assert parse(frame.segment).cn in _ANSWERS
