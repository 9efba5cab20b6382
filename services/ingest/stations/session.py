"""One connection of a station, without the connection: bytes in, what to store and what to answer out.

What comes out of ``receive`` has to be committed before ``answers`` of it may be sent.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from services.ingest.meaning.normalise import MAX_LATE, NOTHING, Normalised, normalise
from services.ingest.meaning.reports import DeviceReport, device_reports
from services.ingest.registry.snapshot import Device
from services.ingest.stations.clocks import Clocks
from services.ingest.stations.parts import NO_PART, Outcome, Parts
from services.ingest.stations.verdicts import Verdict
from shared.hj212 import commands
from shared.hj212.codes import DATA_COMMANDS, Cn, is_encrypted_command, wants_answer
from shared.hj212.crc import CrcMode
from shared.hj212.encryption import is_encrypted
from shared.hj212.frame import BodyCipher, DecodedFrame, FrameDecoder, RefusedFrame, encode
from shared.hj212.reports import KIND_OF
from shared.hj212.segment import Segment, parse

MAX_MN = 64
_MN = re.compile(rb"(?:^|[;,\s])MN=([^;,&]{0,64})")
_KNOWN = frozenset(Cn)
_ANSWERS_OF_DEVICES = frozenset({Cn.REQUEST_ANSWER, Cn.EXECUTION_RESULT, Cn.NOTICE_ANSWER, Cn.DATA_ANSWER})
_NOTICES = frozenset({Cn.TIME_REQUEST, Cn.HARDWARE_SERIALS, Cn.KEY, Cn.HEARTBEAT})
_MEANINGLESS = frozenset({Verdict.JUNK, Verdict.BAD_LENGTH, Verdict.NO_CP})
_NO_FRAME = _MEANINGLESS | {Verdict.TRUNCATED}
_UNDERSTOOD = frozenset({Verdict.ACCEPTED, Verdict.ROWS_REFUSED})
_GENUINE = frozenset({Verdict.ACCEPTED, Verdict.ANSWER, Verdict.ROWS_REFUSED, Verdict.UNKNOWN_COMMAND})

Directory = Callable[[str], Device | None]
"""From an MN to the device, None where no park has it."""


class Received(NamedTuple):
    """One frame, or bytes that are none, ready to be stored. ``mn`` is None where none could be read or guessed."""

    raw: bytes
    verdict: Verdict
    received_at: datetime
    mn: str | None = None
    detail: str | None = None
    segment: Segment | None = None
    device: Device | None = None
    data: Normalised = NOTHING
    part: Outcome = NO_PART
    reports: tuple[DeviceReport, ...] = ()

    @property
    def is_frame(self) -> bool:
        """Whether it was a frame at all, if perhaps a damaged one."""
        return self.verdict not in _NO_FRAME

    @property
    def genuine(self) -> bool:
        """Whether a device of ours has said this, by its MN and its password."""
        return self.device is not None and self.verdict in _GENUINE


class Session:
    """The state of one connection. Devices are told apart by the MN of each frame: a gateway may carry several."""

    def __init__(
        self,
        directory: Directory,
        *,
        ahead: timedelta,
        late: timedelta = MAX_LATE,
        clocks: Clocks | None = None,
        max_refused_run: int = 100,
    ) -> None:
        self._directory = directory
        self._ahead = ahead
        self._late = late
        self._clocks = clocks
        self._decoder = FrameDecoder(crc_mode_of=self._crc_mode, cipher_of=self._cipher)
        self._parts = Parts()
        self._refused_run = 0
        self._max_refused_run = max_refused_run
        self._last_mn: str | None = None

    @property
    def hopeless(self) -> bool:
        """Whether so much of the latest input was no frame at all that the connection should end."""
        return self._refused_run > self._max_refused_run

    @property
    def pending(self) -> int:
        """Bytes of a frame whose rest is awaited."""
        return self._decoder.awaiting

    def receive(self, data: bytes, now: datetime) -> list[Received]:
        """Take bytes of the connection; what they complete, in order."""
        return [self._judge(frame, now) for frame in self._decoder.feed(data)]

    def lost(self) -> tuple[str, ...]:
        """The connection has ended: MNs of messages in parts that stay incomplete, one for each."""
        return self._parts.end()

    def end(self, now: datetime) -> list[Received]:
        """The connection has ended: what was left over."""
        return [self._judge(frame, now) for frame in self._decoder.close()]

    def answers(self, received: Received, now: datetime) -> list[bytes]:
        """The frames to send for something received, once it is committed; ``now`` sets a clock that was asked for."""
        device, request = received.device, received.segment
        if device is None or request is None or device.acknowledge == "never":
            return []
        if received.verdict not in _UNDERSTOOD:
            return []
        answers: list[Segment] = []
        if device.acknowledge == "always" or wants_answer(request.flag):
            notice = request.cn in _NOTICES
            answers.append(commands.notice_answer(request) if notice else commands.data_answer(request))
        if request.cn == Cn.TIME_REQUEST:
            local = now.astimezone(device.zone).replace(tzinfo=None)
            answers.append(commands.set_time(request, qn=commands.format_qn(local), time=local))
        return [frame_for(device, answer) for answer in answers]

    def _crc_mode(self, segment: bytes) -> CrcMode:
        device = self._device_in(segment)
        return CrcMode.HJ212 if device is None else device.crc_mode

    def _cipher(self, segment: bytes) -> BodyCipher | None:
        device = self._device_in(segment)
        return None if device is None else device.cipher

    def _device_in(self, raw: bytes) -> Device | None:
        mn = _mn_in(raw)
        return None if mn is None else self._directory(mn)

    def _stranger_in(self, raw: bytes) -> str | None:
        """The MN of a frame that no park has, as the database can keep it."""
        mn = _mn_in(raw)
        return _storable(mn) if mn and self._directory(mn) is None else None

    def _judge(self, frame: DecodedFrame | RefusedFrame, now: datetime) -> Received:
        if isinstance(frame, RefusedFrame):
            return self._refused(frame, now)
        self._refused_run = 0
        segment = parse(frame.segment)
        mn = _storable(segment.mn)
        self._last_mn = mn
        device = self._directory(segment.mn or "")
        verdict, data = self._verdict(segment, device, now)
        received = Received(frame.raw, verdict, now, mn, data.reason, segment, device, data)
        if device is not None and segment.cn in KIND_OF and verdict in _UNDERSTOOD:
            told = device_reports(segment, device, now, self._ahead, self._late)
            received = received._replace(reports=told)
        return self._of_part(received) if received.genuine and segment.pnum is not None else received

    def _of_part(self, received: Received) -> Received:
        segment, device = received.segment, received.device
        assert segment is not None
        assert device is not None
        time = commands.data_time(segment)
        key = segment.qn or "" if time is None else commands.format_time(time)
        return received._replace(part=self._parts.take(device.mn, segment, key, received.received_at))

    def _verdict(self, segment: Segment, device: Device | None, now: datetime) -> tuple[Verdict, Normalised]:
        if device is None:
            return Verdict.UNKNOWN_MN, NOTHING
        if not device.takes(segment.pw):
            return Verdict.WRONG_PASSWORD, NOTHING
        if segment.cn in _ANSWERS_OF_DEVICES:
            return Verdict.ANSWER, NOTHING
        if segment.cn not in _KNOWN:
            return Verdict.UNKNOWN_COMMAND, NOTHING
        if self._clocks is not None:
            self._clocks.hear(device, segment, now)
        if segment.cn not in DATA_COMMANDS:
            return Verdict.ACCEPTED, NOTHING
        data = normalise(segment, device, now, self._ahead, self._late)
        if self._clocks is not None:
            data = self._clocks.flagged(device, data)
        return Verdict.ROWS_REFUSED if data.refused else Verdict.ACCEPTED, data

    def _refused(self, frame: RefusedFrame, now: datetime) -> Received:
        verdict = Verdict.of_refusal(frame.reason)
        if verdict in _MEANINGLESS:
            self._refused_run += 1
        detail = None if frame.would_match is None else f"crc matches {frame.would_match.value}"
        if verdict is Verdict.BAD_CRC and detail is not None and (stranger := self._stranger_in(frame.raw)):
            # It holds together by another checksum: quarantined like any of an unknown device, to be read again.
            return Received(frame.raw, Verdict.UNKNOWN_MN, now, stranger, detail)
        device = self._device_in(frame.raw)
        mn = device.mn if device is not None else self._last_mn
        if verdict is Verdict.BAD_CRC and detail is None and is_encrypted(frame.raw):
            has_key = device is not None and device.cipher is not None
            detail = "encrypted with another key" if has_key else "encrypted, no key is registered"
        return Received(frame.raw, verdict, now, mn, detail)


def frame_for(device: Device, message: Segment) -> bytes:
    """A message of the platform as a frame. A device that makes another checksum checks ours by it too."""
    mode = CrcMode.HJ212 if device.crc_mode is CrcMode.OFF else device.crc_mode
    return encode(message.encode(), mode, device.cipher if is_encrypted_command(message.cn) else None)


def _mn_in(raw: bytes) -> str | None:
    found = _MN.search(raw)
    return None if found is None else found[1].strip().decode("utf-8", "replace")


def _storable(mn: str | None) -> str | None:
    """An MN as the database can keep it: no NUL, not endless."""
    return None if mn is None else mn.replace("\x00", "")[:MAX_MN]
