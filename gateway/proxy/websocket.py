"""Carries WebSockets to workspaces without reading them: once both sides agreed, bytes are bytes.

The server hands over the raw connection at the upgrade. The same decision is asked as for HTTP; the
workspace is asked for the upgrade with a head that we write; only its correct 101 opens the tunnel,
and until then the client is not read from. From then on no frame is parsed: no size limit, no
compression, no pings. Idle tunnels live for ever; the end of the session, of the way to the
workspace or of the server closes them.
"""

import asyncio
import socket
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.errors import RequestError, UpstreamTimeoutError, UpstreamUnavailableError
from gateway.guards import Decision, Forward, Refuse
from gateway.head import RequestHead
from gateway.live import Ended
from gateway.proxy.context import ProxyContext, log_outcome
from gateway.proxy.handshake import SWITCHING, Handshake, HandshakeReader
from gateway.proxy.headers import to_browser, to_workspace
from gateway.proxy.seams import Answer
from gateway.proxy.sockets import connect
from gateway.proxy.splice import LINGER, End, Splice
from gateway.proxy.upstream import Upstream
from gateway.proxy.wire import closing_answer, switching_protocols, upgrade_request
from telemetry.logs import get_logger

_KEEPALIVE_IDLE: Final = 60

_log = get_logger(__name__)


class _WorkspaceEnd(End):
    """The workspace's end; until the tunnel is open it reads the answer to the handshake."""

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
        self._workspace: _WorkspaceEnd | None = None
        self._held: tuple[str, Upstream] | None = None

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
        if self._workspace is not None:
            self._workspace.abort()

    async def _run(self, head: RequestHead, rest: bytes) -> None:
        request_id = self.context.new_id()
        try:
            decision = await self.context.decide(head)
            if not isinstance(decision, Forward):
                self._refuse(decision, head, request_id)
                return
            try:
                await self._open(decision, head, rest, request_id)
            except RequestError as error:
                log_outcome(
                    "workspace_tunnel_failed",
                    forward=decision,
                    head=head,
                    request_id=request_id,
                    status=error.status,
                    reason=error.details.get("reason"),
                )
                self._refuse(Refuse(error, page=False), head, request_id)
        except Exception:  # a bug must not leave the connection open
            self.cut()
            raise
        finally:
            if self.splice is None:
                self._release()

    async def _open(
        self, forward: Forward, head: RequestHead, rest: bytes, request_id: str
    ) -> None:
        self._hold(forward)
        handshake = await self._ask(forward, head, request_id)
        headers = to_browser(
            handshake.headers,
            workspace=forward.route.id,
            status=handshake.status,
            origin=self.context.origin(head),
        )
        assert self._workspace is not None  # _ask has made it
        if handshake.status != SWITCHING:
            self._workspace.abort()
            kept = [pair for pair in headers if pair[0] != b"content-length"]
            self._close_with(Answer(handshake.status, kept, handshake.body))
            return
        if not handshake.opens(head.values(b"sec-websocket-key")[0]):
            self._workspace.abort()
            raise UpstreamUnavailableError(details={"reason": "wrong answer to the handshake"})
        self._join(switching_protocols(headers) + handshake.rest, rest)

    def _join(self, to_client: bytes, to_workspace_end: bytes) -> None:
        assert self._workspace is not None
        self._notice_dead_clients()
        self.write(to_client)
        self._workspace.write(to_workspace_end)
        splice = Splice(self, self._workspace, closed=self._release, linger=self.linger)
        if self._workspace.at_end:
            splice.half_closed(self._workspace)  # it ended with its answer

    async def _ask(self, forward: Forward, head: RequestHead, request_id: str) -> Handshake:
        end = self._workspace = _WorkspaceEnd()
        try:
            async with asyncio.timeout(self.context.timeout):
                await self._connect(end, forward)
                end.write(self._request(forward, head, request_id))
                return await end.reader.result
        except TimeoutError:
            end.abort()
            raise UpstreamTimeoutError from None
        except BaseException:
            end.abort()
            raise

    async def _connect(self, end: End, forward: Forward) -> None:
        route = forward.route
        sock = await connect(self.context.upstreams.run, route.upstream, workspace=route.id)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: end, sock=sock)
        except BaseException:
            sock.close()
            raise

    def _request(self, forward: Forward, head: RequestHead, request_id: str) -> bytes:
        assert self.transport is not None
        peer = self.transport.get_extra_info("peername")
        headers = to_workspace(
            head.headers,
            host=head.values(b"host")[0],
            scheme=self.context.origin(head).partition(":")[0],
            client=self.context.client(peer[0] if peer else "", head),
            request_id=request_id,
        )
        return upgrade_request(forward.target, headers)

    def _refuse(self, decision: Decision, head: RequestHead, request_id: str) -> None:
        assert not isinstance(decision, Forward)
        self._close_with(self.context.answer(decision, head=head, request_id=request_id))

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

    def _hold(self, forward: Forward) -> None:
        way = self.context.upstreams.to(forward.route)
        self._held = (forward.visitor.session, way)
        self.context.live.add(forward.visitor.session, self._session_over)
        way.closers.add(self.cut)

    def _release(self) -> None:
        if self._held is not None:
            session, way = self._held
            self._held = None
            self.context.live.discard(session, self._session_over)
            way.closers.discard(self.cut)

    def _session_over(self, reason: Ended) -> None:
        _log.info("workspace_tunnel_cut", by=str(reason))
        self.cut()
