from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.registry.snapshot import Device
from services.ingest.stations.session import Received, Session, frame_for
from services.ingest.stations.verdicts import Verdict
from shared.hj212.codes import Cn
from shared.hj212.crc import CrcMode
from shared.hj212.encryption import Sm4
from shared.hj212.frame import DecodedFrame, FrameDecoder, encode
from shared.hj212.segment import Pair, build
from tests.ingest.devices import device

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def session(known: Device | None) -> Session:
    return Session(lambda mn: known if known and mn == known.mn else None, ahead=timedelta(minutes=10))


def frame(cn: str, *, flag: str = "Flag=5;", pw: str = "123456", mn: str = "A1", body: str = "") -> bytes:
    return encode(f"QN=20260301120000000;ST=22;CN={cn};PW={pw};MN={mn};{flag}CP=&&{body}&&".encode())


DATA = "DataTime=20260301115930;a21022-Rtd=250,a21022-Flag=N"


def exchange(known: Device | None, data: bytes) -> tuple[Received, list[bytes]]:
    one = session(known)
    (received,) = one.receive(data, NOW)
    return received, one.answers(received, NOW)


HEAD = "QN=20260301120000000;ST=91;CN={};PW=123456;MN=A1;Flag=4;CP=&&&&"
DATA_ANSWER, NOTICE_ANSWER = (encode(HEAD.format(cn).encode()) for cn in ("9014", "9013"))


@pytest.mark.parametrize(
    ("data", "verdict", "answers"),
    [
        (frame("2011", body=DATA), Verdict.ACCEPTED, [DATA_ANSWER]),
        (frame("2011", body=DATA, flag="Flag=4;"), Verdict.ACCEPTED, []),
        (frame("2011", body=DATA, flag=""), Verdict.ACCEPTED, []),
        (frame("2011", body="DataTime=20990101000000;a21022-Rtd=1"), Verdict.ROWS_REFUSED, [DATA_ANSWER]),
        (frame("2081", body="DataTime=20260301115930;RestartTime=20260301115900"), Verdict.ACCEPTED, [DATA_ANSWER]),
        (frame("3020", body="i11001-Info=//清洗管路//"), Verdict.ACCEPTED, [DATA_ANSWER]),
        (frame("9015", flag="Flag=9;"), Verdict.ACCEPTED, [NOTICE_ANSWER]),
        (frame("1001", flag="Flag=9;", body="i23005-Info=L1"), Verdict.ACCEPTED, [NOTICE_ANSWER]),
        (frame("1014", flag="Flag=9;", body="SKCreateTime=20260101000000"), Verdict.ACCEPTED, [NOTICE_ANSWER]),
        (frame("9011", body="QnRtn=1"), Verdict.ANSWER, []),
        (frame("9021"), Verdict.UNKNOWN_COMMAND, []),
        (frame("2011", body=DATA, mn="other"), Verdict.UNKNOWN_MN, []),
        (frame("2011", body=DATA, mn=""), Verdict.UNKNOWN_MN, []),
        (frame("2011", body=DATA).replace(b"250", b"251"), Verdict.BAD_CRC, []),
    ],
)
def test_verdict_and_answer(data: bytes, verdict: Verdict, answers: list[bytes]) -> None:
    received, sent = exchange(device(), data)
    assert (received.verdict, sent) == (verdict, answers)
    assert received.raw == data[:-2]


def test_a_time_request_is_answered_and_the_clock_set() -> None:
    _, (notice, clock) = exchange(device(), frame("1013", body="PolId=a01001"))
    assert notice == NOTICE_ANSWER
    assert b"CN=1012" in clock
    assert b"CP=&&PolId=a01001;SystemTime=20260301120000&&" in clock  # 04:00 UTC in Shanghai


@pytest.mark.parametrize(
    ("mode", "flag", "count"),
    [("always", "Flag=4;", 1), ("always", "", 1), ("never", "Flag=5;", 0), ("standard", "Flag=9;", 1)],
)
def test_acknowledgement_per_device(mode: str, flag: str, count: int) -> None:
    _, answers = exchange(device(acknowledge=mode), frame("2011", body=DATA, flag=flag))
    assert len(answers) == count


@pytest.mark.parametrize(
    ("password", "sent", "verdict"),
    [
        ("123456", "123456", Verdict.ACCEPTED),
        ("123456", "654321", Verdict.WRONG_PASSWORD),
        (None, "anything", Verdict.ACCEPTED),
    ],
)
def test_passwords(password: str | None, sent: str, verdict: Verdict) -> None:
    received, answers = exchange(device(password=password), frame("2011", body=DATA, pw=sent))
    assert received.verdict is verdict
    assert bool(answers) is (verdict is Verdict.ACCEPTED)
    assert bool(received.data.observations) is (verdict is Verdict.ACCEPTED)


