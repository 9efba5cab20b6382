import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.codes import is_encrypted_command
from shared.hj212.crc import CrcMode, crc16_hj212
from shared.hj212.encryption import Sm4, is_encrypted
from shared.hj212.frame import DecodedFrame, FrameDecoder, RefusedFrame, encode

KEY = "0123456789abcdef"
PLAIN = b"QN=20260301120000000;ST=22;CN=2011;PW=123456;MN=A1;Flag=9;CP=&&DataTime=20260301120000;a21022-Rtd=1.5&&"


def test_the_cipher_is_that_of_the_standard_gb_t_32907() -> None:
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")  # GB/T 32907-2016 Appendix A, example 1
    encryptor = Cipher(algorithms.SM4(block), modes.ECB()).encryptor()
    assert encryptor.update(block).hex() == "681edf34d206965e86b3e94f536e4246"


def test_whole_blocks_become_text_and_the_rest_stays_plain() -> None:
    sealed = Sm4(KEY).encrypt(b"0123456789abcdefrest")
    assert sealed.startswith(b"{0x")
    assert sealed.endswith(b"}rest")
    assert sealed.count(b"0x") == 16
    assert Sm4(KEY).encrypt(b"fifteen letters") == b"fifteen letters"


@given(st.binary(max_size=200))
def test_decrypting_is_the_inverse_of_encrypting(body: bytes) -> None:
    assert Sm4(KEY).decrypt(Sm4(KEY).encrypt(body)) == body


@given(st.text(st.sampled_from("{}0xXaF19,;= "), max_size=200))
def test_no_input_raises(text: str) -> None:
    Sm4(KEY).decrypt(text.encode())
    is_encrypted(text.encode())


@pytest.mark.parametrize("key", ["", "short", "x" * 17, "é" * 8, "汉" * 16])
def test_a_key_has_sixteen_characters(key: str) -> None:
    with pytest.raises(ValueError, match="16 ASCII"):
        Sm4(key)


def decoder(key: str | None) -> FrameDecoder:
    return FrameDecoder(cipher_of=lambda _: None if key is None else Sm4(key))


def test_an_encrypted_frame_is_read_and_checked_by_its_plain_text() -> None:
    frame = encode(PLAIN, cipher=Sm4(KEY))
    assert b"a21022" not in frame
    assert frame.endswith(b"%04X\r\n" % crc16_hj212(PLAIN))
    assert decoder(KEY).feed(frame) == [DecodedFrame(frame[:-2], PLAIN, CrcMode.HJ212)]


def test_the_checksum_of_the_text_as_sent_is_taken_too() -> None:
    sent = encode(PLAIN, cipher=Sm4(KEY))[6:-6]
    (found,) = decoder(KEY).feed(encode(sent))
    assert isinstance(found, DecodedFrame)
    assert found.segment == PLAIN


def test_a_device_with_a_key_may_speak_plainly() -> None:
    (found,) = decoder(KEY).feed(encode(PLAIN))
    assert isinstance(found, DecodedFrame)


@pytest.mark.parametrize("key", [None, "another key 0123"])
def test_without_the_right_key_the_frame_is_refused(key: str | None) -> None:
    (found,) = decoder(key).feed(encode(PLAIN, cipher=Sm4(KEY)))
    assert isinstance(found, RefusedFrame)
    assert is_encrypted(found.raw)


@pytest.mark.parametrize(
    ("cn", "expected"),
    [("2011", True), ("2999", True), ("3020", True), ("1014", True), ("9014", False), ("1012", False), (None, False)],
)
def test_which_commands_are_encrypted(cn: str | None, expected: bool) -> None:
    assert is_encrypted_command(cn) is expected
