"""The client over real sockets: what a network can do to it, and what it then says of the outcome."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ecs_operator.cloud import AccessKey, CloudError, EcsClient, Meaning, Outcome, StaticCredentials
from ecs_operator.cloud.operations.servers import STOP

KEY = StaticCredentials(AccessKey(access_key="AK", secret_key="SK-0000000000"))
SERVER = "616fb98f-46ca-475e-917e-2563e5a8cd19"
JOB = b'{"job_id": "ff80808288d41e1b018990260955686a"}'

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(content: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    """An HTTP answer; ``length`` may promise more than comes."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(content) if length is None else length}\r\n\r\n".encode() + content


async def take(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def says(data: bytes) -> Behaviour:
    """Take a request, say this, and close."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(data)
        await writer.drain()

    return behave


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await take(reader)
    transport = writer.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()


async def stays_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await take(reader)
    await reader.read()  # until the client gives up


@asynccontextmanager
async def listening(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free loopback port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def client(endpoint: str, *, ca_bundle: str | None = None) -> AsyncIterator[EcsClient]:
    async with await EcsClient.open(
        endpoint=endpoint, iam_endpoint=endpoint, project_id="p", credentials=KEY, ca_bundle=ca_bundle
    ) as opened:
        yield opened


async def start(endpoint: str, *, ca_bundle: str | None = None) -> CloudError | None:
    """Make a write; its error, if any."""
    async with client(endpoint, ca_bundle=ca_bundle) as opened:
        try:
            await opened.servers.start([SERVER])
        except CloudError as error:
            return error
    return None


@dataclass(frozen=True)
class Case:
    name: str
    behaviour: Behaviour
    outcome: Outcome | None
    meaning: Meaning | None = Meaning.UNREACHABLE


CASES = [
    Case("answers", says(http(JOB)), None, None),
    Case("closes without a word", says(b""), Outcome.UNKNOWN),
    Case("resets", resets, Outcome.UNKNOWN),
    Case("speaks no HTTP", says(b"SSH-2.0-OpenSSH_9.9\r\n"), Outcome.UNKNOWN),
    Case("stops in the headers", says(b"HTTP/1.1 200 OK\r\nContent-"), Outcome.UNKNOWN),
    Case("stops in the body", says(http(JOB, length=1000)), Outcome.UNKNOWN),
    Case("answers something else", says(http(b"<html>welcome</html>")), Outcome.UNKNOWN, Meaning.INTERNAL),
    Case("is a gateway in trouble", says(http(b"<html>Bad Gateway</html>", status="502 Bad Gateway")), Outcome.UNKNOWN),
    Case("redirects", says(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), Outcome.UNKNOWN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_peer_that(case: Case) -> None:
    async with listening(case.behaviour) as port:
        error = await start(f"http://127.0.0.1:{port}")
    assert (error.outcome if error else None, error.meaning if error else None) == (case.outcome, case.meaning)


async def test_a_peer_that_stays_silent() -> None:
    async with listening(stays_silent) as port, client(f"http://127.0.0.1:{port}") as opened:
        with pytest.raises(CloudError) as caught:
            await opened._session.call(STOP, body={"os-stop": {}}, deadline=0.3)
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_nobody_listens() -> None:
    async with listening(says(b"")) as port:
        pass
    error = await start(f"http://127.0.0.1:{port}")
    assert error is not None
    assert (error.outcome, error.meaning) == (Outcome.NOT_SENT, Meaning.UNREACHABLE)


async def test_no_such_host() -> None:
    error = await start("http://nobody.invalid")
    assert error is not None
    assert (error.outcome, error.meaning) == (Outcome.NOT_SENT, Meaning.UNREACHABLE)


@dataclass(frozen=True)
class Authority:
    """A certificate that vouches for itself, for 127.0.0.1."""

    pem: str
    context: ssl.SSLContext


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test cloud")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both = tmp_path / "both.pem"
    both.write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return Authority(pem.decode(), context)


async def test_a_certificate_of_the_bundle_is_trusted(authority: Authority) -> None:
    async with listening(says(http(JOB)), tls=authority.context) as port:
        assert await start(f"https://127.0.0.1:{port}", ca_bundle=authority.pem) is None


async def test_an_unknown_certificate_is_refused_before_anything_is_sent(authority: Authority) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    async with listening(listen, tls=authority.context) as port:
        error = await start(f"https://127.0.0.1:{port}")
    assert error is not None
    assert (error.outcome, error.meaning) == (Outcome.NOT_SENT, Meaning.UNREACHABLE)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert not any(heard)


async def test_a_certificate_for_another_host_is_refused(authority: Authority) -> None:
    async with listening(says(http(JOB)), tls=authority.context) as port:
        error = await start(f"https://localhost:{port}", ca_bundle=authority.pem)
    assert error is not None
    assert error.outcome is Outcome.NOT_SENT
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)


async def test_connections_are_kept_and_bounded() -> None:
    connections: set[object] = set()
    most = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        connections.add(writer)
        most = max(most, len(connections))
        try:
            while True:
                await take(reader)
                writer.write(http(b'{"absolute": {}}'))
                await writer.drain()
        finally:
            connections.discard(writer)

    async with listening(behave) as port, client(f"http://127.0.0.1:{port}") as opened:
        await asyncio.gather(*(opened.limits.get() for _ in range(20)))
        for _ in range(5):
            await opened.limits.get()
        assert 1 <= most <= 20


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with listening(says(http(JOB))) as port:
        assert await start(f"http://127.0.0.1:{port}") is None
