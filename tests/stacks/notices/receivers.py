"""Real receivers on this machine: an HTTP server and a mail server, with a certificate of the tests'."""

import asyncio
import json
import logging
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "canary-smtp-3f1c"


@dataclass(frozen=True)
class Request:
    """What an HTTP server was sent."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content)
        return found


@dataclass
class Posted:
    """An HTTP server that keeps what it was sent, and answers as a test says."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b"ok"
    writes: Callable[[Any], None] | None = None
    """Writes the whole answer by itself."""


@contextmanager
def http_server(*, certificate: Path | None = None) -> Iterator[Posted]:
    posted = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            posted.requests.append(Request(self.path, dict(self.headers), content))
            if posted.writes is not None:
                posted.writes(self)
                return
            self.send_response(posted.status)
            for name, value in posted.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(posted.text)))
            self.end_headers()
            self.wfile.write(posted.text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        server.socket = _tls(certificate).wrap_socket(server.socket, server_side=True)
        scheme = "https"
    posted.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> Path:
    """Make a certificate for loopback that is its own authority; key and certificate in one file."""
    made = folder / "certificate.pem"
    text = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=codehub test"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-keyout", "-", "-out", "-"),
        ],
        check=True,
        capture_output=True,
    ).stdout
    made.write_bytes(text)
    return made


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@dataclass
class Mailbox(MessageHandler):
    """A mail server that keeps mails."""

    port: int = 0
    mails: list[Any] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    """What it answers to DATA, or to an address, in place of taking it."""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.refuses.get("DATA") or await super().handle_DATA(server, session, envelope)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        # The server's own words: what a real one may say, password and all.
        wrong = f"535 5.7.8 no: {data.password.decode()}"
        success = data.password.decode() == PASSWORD
        return AuthResult(success=success, handled=False, message=None if success else wrong)


@contextmanager
def mail_server(
    *, certificate: Path | None = None, tls: str = "", login: bool = False
) -> Iterator[Mailbox]:
    """Serve mail on loopback.

    Args:
        certificate: For TLS.
        tls: "starttls", "tls" or "" for none.
        login: Whether a login is asked for.
    """
    # It logs what it says itself, passwords in it: not ours.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    box = Mailbox()
    context = _tls(certificate) if certificate else None
    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0, "ready_timeout": 30}
    if login:
        # Of TLS from the start the library's session does not know: it is told not to ask.
        options |= {"authenticator": box.authenticate, "auth_require_tls": tls == "starttls"}
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    controller = _Controller(box, ssl_context=context if tls == "tls" else None, **options)
    controller.start()
    try:
        box.port = controller.bound
        yield box
    finally:
        controller.stop()


class _Controller(Controller):
    """The library's, on a port that the system chooses."""

    bound = 0

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.bound = self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def rude_server(greeting: bytes) -> Iterator[int]:
    """Say one thing to whoever comes, and hang up; gives the port."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(greeting)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
