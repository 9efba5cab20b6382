"""Encrypted bodies of HJ 212-2025: SM4-ECB of the text between ``CP=&&`` and ``&&``.

Each whole block of 16 bytes is encrypted and written as text, ``{0xE4,0x3E,...}``; what is left over, shorter than a
block, stays plain. The checksum is that of the plain segment. Commands 2000 to 2999, 1014 and 3020 are encrypted. This
is how several implementations quote the edition of 2025; ECB hides little and proves nothing of the sender.
"""

import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES = 16
_BLOCK = 16
_BLOCKS = re.compile(rb"\{0[xX][0-9A-Fa-f]{2}(?:,0[xX][0-9A-Fa-f]{2}){15}\}")
_DIGITS = re.compile(rb"0[xX]|[{},]")


class Sm4:
    """The bodies of one device, by its key. Raises ValueError for a key that is not 16 bytes of ASCII."""

    def __init__(self, key: str) -> None:
        octets = key.encode()
        if len(octets) != KEY_BYTES or not key.isascii():
            raise ValueError(f"an SM4 key of HJ 212 has {KEY_BYTES} ASCII characters, this one has {len(key)}")
        self._cipher = Cipher(algorithms.SM4(octets), modes.ECB())  # noqa: S305  (the mode that HJ 212 prescribes)

    def encrypt(self, body: bytes) -> bytes:
        """The body as it is sent."""
        whole = len(body) - len(body) % _BLOCK
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(body[:whole]) + encryptor.finalize()
        blocks = (sealed[start : start + _BLOCK] for start in range(0, whole, _BLOCK))
        texts = (b"{%s}" % b",".join(b"0x%02X" % octet for octet in block) for block in blocks)
        return b"".join(texts) + body[whole:]

    def decrypt(self, body: bytes) -> bytes:
        """The body as it is meant. What is no encrypted block stays as it is, so that a plain body is returned."""
        return _BLOCKS.sub(lambda match: self._open(match[0]), body)

    def _open(self, text: bytes) -> bytes:
        decryptor = self._cipher.decryptor()
        return decryptor.update(bytes.fromhex(_DIGITS.sub(b"", text).decode())) + decryptor.finalize()


def is_encrypted(segment: bytes) -> bool:
    """Whether a segment bears an encrypted block."""
    return _BLOCKS.search(segment) is not None
