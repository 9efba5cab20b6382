"""One connection of a station: a socket around the pure session.

A connection reads a piece, hands what it holds to the writer, waits for the commit, answers, goes on. So a station that
sends faster than the database stores is slowed by TCP itself, and a connection never holds more than two pieces.
"""

import asyncio
import socket
import time
from enum import IntFlag, auto
from typing import Protocol, cast

from services.ingest import metrics
from services.ingest.registry.snapshot import Device
from services.ingest.stations.clocks import Clocks
from services.ingest.stations.counters import SessionCounters
from services.ingest.stations.limits import PIECE_BYTES, Allowance, ServerLimits
from services.ingest.stations.linked import Linked
from services.ingest.stations.links import Links
from services.ingest.stations.session import Directory, Received, Session, frame_for
from services.ingest.writing.batch import RawFrame, StatusCodes, Submission
from services.ingest.writing.writer import Writer
from shared.hj212.segment import Segment
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)
LINGER_S = 2.0
"""How long a connection that we close may take for the last answers."""
WRITE_BUFFER_BYTES = 64 * 1024


class Host(Protocol):
    """What a connection asks of the server."""

    directory: Directory
    writer: Writer
    limits: ServerLimits
    links: Links
    counters: SessionCounters
    clocks: Clocks
    buffer: memoryview

    def admit(self, connection: "Connection") -> bool:
        """Whether this connection is let in."""

    def await_room(self, connection: "Connection") -> None:
        """Call ``go_on`` once the writer takes more."""

    def forget(self, connection: "Connection") -> None:
        """The connection has ended."""


class _Hold(IntFlag):
    """Why nothing is read at the moment."""

    FULL = auto()
    ROOM = auto()
    RATE = auto()
    UNSENT = auto()


