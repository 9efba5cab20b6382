"""Where the fuzzer begins: a stream of each kind that a station sends."""

from collections.abc import Iterator

from shared.hj212.crc import CrcMode
from shared.hj212.encryption import Sm4
from shared.hj212.frame import encode

_KEY = "0123456789abcdef"
_HEAD = "QN=20260301120000000;ST=22;CN={cn};PW=123456;MN={mn};{flag}CP=&&{body}&&"
_DATA = "DataTime=20260301115930;a21022-Rtd=250,a21022-Flag=N;a21001-Rtd=-1.5,a21001-Flag=D"
_MINUTE = "DataTime=20260301115900;a21022-Min=1,a21022-Avg=2,a21022-Max=3,a21022-Flag=T;a21001-Cou=9"


def _segment(cn: str, body: str = "", mn: str = "A1", flag: str = "Flag=5;") -> bytes:
    return _HEAD.format(cn=cn, body=body, mn=mn, flag=flag).encode()


def seeds() -> Iterator[bytes]:
    """Inputs of the target: the length of the pieces, then the stream."""
    whole = encode(_segment("2011", _DATA))
    streams = [
        whole,
        encode(_segment("2051", _MINUTE)) + whole[:-2] + encode(_segment("2011", _DATA, mn="other")),
        encode(_segment("2011", _DATA, mn="A2"), CrcMode.MODBUS_SWAPPED),
        encode(_segment("2011", _DATA, mn="A3"), cipher=Sm4(_KEY)),
        encode(_segment("2011", _DATA, mn="A4"), CrcMode.ARC),
        b"".join(encode(_segment("2061", _MINUTE, flag=f"Flag=7;PNUM=2;PNO={number};")) for number in (1, 2)),
        encode(_segment("2011", _DATA, flag="Flag=9;RF=1;")),
        encode(_segment("1013", "PolId=a01001")) + encode(_segment("9015", flag="Flag=9;")),
        encode(_segment("9011", "QnRtn=1")) + encode(_segment("9012", "ExeRtn=1")),
        encode(_segment("3020", "DataTime=20260301115930;i11001-Info=//清洗;管路,=1//")),
        encode(
            _segment("2062", "DataTime=20260301115930;a21026-SampleRd=49;a21026-StandardValue=50;\x00-ResultType=\x00")
        ),
        encode(_segment("2013", "DataTime=99990301115930;a21022-SampleTime=20260301115930,a21022-Avg=2,a21022-Flag=N")),
        encode(_segment("1014", "SKCreateTime=20260301115930;NewSK=0123456789abcdef", mn="A2"), CrcMode.MODBUS_SWAPPED),
        encode(_segment("2011", "DataTime=2026030111593a;a21022-Rtd=nan;;=;a21022-Flag=")),
        b"noise" + whole[:60] + b"##9999" + whole + b"\r\n\r\n" + whole.replace(b"250", b"251"),
        encode(_segment("2011", "DataTime=20260301115930;a21022-Rtd=1,a21022-Info=\xb5\xb5")) + b"#" * 2000,
    ]
    for number, stream in enumerate(streams):
        yield bytes((1 + 37 * number % 251,)) + stream
