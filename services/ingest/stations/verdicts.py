"""What became of a frame, as it is counted and kept with the raw bytes."""

from enum import StrEnum

from shared.hj212.frame import Refusal


class Verdict(StrEnum):
    """Accepted, or why not. ``answer`` is a device's answer to something that was asked of it."""

    ACCEPTED = "accepted"
    ANSWER = "answer"
    ROWS_REFUSED = "rows_refused"
    UNKNOWN_MN = "unknown_mn"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  (no password)
    UNKNOWN_COMMAND = "unknown_command"
    BAD_LENGTH = "bad_length"
    BAD_CRC = "bad_crc"
    NO_CP = "no_cp"
    JUNK = "junk"
    TRUNCATED = "truncated"

    @classmethod
    def of_refusal(cls, refusal: Refusal) -> "Verdict":
        """The verdict on bytes that the decoder refused."""
        return cls(refusal.value)
