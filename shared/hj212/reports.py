"""What a device tells of itself, beside the readings: states, logs, serial numbers, checks with standard samples.

Fields of 2017 are those of its Tables 4, 9 and B.10 and of Appendix C; those of 2025 (1001, 1014, 2013, 2062) are what
implementations of it send, not read in the standard itself.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.hj212.codes import Cn
from shared.hj212.segment import Segment

MAX_REPORTS = 200
"""Of one message; a frame of the longest has fewer that mean something."""
MAX_TEXT = 1000
"""Characters that are kept of a value: free text has up to 890 bytes (HJ 212-2017 Table 4)."""
_FREE_TEXT = "//"
_INFO = "Info"
_OF_THE_MESSAGE = frozenset({"DataTime", "QN", "PolId", "InfoId", "BeginTime", "EndTime"})
SECRET = frozenset({"NewSK", "NewPW"})
"""Fields that are never shown."""
_OF_THE_SAMPLE = frozenset({"SampleTime", "CompleteTime", "SampleType", _INFO})


class Kind(StrEnum):
    """What a report is about."""

    HARDWARE = "hardware"
    SETTING = "setting"
    KEY = "key"
    RUN_STATE = "run_state"
    RUN_TIME = "run_time"
    RAW_SAMPLE = "raw_sample"
    STANDARD_CHECK = "standard_check"
    STARTUP = "startup"
    EXCEEDANCE_SAMPLE = "exceedance_sample"
    SAMPLING_PERIOD = "sampling_period"
    SAMPLE_OUT_TIME = "sample_out_time"
    SERIAL_NUMBER = "serial_number"
    INFORMATION = "information"


KIND_OF: dict[str, Kind] = {
    Cn.HARDWARE_SERIALS: Kind.HARDWARE,
    Cn.DEVICE_TIME: Kind.SETTING,
    Cn.REALTIME_INTERVAL: Kind.SETTING,
    Cn.MINUTE_INTERVAL: Kind.SETTING,
    Cn.KEY: Kind.KEY,
    Cn.RUN_STATE: Kind.RUN_STATE,
    Cn.RUN_TIME: Kind.RUN_TIME,
    Cn.RAW_PERIOD: Kind.RAW_SAMPLE,
    Cn.STANDARD_CHECK: Kind.STANDARD_CHECK,
    Cn.STARTUP: Kind.STARTUP,
    Cn.EXCEEDANCE_SAMPLE: Kind.EXCEEDANCE_SAMPLE,
    Cn.SAMPLING_PERIOD: Kind.SAMPLING_PERIOD,
    Cn.SAMPLE_OUT_TIME: Kind.SAMPLE_OUT_TIME,
    Cn.SERIAL_NUMBER: Kind.SERIAL_NUMBER,
    Cn.DEVICE_INFO: Kind.INFORMATION,
}
"""The kind of what a command uploads; other commands report nothing."""


class Report(NamedTuple):
    """What a message says of one thing.

    ``subject`` is a factor, a plant (``SB1``) or empty for the data logger itself; ``content`` has suffixes, info codes
    or field names with the values as they were sent.
    """

    kind: Kind
    subject: str
    content: dict[str, str]


def reports(segment: Segment) -> list[Report]:
    """The reports of a message in the order sent; none where its command has none. Keys and passwords are left out.

    What is said twice of one thing, as entries of a log are, gives two reports.
    """
    kind = KIND_OF.get(segment.cn or "")
    if kind is None:
        return []
    of_message = segment.value("PolId") or ""
    found: list[Report] = []
    latest: dict[str, Report] = {}
    for pair in segment.pairs:
        of_device = pair.suffix is None or (pair.suffix == _INFO and kind is not Kind.RAW_SAMPLE)
        subject = of_message if of_device else pair.name
        name = pair.name if of_device else pair.suffix or ""
        if name in SECRET or (pair.suffix is None and name in _OF_THE_MESSAGE):
            continue
        if kind is Kind.RAW_SAMPLE and name not in _OF_THE_SAMPLE:
            continue  # the reading itself
        report = latest.get(subject)
        if report is None or name in report.content:
            if len(found) >= MAX_REPORTS:
                break
            report = latest[subject] = Report(kind, subject, {})
            found.append(report)
        report.content[name] = _plain(pair.value)
    return found


def _plain(value: str) -> str:
    return value.removeprefix(_FREE_TEXT).removesuffix(_FREE_TEXT).strip()[:MAX_TEXT]
