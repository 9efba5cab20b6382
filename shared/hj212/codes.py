"""Codes of HJ 212: system types, commands, results and the bits of ``Flag``.

Tables 5 to 9 of HJ 212-2017. Codes of 2025 are those that implementations of it quote. A code outside these lists is
legal on the wire and stays text.
"""

from enum import IntEnum, IntFlag, StrEnum


class St(StrEnum):
    """System type of a message (HJ 212-2017 Table 5). Parks have no type of their own: route by MN, not by ST."""

    SURFACE_WATER = "21"
    AIR_QUALITY = "22"
    NOISE = "23"
    GROUND_WATER = "24"
    SOIL = "25"
    SEA = "26"
    VOC = "27"
    AIR_SOURCE = "31"
    WATER_SOURCE = "32"
    GROUND_WATER_SOURCE = "33"
    SEA_SOURCE = "34"
    SOIL_SOURCE = "35"
    NOISE_SOURCE = "36"
    VIBRATION = "37"
    RADIOACTIVITY = "38"
    DUST = "39"
    ELECTROMAGNETIC = "41"
    ELECTRICITY = "44"
    """Edition of 2025, as is the next."""
    PRODUCTION = "45"
    FLUE_GAS_PROCESS = "51"
    SEWAGE_PROCESS = "52"
    INTERACTION = "91"


class Cn(StrEnum):
    """Command of a message (HJ 212-2017 Table 9)."""

    SET_TIMEOUT = "1000"
    HARDWARE_SERIALS = "1001"
    """Edition of 2025, as are 1002, 1014, 2013, 2052, 2062, 2111, 3022, 3024 and 9015."""
    SET_DEVICE_NUMBER = "1002"
    DEVICE_TIME = "1011"
    SET_DEVICE_TIME = "1012"
    TIME_REQUEST = "1013"
    KEY = "1014"
    REALTIME_INTERVAL = "1061"
    SET_REALTIME_INTERVAL = "1062"
    MINUTE_INTERVAL = "1063"
    SET_MINUTE_INTERVAL = "1064"
    SET_PASSWORD = "1072"  # noqa: S105  (a command, no password)
    REALTIME = "2011"
    STOP_REALTIME = "2012"
    RAW_PERIOD = "2013"
    RUN_STATE = "2021"
    STOP_RUN_STATE = "2022"
    DAY = "2031"
    RUN_TIME = "2041"
    MINUTE = "2051"
    NOISE_EVENT = "2052"
    HOUR = "2061"
    STANDARD_CHECK = "2062"
    STARTUP = "2081"
    FURNACE_TEMPERATURE = "2111"
    CALIBRATE = "3011"
    SAMPLE_NOW = "3012"
    CLEAN = "3013"
    COMPARISON_SAMPLE = "3014"
    EXCEEDANCE_SAMPLE = "3015"
    SET_SAMPLING_PERIOD = "3016"
    SAMPLING_PERIOD = "3017"
    SAMPLE_OUT_TIME = "3018"
    SERIAL_NUMBER = "3019"
    DEVICE_INFO = "3020"
    SET_PARAMETER = "3021"
    INSTANT_SAMPLE = "3022"
    START_STANDARD_CHECK = "3024"
    REQUEST_ANSWER = "9011"
    EXECUTION_RESULT = "9012"
    NOTICE_ANSWER = "9013"
    DATA_ANSWER = "9014"
    HEARTBEAT = "9015"
    """Answered by a notice answer."""


DATA_COMMANDS = frozenset(
    {Cn.REALTIME, Cn.MINUTE, Cn.HOUR, Cn.DAY, Cn.RAW_PERIOD, Cn.NOISE_EVENT, Cn.FURNACE_TEMPERATURE}
)
"""Commands whose upload carries values of factors."""


def is_encrypted_command(cn: str | None) -> bool:
    """Whether the body of this command is encrypted where a device encrypts (edition of 2025)."""
    return cn is not None and (cn in (Cn.KEY, Cn.DEVICE_INFO) or (len(cn) == len(Cn.KEY) and cn.startswith("2")))


class QnRtn(IntEnum):
    """Answer to a request (HJ 212-2017 Table 6)."""

    READY = 1
    REFUSED = 2
    BAD_PW = 3
    BAD_MN = 4
    BAD_ST = 5
    BAD_FLAG = 6
    BAD_QN = 7
    BAD_CN = 8
    BAD_CRC = 9
    UNKNOWN = 100


class ExeRtn(IntEnum):
    """Result of an executed request (HJ 212-2017 Table 7)."""

    DONE = 1
    FAILED = 2
    CONDITION = 3
    TIMEOUT = 4
    BUSY = 5
    FAULT = 6
    NO_DATA = 100


class FlagBit(IntFlag):
    """The two low bits of ``Flag``; the six above them are the edition."""

    ANSWER = 1
    DIVIDED = 2


_ANSWER = int(FlagBit.ANSWER)


class Edition(IntEnum):
    """Edition as the upper six bits of ``Flag`` tell it. Real senders set them wrong: never decide by it."""

    Y2005 = 0
    Y2017 = 1
    Y2025 = 2


def flag_of(edition: Edition = Edition.Y2017, *, answer: bool = False, divided: bool = False) -> int:
    """The number for the field ``Flag``."""
    return edition << 2 | (FlagBit.DIVIDED if divided else 0) | (FlagBit.ANSWER if answer else 0)


def wants_answer(flag: int | None) -> bool:
    """Whether the sender asks for an answer. Without ``Flag`` (edition of 2005) it does not."""
    return flag is not None and bool(flag & _ANSWER)
