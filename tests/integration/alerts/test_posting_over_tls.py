"""A post in production goes to the address that was checked, and only to who proves to be the host."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from payflux.world import addresses, notify
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.running import free_port

HOST = "hooks.example.com"


def certificate(folder: Path, host: str, world: World) -> Path:
    """A certificate for `host` that signs itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), world.clock.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{host}.pem"
    path.write_bytes(pem)
    return path


@dataclass
class Endpoint:
    """A server that shows a certificate for `host`, and a client that trusts it."""

    http: httpx.AsyncClient
    port: int
    requests: list[bytes]


@pytest.fixture(params=[HOST, "somebody-else.example"])
async def endpoint(
    request: pytest.FixtureRequest, tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Endpoint]:
    path = certificate(tmp_path, request.param, world)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(path)
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=shown)

    async def look_up(_host: str) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with monkeypatch.context() as patch:
        # the machine plays the public internet
        patch.setattr(addresses, "is_public", lambda _address: True)
        patch.setattr(notify, "_look_up", look_up)
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(path))) as http:
            yield Endpoint(http, port, requests)
    server.close()
    await server.wait_closed()


async def test_the_host_has_to_prove_that_it_is_the_one_that_was_named(
    endpoint: Endpoint, world: World, request: pytest.FixtureRequest
) -> None:
    settings = with_settings(world, environment="production").settings
    posting = notify.post(settings, endpoint.http, f"https://{HOST}:{endpoint.port}/in", b"{}", {})
    if HOST in request.node.name:
        assert (await posting).status == 204
        assert f"Host: {HOST}:{endpoint.port}\r\n".encode() in endpoint.requests[0]
    else:
        with pytest.raises(notify.PostFailure):
            await posting
        assert endpoint.requests == []
