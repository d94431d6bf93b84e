"""The head of a request as it came in, and what makes one unacceptable. Pure.

Two parsers that read one request differently are how guards are walked around. So anything that
could be read in two ways is refused here, before anybody asks who sent it: for pages, API and
workspaces alike. Who may do what is decided in `guards`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.errors import BadRequestError, MisdirectedError, RequestError
from gateway.site import Site

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, with their values, in the order they came."""

PREFIX: Final = b"/w/"
"""Where workspaces are on this origin."""

LOGGED: Final = 256
"""Bytes of a path that a log line holds; whoever sends longer ones must not fill the disk."""

_NAMES: Final = re.compile(rb"[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*")
_TARGET: Final = re.compile(rb"/[!\"$-~]*")  # visible ASCII but '#', which no client sends
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ID: Final = re.compile(rb"[a-z0-9-]{1,63}")
_COMMAND: Final = re.compile(rb"/api/v1/workspaces/([a-z0-9-]{1,63})/exec(?:\?(.*))?")
_DISGUISED: Final = re.compile(
    rb"/+(?:(?:\.|%2e){1,2}/+)*(?:w|%77)(?:/|\\|%2f|%5c|$)", re.IGNORECASE
)
_AMBIGUOUS: Final = re.compile(rb"\\|%(?:2f|5c|00)", re.IGNORECASE)
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_METHODS_REFUSED: Final = frozenset({"CONNECT", "TRACE"})


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request without its body.

    Attributes:
        method: In upper case.
        target: The request target, byte for byte.
        headers: Names in lower case.
        version: `1.0` or `1.1`.
        upgrade: Whether the connection is to become a WebSocket.
    """

    method: str
    target: bytes
    headers: Headers
    version: str = "1.1"
    upgrade: bool = False

    def values(self, name: bytes) -> list[bytes]:
        """Return every value of a header, given its name in lower case."""
        return [value for key, value in self.headers if key == name]

    def texts(self, name: bytes) -> list[str]:
        """Return every value of a header as text; bytes beyond ASCII stay distinguishable."""
        return [value.decode("latin-1") for value in self.values(name)]

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        return any(
            key == b"transfer-encoding" or (key == b"content-length" and value.strip(b"0"))
            for key, value in self.headers
        )


class WorkspaceTarget(NamedTuple):
    """A request target below `/w/`.

    Attributes:
        id: The workspace's id, well-formed.
        rest: What the workspace gets as target, byte for byte; it begins with `/`, or is empty or
            a bare query when the slash after the id is missing.
    """

    id: str
    rest: bytes


class CommandTarget(NamedTuple):
    """A request target that asks to run a command in a workspace.

    Attributes:
        id: The workspace's id, well-formed.
        query: What follows the question mark.
    """

    id: str
    query: bytes


def loggable_path(target: bytes) -> str:
    """Return a target's path for a log line: without its query, which may hold secrets, and cut.

    As it came, percent signs and all, so that it can't write lines of its own.
    """
    path = target.partition(b"?")[0]
    text = path[:LOGGED].decode("latin-1")
    return text if len(path) <= LOGGED else f"{text}... ({len(path)} bytes)"


def workspace_target(target: bytes) -> WorkspaceTarget | None:
    """Take a request target apart.

    Returns:
        None when it is not below `/w/`.

    Raises:
        BadRequestError: The id is not one, the prefix is written in disguise, or a path elsewhere
            holds a slash that is none for everybody: the framework splits at escaped ones too.
    """
    if not target.startswith(PREFIX):
        path = target.partition(b"?")[0]
        if _AMBIGUOUS.search(path) or (_DISGUISED.match(target) and path != b"/w"):
            raise BadRequestError("The path is ambiguous.")
        return None
    path, mark, query = target[len(PREFIX) :].partition(b"?")
    name, slash, inner = path.partition(b"/")
    if not _ID.fullmatch(name):
        raise BadRequestError("This is not a workspace's id.")
    return WorkspaceTarget(name.decode("ascii"), slash + inner + mark + query)


def command_target(target: bytes) -> CommandTarget | None:
    """Take the target of an exec apart; None when it is another's."""
    found = _COMMAND.fullmatch(target)
    return None if found is None else CommandTarget(found[1].decode("ascii"), found[2] or b"")


def malformed(head: RequestHead, site: Site) -> RequestError | None:
    """Return why nobody may send this request, or None."""
    problem = _line_problem(head) or _header_problem(head) or _framing_problem(head)
    if problem is not None:
        return BadRequestError(problem)
    hosts = head.values(b"host")
    if len(hosts) != 1:
        return BadRequestError("A request needs exactly one Host.")
    if site.origin(hosts[0]) is None:
        return MisdirectedError()
    return None


def _line_problem(head: RequestHead) -> str | None:
    if head.method in _METHODS_REFUSED:
        return f"{head.method} is not supported."
    if head.version not in _VERSIONS:
        return "Only HTTP/1.1 and HTTP/1.0 are supported."
    if not _TARGET.fullmatch(head.target):
        return "The request target must be a path in visible ASCII."
    return None


def _header_problem(head: RequestHead) -> str | None:
    if head.headers and not _NAMES.fullmatch(b",".join([name for name, _ in head.headers])):
        return "Header names may hold letters, digits and hyphens only."
    if _CONTROL.search(b"".join([value for _, value in head.headers])):
        return "A header value holds a control character."
    return None


def _framing_problem(head: RequestHead) -> str | None:
    lengths = head.values(b"content-length")
    encodings = head.values(b"transfer-encoding")
    if len(lengths) + len(encodings) > 1:
        return "The length of the body is given more than once."
    if lengths and not lengths[0].isdigit():
        return "The Content-Length is not a number."
    if encodings and encodings[0].strip().lower() != b"chunked":
        return "Only the transfer encoding `chunked` is supported."
    if encodings and head.version == "1.0":
        return "HTTP/1.0 has no Transfer-Encoding."
    return _upgrade_problem(head, framed=bool(lengths or encodings)) if head.upgrade else None


def _upgrade_problem(head: RequestHead, *, framed: bool) -> str | None:
    if framed:
        return "A request to upgrade has no body."
    if head.method != "GET" or head.version != "1.1":
        return "A WebSocket begins with an HTTP/1.1 GET."
    if len(head.values(b"sec-websocket-key")) != 1:
        return "A WebSocket handshake needs exactly one Sec-WebSocket-Key."
    return None
