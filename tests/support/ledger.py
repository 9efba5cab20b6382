"""A station of a park of its own that keeps a ledger: what it sent, and what was acknowledged."""

import contextlib
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.hj212.frame import DecodedFrame, FrameDecoder
from shared.hj212.frame import encode as encode_frame

MN = "LEDGER00000000000000001"
PASSWORD = "ledger"
PARK = "ledger-park"


def park_file() -> dict[str, Any]:
    """The park file of that park."""
    name = {"zh": "账本园区（虚构）", "en": "Ledger park (fictitious)"}
    return {
        "fenceline": 1,
        "park": {
            "id": PARK,
            "name": name,
            "fictitious": True,
            "timezone": "UTC",
            "boundary": [[119.0, 37.1], [119.1, 37.1], [119.1, 37.2], [119.0, 37.1]],
        },
        "stations": [
            {
                "id": "s1",
                "name": name,
                "ring": "boundary",
                "location": {"longitude": 119.05, "latitude": 37.15},
                "device": {"mn": MN, "password": PASSWORD},
                "datastreams": [{"property": "ammonia", "unit": "mg/m3"}],
            }
        ],
    }


class LedgerStation:
    """Sends one real-time frame after the other, each a second of event time later; connects again when it must."""

    def __init__(self, port: int, pause_s: float = 0.02) -> None:
        self._port = port
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._moment = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
        self.acknowledged: dict[datetime, float] = {}
        self.sent = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the frame in flight."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 2) as link:
                link.settimeout(3)
                self._talk(link)
            time.sleep(0.1)

    def _talk(self, link: socket.socket) -> None:
        decoder = FrameDecoder()
        while not self._stop.is_set():
            moment = self._moment
            value = round(1.0 + moment.timestamp() % 700 / 1000, 3)  # the same again when it is sent again
            qn = moment.strftime("%Y%m%d%H%M%S") + "000"
            link.sendall(encode_frame(self._segment(moment, value, qn)))
            self.sent += 1
            self._await_answer(link, decoder, qn.encode())
            self.acknowledged[moment] = value
            self._moment += timedelta(seconds=1)
            time.sleep(self._pause_s)

    @staticmethod
    def _segment(moment: datetime, value: float, qn: str) -> bytes:
        body = f"DataTime={moment:%Y%m%d%H%M%S};a21001-Rtd={value:.3f},a21001-Flag=N"
        return f"QN={qn};ST=31;CN=2011;PW={PASSWORD};MN={MN};Flag=5;CP=&&{body}&&".encode()

    @staticmethod
    def _await_answer(link: socket.socket, decoder: FrameDecoder, qn: bytes) -> None:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            data = link.recv(4096)
            if not data:
                raise ConnectionError("closed")
            for frame in decoder.feed(data):
                if isinstance(frame, DecodedFrame) and b"QN=" + qn in frame.segment and b"CN=9014" in frame.segment:
                    return
        raise TimeoutError