class Connection(asyncio.BufferedProtocol):
    """Runs in the event loop alone. ``remote`` is the address of the station."""

    __slots__ = (
        "_allowance", "_closing_since", "_ended", "_eof", "_half_since", "_heard_at", "_held", "_holds", "_host",
        "_in_flight", "_linked", "_resume", "_session", "_stalled_since", "_transport", "remote",
    )  # fmt: skip

    def __init__(self, host: Host) -> None:
        self._host = host
        limits = host.limits
        self._session = Session(host.directory, ahead=limits.clock_ahead, late=limits.late, clocks=host.clocks)
        self._transport: asyncio.Transport | None = None
        self._linked = Linked(host.links, host.counters)
        self._held = b""
        self._holds = _Hold(0)
        self._in_flight = False
        self._eof = False
        self._ended: str | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._half_since: float | None = None
        self._stalled_since: float | None = None
        self._closing_since: float | None = None
        self._heard_at = time.monotonic()
        self._allowance = Allowance(host.limits.bytes_per_s, host.limits.burst_bytes, self._heard_at)
        self.remote = "unknown"

    # ---- what the event loop tells ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A station has connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.remote = str(peer[0]) if peer else "unknown"
        if not self._host.admit(self):
            self._ended = "turned away"
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        wire = transport.get_extra_info("socket")
        if wire is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """One buffer serves all connections: what is in it is taken out before anything else happens."""
        return self._host.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        if self._ended is not None:
            return
        data = bytes(self._host.buffer[:nbytes])
        pause = self._allowance.spend(nbytes, time.monotonic())
        if pause:
            metrics.SLOWED.inc()
            self._hold(_Hold.RATE)
            self._resume = asyncio.get_running_loop().call_later(pause, self._release, _Hold.RATE)
        self._held = self._held + data if self._held else data
        if self._in_flight or (self._holds and self._holds & _Hold.ROOM):
            if len(self._held) >= PIECE_BYTES:
                self._hold(_Hold.FULL)
        else:
            self.go_on()

    def eof_received(self) -> bool:
        """The station sends no more; it still gets the answers to what it has sent."""
        self._eof = True
        self._settle()
        return True

    def pause_writing(self) -> None:
        """The station does not take its answers."""
        self._stalled_since = time.monotonic()
        self._hold(_Hold.UNSENT)

    def resume_writing(self) -> None:
        """It has taken them."""
        self._stalled_since = None
        self._release(_Hold.UNSENT)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection has ended, from whichever side."""
        if self._ended == "turned away":
            return
        self.end("by station")
        if self._resume is not None:
            self._resume.cancel()
        self._linked.end()
        self._host.forget(self)
        self._host.counters.lost(self._session.lost())
        left = [*self._session.receive(self._held, utc_now()), *self._session.end(utc_now())]
        self._held = b""
        if left:
            # Nobody is left to be told; what the database refuses of it is logged by the writer.
            self._host.writer.enqueue(self._submission(left)).add_done_callback(_seen)

    # ---- what the server asks ----

    def overdue(self, now: float) -> str | None:
        """Why this connection should end now, by its time-outs."""
        limits = self._host.limits
        if self._closing_since is not None:
            return "lingering" if now - self._closing_since > LINGER_S and not self._in_flight else None
        if self._stalled_since is not None and now - self._stalled_since > limits.send_timeout_s:
            return "takes no answers"
        if self._in_flight or self._holds & _Hold.ROOM:  # it waits for us
            return None
        if self._half_since is not None and now - self._half_since > limits.half_frame_timeout_s:
            return "half frame"
        return "idle" if now - self._heard_at > limits.idle_timeout_s else None

    def end(self, why: str, *, at_once: bool = False) -> None:
        """Close; answers in flight go out first unless ``at_once``."""
        assert self._transport is not None
        if self._ended is None:
            self._ended = why
            self._closing_since = time.monotonic()
            metrics.CLOSED.labels(why).inc()
        if at_once or self._stalled_since is not None:
            self._transport.abort()
        elif not self._in_flight and not self._transport.is_closing():
            self._transport.close()

    def go_on(self) -> None:
        """Take what is held, if the writer takes more."""
        if self._in_flight or self._ended is not None or not self._held:
            return
        if not self._host.writer.has_room:
            self._hold(_Hold.ROOM)
            self._host.await_room(self)
            return
        if self._holds:
            self._release(_Hold.ROOM | _Hold.FULL)
        data, self._held = self._held, b""
        continue_trace(None)
        received = self._session.receive(data, utc_now())
        self._note_progress(received)
        if received:
            self._in_flight = True
            self._host.writer.enqueue(self._submission(received)).add_done_callback(
                lambda outcome: self._stored(received, outcome)
            )
        elif self._session.hopeless:
            self.end("junk")
        else:
            self._settle()

    # ---- within ----

    def _settle(self) -> None:
        """The station has ended its side: so do we, once nothing of it is left."""
        if self._eof and not self._in_flight and not self._held:
            self.end("by station")

    def _note_progress(self, received: list[Received]) -> None:
        now = time.monotonic()
        if received or not self._session.pending:
            self._half_since = None
        if self._session.pending and self._half_since is None:
            self._half_since = now
        if any(entry.is_frame for entry in received):
            self._heard_at = now

    def _stored(self, received: list[Received], outcome: asyncio.Future[StatusCodes]) -> None:
        self._in_flight = False
        if outcome.cancelled():
            self.end("stopping")
            return
        error = outcome.exception()
        if error is not None:
            log.info("connection_ended", remote=self.remote, error=str(error)[:200])
            self.end("error")
            return
        for entry in received:
            self._host.counters.note(entry)
        assert self._transport is not None
        if not self._transport.is_closing():
            self._linked.note(received, self.remote, self._transmit)
            answers = b"".join(answer for entry in received for answer in self._session.answers(entry, utc_now()))
            if answers:
                self._transport.write(answers)
        if self._ended is not None:
            self.end(self._ended)
        elif self._session.hopeless:
            self.end("junk")
        else:
            self.go_on()
            self._settle()

    def _submission(self, received: list[Received]) -> Submission:
        rows = [row for entry in received for row in entry.data.observations]
        frames = [
            RawFrame(
                received_at=entry.received_at,
                mn=entry.mn,
                known=entry.device is not None or (entry.mn is not None and self._host.directory(entry.mn) is not None),
                remote=self.remote,
                verdict=entry.verdict,
                detail=entry.detail,
                frame=entry.raw,
                unmapped=entry.data.unmapped,
            )
            for entry in received
        ]
        source = next((entry.mn for entry in received if entry.mn), self.remote)
        parks = frozenset(entry.device.park_id for entry in received if entry.device is not None)
        reports = [report for entry in received for report in entry.reports]
        return Submission(f"hj212:{source}", rows, frames, parks=parks, reports=reports)

    def _transmit(self, device: Device, message: Segment) -> bool:
        assert self._transport is not None
        if self._ended is not None or self._stalled_since is not None or self._transport.is_closing():
            return False
        self._transport.write(frame_for(device, message))
        return True

    def _hold(self, why: _Hold) -> None:
        if not self._holds and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._holds |= why

    def _release(self, why: _Hold) -> None:
        held, self._holds = self._holds, self._holds & ~why
        if held and not self._holds and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


def _seen(outcome: asyncio.Future[StatusCodes]) -> None:
    """So that nothing complains of an exception that nobody has asked for."""
    if not outcome.cancelled():
        outcome.exception()
