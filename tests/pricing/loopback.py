"""An https server on the loopback that misbehaves as told, and a fetcher that may reach it and nothing else private."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pricing.addresses import Address, is_public, resolve
from pricing.fetching import Fetcher, Limits

LOOPBACK = "127.0.0.1"
LIMITS = Limits(connect=1, read=0.4, total=0.8, body=200_000, redirects=3)
"""Small enough that a test of waiting takes less than a second."""

Respond = Callable[["Exchange"], None]


def allow_loopback(address: Address) -> bool:
    """What a test's fetcher may reach: its own server, as if that were the public internet, and what is public."""
    return address == ip_address(LOOPBACK) or is_public(address)


def resolve_to_loopback(host: str, port: int) -> Sequence[str]:
    """Names of tests are on the loopback; an address written out, in any spelling, is what it is."""
    return [LOOPBACK] if host.endswith(".test") else resolve(host, port)


def make_fetcher(**changes: Any) -> Fetcher:
    known: dict[str, Any] = {
        "limits": LIMITS, "certificates": str(certificate()), "resolve": resolve_to_loopback, "allow": allow_loopback,
    }  # fmt: skip
    return Fetcher(**known | changes)


@cache
def certificate(*hosts: str) -> Path:
    """A certificate and its key in one file, signed by itself; a fetcher trusts it where it is told to."""
    hosts = hosts or ("prices.test", "good.test", "elsewhere.test")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [*map(x509.DNSName, hosts), x509.IPAddress(ip_address(LOOPBACK))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = Path(mkdtemp(prefix="ratecard-test-")) / "certificate.pem"
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, kind, plain)
    )
    return path


@dataclass
class Exchange:
    """One request and the raw socket its answer goes to."""

    handler: BaseHTTPRequestHandler
    stop: threading.Event

    @property
    def path(self) -> str:
        return self.handler.path

    @property
    def headers(self) -> Any:
        return self.handler.headers

    @property
    def body(self) -> bytes:
        """What was sent; to be read once."""
        return self.handler.rfile.read(int(self.headers.get("Content-Length") or 0))

    def raw(self, *parts: bytes) -> None:
        for part in parts:
            self.handler.wfile.write(part)
        self.handler.wfile.flush()

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """A whole answer; a header's underscores are hyphens, and one given as '' is left out."""
        known = {"Content_Length": str(len(body)), "Content_Type": "application/json"} | headers
        lines = [f"HTTP/1.1 {status} Said"] + [f"{name.replace('_', '-')}: {v}" for name, v in known.items() if v]
        self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", body)

    def drip(self, body: bytes, seconds: float) -> None:
        """Byte by byte, until the other side has gone or the test has ended."""
        for byte in body:
            if self.stop.wait(seconds):
                return
            self.raw(bytes([byte]))


@dataclass
class Server:
    """The running server: `requests` are the paths and headers it was asked with."""

    port: int
    respond: Respond
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    on_connect: Callable[[BaseHTTPRequestHandler], None] | None = None
    """What it does as a proxy that is asked to CONNECT."""

    def url(self, path: str = "/prices.json", host: str = "prices.test") -> str:
        return f"https://{host}:{self.port}{path}"


@contextmanager
def serving(respond: Respond, *, cert: Path | None = None, tls: bool = True) -> Iterator[Server]:
    """A server on a free port of the loopback whose every answer is `respond`'s; gone when the block ends."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.close_connection = True
            server.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            with suppress(OSError, ssl.SSLError):  # the client hung up, as it should
                server.respond(Exchange(self, stop))

        do_POST = do_GET

        def do_CONNECT(self) -> None:
            assert server.on_connect is not None
            server.on_connect(self)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with suppress(OSError, ssl.SSLError):
                if tls:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(cert or certificate())
                    request.settimeout(2)
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)
                if tls:
                    request.close()

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    listening = Quiet((LOOPBACK, 0), Handler)
    server = Server(listening.server_address[1], respond)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        listening.shutdown()
        listening.server_close()
        thread.join()