def test_a_device_with_another_checksum_is_understood_when_the_registry_says_so() -> None:
    segment = frame("2011", body=DATA)[6:-6]
    received, answers = exchange(device(crc_mode=CrcMode.ARC), encode(segment, CrcMode.ARC))
    assert received.verdict is Verdict.ACCEPTED
    assert answers
    received, answers = exchange(device(), encode(segment, CrcMode.ARC))
    assert (received.verdict, received.detail, received.mn) == (Verdict.BAD_CRC, "crc matches arc", "A1")
    assert not answers


def test_junk_is_laid_to_the_device_that_spoke_before() -> None:
    one = session(device())
    received = one.receive(frame("2011", body=DATA) + b"junk" + frame("2011", body=DATA), NOW)
    assert [(entry.verdict, entry.mn) for entry in received] == [
        (Verdict.ACCEPTED, "A1"),
        (Verdict.JUNK, "A1"),
        (Verdict.ACCEPTED, "A1"),
    ]


def test_endless_junk_is_hopeless_and_a_good_frame_is_hope() -> None:
    one = session(device())
    one.receive(b"#" * 90_000, NOW)
    assert not one.hopeless
    one.receive(frame("2011", body=DATA), NOW)
    one.receive(b"#" * 200_000, NOW)
    assert one.hopeless


def test_half_a_frame_at_the_end_is_told() -> None:
    one = session(device())
    assert one.receive(frame("2011", body=DATA)[:70], NOW) == []
    assert one.pending == 70
    (left,) = one.end(NOW)
    assert (left.verdict, left.mn) == (Verdict.TRUNCATED, "A1")


def test_an_mn_cannot_break_the_store() -> None:
    received, _ = exchange(device(), frame("2011", mn="\x00" + "x" * 5000))
    assert received.mn == "x" * 64


def test_a_device_with_a_key_is_read_and_is_sent_what_it_can_read() -> None:
    cipher = Sm4("0123456789abcdef")
    known = replace(device(), cipher=cipher)
    sealed = encode(frame("2011", body=DATA)[6:-6], cipher=cipher)
    received, answers = exchange(known, sealed)
    assert (received.verdict, received.raw, answers) == (Verdict.ACCEPTED, sealed[:-2], [DATA_ANSWER])
    assert [row.value for row in received.data.observations] == [0.25]
    request = build(Cn.MINUTE, mn="A1", groups=((Pair("BeginTime", None, "20260301000000"),),))
    assert b"BeginTime" not in frame_for(known, request)
    (read,) = FrameDecoder(cipher_of=lambda _: cipher).feed(frame_for(known, request))
    assert isinstance(read, DecodedFrame)
    assert read.segment == request.encode()


@pytest.mark.parametrize(
    ("key", "detail"), [(None, "encrypted, no key is registered"), ("x" * 16, "encrypted with another key")]
)
def test_an_encrypted_frame_without_its_key_is_told(key: str | None, detail: str) -> None:
    sealed = encode(frame("2011", body=DATA)[6:-6], cipher=Sm4("0123456789abcdef"))
    received, answers = exchange(replace(device(), cipher=None if key is None else Sm4(key)), sealed)
    assert (received.verdict, received.detail, received.mn, answers) == (Verdict.BAD_CRC, detail, "A1", [])


def test_each_part_is_stored_and_answered_by_itself_and_a_lost_one_is_told() -> None:
    one = session(device())
    for number, at in ((1, "115930"), (2, "115930"), (1, "115940")):
        body = f"DataTime=20260301{at};a21022-Rtd=250"
        (received,) = one.receive(frame("2011", body=body, flag=f"Flag=7;PNUM=2;PNO={number};"), NOW)
        assert received.verdict is Verdict.ACCEPTED
        assert len(received.data.observations) == 1
        assert one.answers(received, NOW) == [DATA_ANSWER]
    assert one.lost() == ("A1",)


def test_a_message_that_is_sent_again_says_so() -> None:
    received, answers = exchange(device(), frame("2011", body=DATA, flag="Flag=9;RF=1;"))
    assert received.segment is not None
    assert received.segment.resent
    assert answers == [DATA_ANSWER]


@pytest.mark.parametrize("cn", ["2013", "2052", "2062", "2111", "3022"])
def test_uploads_of_2025_are_acknowledged(cn: str) -> None:
    received, answers = exchange(device(), frame(cn, body="DataTime=20260301115930", flag="Flag=9;"))
    assert (received.verdict, answers) == (Verdict.ACCEPTED, [DATA_ANSWER])
