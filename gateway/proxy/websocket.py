"""Carries WebSockets without reading them: once both sides agreed, bytes are bytes.

They lead to workspaces, and for an exec to the runner (`gateway.proxy.passage` tells these apart).
The server hands over the raw connection at the upgrade. The same decision is asked as for HTTP; the
other end is asked for the upgrade with a head that we write; only its correct 101 opens the tunnel,
and until then the client is not read from. From then on no frame is parsed: no size limit, no
compression, no pings. Idle tunnels live for ever; the end of the session, of the way to the
other end or of the server closes them.
"""

import asyncio
import socket
from contextlib import ExitStack
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.errors import RequestError, UpstreamTimeoutError, UpstreamUnavailableError
from gateway.guards import Refuse
from gateway.head import RequestHead
from gateway.live import Ended
from gateway.proxy.context import ProxyContext, log_outcome
from gateway.proxy.handshake import SWITCHING, Handshake, HandshakeReader
from gateway.proxy.passage import Passage
from gateway.proxy.seams import Answer
from gateway.proxy.splice import LINGER, End, Splice
from gateway.proxy.wire import closing_answer, switching_protocols
from telemetry.logs import get_logger

_KEEPALIVE_IDLE: Final = 60

_log = get_logger(__name__)


class _FarEnd(End):
    """The other end; until the tunnel is open it reads the answer to the handshake."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = HandshakeReader(asyncio.get_running_loop().create_future())

    def data_received(self, data: bytes) -> None:
        if self.splice is not None:
            super().data_received(data)
            return
        self.reader.feed(data)
        if self.reader.result.done():
            self.pause()

    def eof_received(self) -> bool:
        self.reader.end()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reader.end()
        super().connection_lost(exc)


class Tunnel(End):
    """The client's end, made by the server for each upgrade; the whole tunnel hangs on it."""

    context: ClassVar[ProxyContext]
    linger: ClassVar[float] = LINGER

    def __init__(
        self,
        config: Config,  # noqa: ARG002 - the server's own signature
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__()
        self._server: Any = server_state
        self._opening: asyncio.Task[None] | None = None
        self._far: _FarEnd | None = None
        self._held = ExitStack()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over; it is not read from until the tunnel is open."""
        super().connection_made(transport)
        self._server.connections.add(self)
        self.pause()

    def begin(self, head: RequestHead, rest: bytes) -> None:
        """Open the tunnel that a head asks for.

        Args:
            head: The client's request.
            rest: What the client sent after it.
        """
        self._opening = asyncio.get_running_loop().create_task(self._run(head, rest))
        self._server.tasks.add(self._opening)  # keeps the reference; the server waits for these
        self._opening.add_done_callback(self._server.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end after what has been written to it."""
        self._server.connections.discard(self)
        if self._opening is not None:
            self._opening.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close, because the server stops; what was written still goes out for a while."""
        if self.splice is None:
            self.cut()
            return
        self.splice.linger()
        self.close()

    def cut(self) -> None:
        """Close both ends at once."""
        self.abort()
        if self._far is not None:
            self._far.abort()

    async def _run(self, head: RequestHead, rest: bytes) -> None:
        request_id = self.context.new_id()
        try:
            passage = await self.context.passage(head, request_id=request_id)
            if isinstance(passage, Answer):
                self._close_with(passage)
                return
            try:
                await self._open(passage, head, rest, request_id)
            except RequestError as error:
                log_outcome(
                    "workspace_tunnel_failed",
                    forward=passage,
                    head=head,
                    request_id=request_id,
                    status=error.status,
                    reason=error.details.get("reason"),
                )
                refuse = Refuse(error, page=False)
                self._close_with(self.context.answer(refuse, head=head, request_id=request_id))
        except Exception:  # a bug must not leave the connection open
            self.cut()
            raise
        finally:
            if self.splice is None:
                self._held.close()

    async def _open(
        self, passage: Passage, head: RequestHead, rest: bytes, request_id: str
    ) -> None:
        self._held.enter_context(passage.held(self.cut))
        session = passage.visitor.session
        self._held.enter_context(self.context.live.held(session, self._session_over))
        origin = self.context.origin(head)
        request = passage.request(
            head, client=self._client(head), origin=origin, request_id=request_id
        )
        handshake = await self._ask(passage, request)
        assert self._far is not None  # _ask has made it
        if handshake.status != SWITCHING:
            self._far.abort()
            self._close_with(passage.refused(handshake, origin=origin))
            return
        if not handshake.opens(head.values(b"sec-websocket-key")[0]):
            self._far.abort()
            raise UpstreamUnavailableError(details={"reason": "wrong answer to the handshake"})
        headers = passage.opened(handshake, origin=origin)
        self._join(switching_protocols(headers) + handshake.rest, rest)

    def _join(self, to_client: bytes, to_workspace_end: bytes) -> None:
        assert self._far is not None
        self._notice_dead_clients()
        self.write(to_client)
        self._far.write(to_workspace_end)
        splice = Splice(self, self._far, closed=self._held.close, linger=self.linger)
        if self._far.at_end:
            splice.half_closed(self._far)  # it ended with its answer

    async def _ask(self, passage: Passage, request: bytes) -> Handshake:
        end = self._far = _FarEnd()
        try:
            async with asyncio.timeout(self.context.timeout):
                await passage.connect(end)
                end.write(request)
                return await end.reader.result
        except TimeoutError:
            end.abort()
            raise UpstreamTimeoutError from None
        except BaseException:
            end.abort()
            raise

    def _client(self, head: RequestHead) -> str:
        assert self.transport is not None
        peer = self.transport.get_extra_info("peername")
        return self.context.client(peer[0] if peer else "", head)

    def _close_with(self, answer: Answer) -> None:
        self.write(closing_answer(answer))
        self.close()

    def _notice_dead_clients(self) -> None:
        """Let the kernel ask after clients: an idle tunnel would never notice that one is gone."""
        assert self.transport is not None
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE)

    def _session_over(self, reason: Ended) -> None:
        _log.info("workspace_tunnel_cut", by=str(reason))
        self.cut()
