"""A receiver is proven by the certificate of its name, though the connection is made to an address."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.gateway.subscriptions.http import HttpSender, NotSent
from shared.time import utc_now


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A server with a certificate for `receiver.test`, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), utc_now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("receiver.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_the_certificate_must_be_of_the_name(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", here, raising=False)
    sender = HttpSender([ipaddress.ip_network("127.0.0.0/8")])
    with pytest.raises(NotSent, match="certificate verify failed"):
        await sender.post(f"https://receiver.test:{port}/", b"", {})
    await sender.aclose()
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    sender._client = httpx.AsyncClient(verify=trusting, trust_env=False)
    assert (await sender.post(f"https://receiver.test:{port}/", b"", {})).status == 204
    with pytest.raises(NotSent, match=r"not valid for 'other\.test'"):
        await sender.post(f"https://other.test:{port}/", b"", {})
    await sender.aclose()
