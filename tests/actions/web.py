"""Web servers on the loopback that do whatever a test says, over TLS too."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Arrived:
    """A request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Talk(BaseHTTPRequestHandler):
    """One request to be answered; `seen` is what arrived."""

    protocol_version = "HTTP/1.1"
    seen: Arrived

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.seen = Arrived(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
        self.server.arrived.append(self.seen)
        self.server.answer(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one

    def reply(self, status: int = 200, value: object = None, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        own = {"content-type": "application/json", "content-length": str(len(body))}
        self.start(status, **{**own, **{name.replace("_", "-"): text for name, text in headers.items()}})
        if self.command != "HEAD":
            self.wfile.write(body)

    def start(self, status: int = 200, **headers: str) -> None:
        """Send the head of an answer alone."""
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.flush()

    def reset(self) -> None:
        """Hang up as a crashed process does."""
        self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: close sends RST
        self.close_connection = True
        self.connection.close()


class Web(ThreadingHTTPServer):
    """A server that answers as told and keeps what arrived."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Talk], None], certificate: Path | None) -> None:
        self.answer = answer
        self.arrived: list[Arrived] = []
        self.closing = threading.Event()
        self._scheme = "https" if certificate else "http"
        super().__init__(("127.0.0.1", 0), Talk)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is what some tests are about."""

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"


@contextmanager
def web(answer: Callable[[Talk], None], certificate: Path | None = None) -> Iterator[Web]:
    """Serve until the block is left."""
    with Web(answer, certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def write_certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority and a certificate for 127.0.0.1 that it signed; gives the files of both."""
    own_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Authority", own_key, "Authority", own_key, is_authority=True)
    certificate = _certificate("127.0.0.1", key, "Authority", own_key, is_authority=False)
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "authority.pem", folder / "server.pem"


def _certificate(name: str, key, issuer: str, issuer_key, *, is_authority: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(address, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
