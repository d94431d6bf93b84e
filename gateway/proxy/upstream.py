"""The ways to workspaces: one pool of connections for each.

A way is a workspace, its owner and its address; when one of these changes, everything that was
connected by the former is closed. It does not decide who may send, and sets no time limits.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from gateway.errors import UpstreamUnavailableError
from gateway.proxy.client import AnswerHead, Body, ClientConnection
from gateway.proxy.headers import Pairs
from gateway.proxy.sockets import connect
from gateway.routing import Route

CONNECTIONS: Final = 100
"""Requests under way to one workspace; more wait."""

IDLE: Final = 4.0
"""Seconds that an unused connection is kept: Node closes them after 5, and must not be first."""

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class UpstreamResponse:
    """A workspace's answer, of which the head has come.

    Attributes:
        status: From 200 to 599.
        headers: As they came; names and values are sound.
    """

    def __init__(
        self,
        head: AnswerHead,
        connection: ClientConnection,
        done: Callable[[ClientConnection], None],
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self._connection = connection
        self._done = done

    async def read(self) -> tuple[bytes, bool]:
        """Return what has come of the body, waiting for something, and whether it is the last.

        Raises:
            UpstreamUnavailableError: The workspace broke off.
        """
        return await self._connection.read()

    def close(self) -> None:
        """Give the connection back to the pool, or close it when there is more to come."""
        self._done(self._connection)


class Upstream:
    """One way to one workspace.

    Attributes:
        closers: What else to close when the way ends: tunnels.
        idle: Seconds that an unused connection is kept.
    """

    idle = IDLE

    def __init__(self, run: Path, route: Route) -> None:
        self.closers: set[Callable[[], None]] = set()
        self._run = run
        self._route = route
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._all: set[ClientConnection] = set()
        self._idle: list[tuple[ClientConnection, float]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._over = False

    @property
    def busy(self) -> int:
        """How many connections are in use by requests."""
        return len(self._all) - len(self._idle)

    async def request(
        self, method: str, target: bytes, headers: Pairs, body: Body | None
    ) -> UpstreamResponse:
        """Send a request; returns when the answer's head has come.

        A kept connection may turn out to be dead. Then, and only when nothing of an answer has
        come and sending again is safe, it is sent again on a new one.

        Args:
            method: In upper case.
            target: Path and query, sent byte for byte.
            headers: Exactly those to send; without a Content-Length a body is sent in chunks.
            body: Read as fast as the workspace takes it; None when there is none.

        Raises:
            UpstreamUnavailableError: The workspace can't be reached, broke off or talks nonsense.
        """
        await self._places.acquire()
        try:
            kept = self._kept()
            if kept is not None:
                try:
                    return await self._ask(kept, method, target, headers, body)
                except UpstreamUnavailableError:
                    if kept.touched or body is not None or method not in _IDEMPOTENT:
                        raise
            return await self._ask(await self._connect(), method, target, headers, body)
        except BaseException:
            self._places.release()
            raise

    async def close(self) -> None:
        """Close every connection, also those in use; what still waits for one gets none."""
        self._over = True
        for closer in list(self.closers):
            closer()
        for connection in list(self._all):
            connection.abort()
        self._stop_sweeper()

    async def _ask(
        self,
        connection: ClientConnection,
        method: str,
        target: bytes,
        headers: Pairs,
        body: Body | None,
    ) -> UpstreamResponse:
        try:
            head = await connection.ask(method, target, headers, body)
        except BaseException:
            connection.abort()
            raise
        return UpstreamResponse(head, connection, self._done)

    def _kept(self) -> ClientConnection | None:
        """Return an idle connection, the one used last."""
        oldest = asyncio.get_running_loop().time() - self.idle
        while self._idle:
            connection, since = self._idle.pop()
            if connection.usable and since > oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> ClientConnection:
        sock = await connect(self._run, self._route.upstream, workspace=self._route.id)
        connection = ClientConnection(self._gone)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: connection, sock=sock)
        except BaseException:
            sock.close()
            raise
        self._all.add(connection)
        if self._over:  # whoever waited for a place or for the socket is not let through any more
            connection.abort()
            raise UpstreamUnavailableError(details={"reason": "way ended"})
        return connection

    def _done(self, connection: ClientConnection) -> None:
        self._places.release()
        if not connection.usable:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        self._idle.append((connection, loop.time()))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self.idle, self._sweep)

    def _gone(self, connection: ClientConnection) -> None:
        self._all.discard(connection)
        self._idle = [kept for kept in self._idle if kept[0] is not connection]

    def _sweep(self) -> None:
        """Close what was not used for too long."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self.idle
        for connection, since in self._idle:
            if since <= oldest:
                connection.abort()
        self._idle = [kept for kept in self._idle if kept[1] > oldest]
        self._sweeper = loop.call_later(self.idle / 2, self._sweep) if self._idle else None

    def _stop_sweeper(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None


class Upstreams:
    """The ways to all workspaces that have been visited."""

    def __init__(self, run: Path) -> None:
        """Begin without connections.

        Args:
            run: The folder that holds the workspaces' run folders.
        """
        self.run = run
        self._ways: dict[tuple[str, str, str], Upstream] = {}

    def to(self, route: Route) -> Upstream:
        """Return the way that a route names."""
        key = (route.id, route.owner, route.upstream)
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = Upstream(self.run, route)
        return way

    async def end(self, routes: Iterable[Route]) -> None:
        """Close the ways that these routes named, with everything that uses them."""
        for route in routes:
            way = self._ways.pop((route.id, route.owner, route.upstream), None)
            if way is not None:
                await way.close()

    async def close(self) -> None:
        """Close all ways."""
        while self._ways:
            _, way = self._ways.popitem()
            await way.close()
