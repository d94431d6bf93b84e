"""Real servers of git for tests: `git http-backend` behind a loopback HTTP server, and a cable to cut."""

import base64
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PIECE = 16 * 1024


@dataclass
class Served:
    """What a server serves, and how it behaves; a test may change it at any time.

    Attributes:
        root: Folder of the repositories.
        port: Where it listens.
        wanted: The header without which nobody gets in; "" lets anyone in.
        redirect: Where it sends everyone instead.
        down: Whether it breaks every connection off.
        asked: How often a fetch began.
    """

    root: Path
    port: int = 0
    wanted: str = ""
    redirect: str = ""
    down: bool = False
    asked: int = 0
    headers: list[str] = field(default_factory=list)

    def url(self, name: str, *, port: int = 0) -> str:
        return f"http://127.0.0.1:{port or self.port}/{name}"


def basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


@contextmanager
def http(root: Path, *, port: int = 0, wanted: str = "") -> Iterator[Served]:
    """Serve the repositories of a folder."""
    served = Served(root=root, wanted=wanted)

    class Handler(_Handler):
        told = served

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    told: Served

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _serve(self) -> None:
        given = self.headers.get("Authorization", "")
        self.told.headers.append(given)
        if self.told.down:
            return
        if self.told.redirect:
            self.send_response(302)
            self.send_header("Location", self.told.redirect + self.path)
            self.end_headers()
        elif self.told.wanted and given != self.told.wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            self.wfile.write(f"you sent {given}".encode())
        else:
            self._run()

    def _run(self) -> None:
        asked = urlsplit(self.path)
        if asked.path.endswith("/info/refs"):
            self.told.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env=self._cgi(asked.path, asked.query, len(body)),
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(content)

    def _cgi(self, path: str, query: str, length: int) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.told.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }


@dataclass
class Cable:
    """A relay whose connections end after so many bytes from the server; None: never."""

    port: int = 0
    cut_after: int | None = None
    passed: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    stalls: bool = False
    """Whether it stops there without a word, instead of closing."""


@contextmanager
def cable(to: int) -> Iterator[Cable]:
    """Relay connections to a port."""
    told, ended = Cable(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told.port = listener.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(listener, to, told, ended))
        thread.start()
        try:
            yield told
        finally:
            ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, to: int, told: Cable, ended: threading.Event) -> None:
    threads = []
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", to))
            threads += [
                threading.Thread(target=_copy, args=(client, server, None, ended)),
                threading.Thread(target=_copy, args=(server, client, told, ended)),
            ]
            for thread in threads[-2:]:
                thread.start()
    for thread in threads:
        thread.join()


def _copy(
    source: socket.socket, to: socket.socket, told: Cable | None, ended: threading.Event
) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            if told is not None and told.cut_after is not None:
                room = max(0, told.cut_after - told.passed)
                told.passed += len(piece)
                if len(piece) > room:
                    to.sendall(piece[:room])
                    told.stalled.set()
                    if told.stalls:
                        ended.wait(60)
                    break
            to.sendall(piece)
    for one in (source, to):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        if told is not None:
            one.close()
