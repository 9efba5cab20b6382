"""Devices for pure tests."""

from zoneinfo import ZoneInfo

from services.ingest.registry.snapshot import Device, Stream
from shared.hj212.crc import CrcMode

MN = "A1"


def device(*, password: str | None = None, crc_mode: CrcMode = CrcMode.HJ212, acknowledge: str = "standard") -> Device:
    """A device of the test park: chlorine in ug/m3 (id 1 realtime, 2 minute), ammonia in mg/m3 (id 3)."""
    streams = {
        ("a21022", "realtime"): Stream(1, "p.s1", "chlorine", "realtime", 1e-3, 25, 5),
        ("a21022", "minute"): Stream(2, "p.s1", "chlorine", "minute", 1e-3, 25, 5),
        ("a21001", "realtime"): Stream(3, "p.s1", "ammonia", "realtime", 1.0, 25, 5),
    }
    return Device(MN, "p", "p.s1", ZoneInfo("Asia/Shanghai"), password, crc_mode, acknowledge, streams)
