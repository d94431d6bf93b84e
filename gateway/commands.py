"""Commands in workspaces: the passage of a tunnel that leads to the runner.

The gateway decides who may, holds one of the user's places, and writes down who and where. What is
run is neither logged nor kept: it may hold secrets. What the client and the command say to each
other is not read here; the runner holds the limits of that (length of a message, silence).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qsl, urlencode

from gateway.errors import BadRequestError, InvalidInputError, RunnerUnavailableError
from gateway.guards import Command
from gateway.head import RequestHead
from gateway.places import Places
from gateway.proxy.handshake import Handshake
from gateway.proxy.headers import Pairs
from gateway.proxy.seams import Answer
from gateway.proxy.splice import End
from gateway.proxy.upstream import Upstreams
from gateway.proxy.wire import upgrade_request
from gateway.runner import RunnerClient, said
from gateway.store import AuditEvent
from gateway.trail import Trail
from telemetry.logs import get_logger

SUBPROTOCOL: Final = "codehub.exec.v1"
"""The same as the runner's, which a test compares: its room is not imported here."""

OPTIONS: Final = frozenset({"command", "stdin", "tty", "cols", "rows"})

_BAD_REQUEST: Final = 400
_KEPT: Final = (b"sec-websocket-key", b"sec-websocket-version")

_log = get_logger(__name__)


class CommandPassage:
    """To the runner's exec, for one workspace; see `Passage`."""

    def __init__(
        self,
        command: Command,
        *,
        runner: RunnerClient,
        upstreams: Upstreams,
        places: Places,
        trail: Trail,
    ) -> None:
        self.route = command.route
        self.visitor = command.visitor
        self._query = command.query
        self._runner = runner
        self._upstreams = upstreams
        self._places = places
        self._trail = trail
        self._asked = ("", "")

    @contextmanager
    def held(self, cut: Callable[[], None]) -> Iterator[None]:
        """Hold a place; end when the workspace changes hands or goes.

        Raises:
            ThrottledError: The user has none left.
        """
        way = self._upstreams.to(self.route)
        with self._places.taken(self.visitor.name):
            way.closers.add(cut)
            try:
                yield
            finally:
                way.closers.discard(cut)

    def request(self, head: RequestHead, *, client: str, origin: str, request_id: str) -> bytes:  # noqa: ARG002
        """Write the runner's head from what the client asks for, and nothing else of it.

        Raises:
            BadRequestError: It speaks another subprotocol.
            InvalidInputError: The query is not one of ours.
        """
        self._asked = (client, request_id)
        if SUBPROTOCOL.encode() not in _offered(head):
            raise BadRequestError(f"The WebSocket's subprotocol must be {SUBPROTOCOL}.")
        target = f"/v1/workspaces/{self.route.id}/exec?{urlencode(_options(self._query))}"
        headers = [
            (b"host", b"runner"),
            *((name, value) for name in _KEPT for value in head.values(name)),
            (b"sec-websocket-protocol", SUBPROTOCOL.encode()),
            (b"x-request-id", request_id.encode()),
        ]
        return upgrade_request(target.encode("ascii"), headers)

    async def connect(self, end: End) -> None:
        """Connect to the runner, and write down who runs something where."""
        address, request_id = self._asked
        await self._trail.add(
            AuditEvent.EXEC,
            user=self.visitor.name,
            workspace=self.route.id,
            address=address,
            request_id=request_id,
        )
        _log.info(
            "exec_asked",
            workspace=self.route.id,
            user=self.visitor.name,
            request_id=request_id,
        )
        await self._runner.connect(end)

    def opened(self, handshake: Handshake, *, origin: str) -> Pairs:  # noqa: ARG002
        """Give what belongs to the handshake: what the runner is does not concern the client."""
        accept = [pair for pair in handshake.headers if pair[0] == b"sec-websocket-accept"]
        return [*accept, (b"sec-websocket-protocol", SUBPROTOCOL.encode())]

    def refused(self, handshake: Handshake, *, origin: str) -> Answer:  # noqa: ARG002
        """Turn the runner's refusal into ours.

        Raises:
            InvalidInputError: The question makes no sense to it.
            RunnerUnavailableError: Something else.
        """
        if handshake.status == _BAD_REQUEST:
            raise InvalidInputError(said(handshake.body))
        _log.warning("runner_refused", status=handshake.status, path="exec")
        raise RunnerUnavailableError("The runner could not run the command.")


def _offered(head: RequestHead) -> set[bytes]:
    values = head.values(b"sec-websocket-protocol")
    return {name.strip() for value in values for name in value.split(b",")}


def _options(query: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise InvalidInputError("The query must be UTF-8.") from None
    for name, _ in pairs:
        if name not in OPTIONS:
            raise InvalidInputError("There is no such option.", details={"option": name[:64]})
    if not any(name == "command" for name, _ in pairs):
        raise InvalidInputError("A command is wanted: ?command=ls&command=-l")
    return pairs
