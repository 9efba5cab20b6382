"""What a device tells of itself, ready to be stored: with the park, the device and a time in UTC."""

from datetime import datetime, timedelta
from typing import NamedTuple

from services.ingest.registry.snapshot import Device
from shared.hj212.commands import data_time, parse_time
from shared.hj212.reports import Kind, reports
from shared.hj212.segment import Segment

MAX_SUBJECT = 64


class DeviceReport(NamedTuple):
    """One thing that a device has reported; ``content`` as in `shared.hj212.reports.Report`."""

    park_id: str
    mn: str
    kind: Kind
    subject: str
    time: datetime
    received_at: datetime
    content: dict[str, str]


def device_reports(
    segment: Segment, device: Device, now: datetime, ahead: timedelta, late: timedelta
) -> tuple[DeviceReport, ...]:
    """The reports of a message that was received at ``now``.

    Their time is that of the data, else that of the request number, else ``now``: also where a time cannot be, as
    ``ahead`` and ``late`` bound it for readings. A report is of use without its time; a reading is not.
    """
    found = reports(segment)
    if not found:
        return ()
    time = _time(segment, device, now - late, now + ahead) or now
    return tuple(
        DeviceReport(
            device.park_id,
            device.mn,
            report.kind,
            _storable(report.subject)[:MAX_SUBJECT],
            time,
            now,
            {_storable(name): _storable(value) for name, value in report.content.items()},
        )
        for report in found
    )


def _time(segment: Segment, device: Device, earliest: datetime, latest: datetime) -> datetime | None:
    for local in (data_time(segment), parse_time(segment.qn)):
        if local is not None and earliest <= (moment := local.replace(tzinfo=device.zone)) <= latest:
            return moment
    return None


def _storable(text: str) -> str:
    return text.replace("\x00", "")
