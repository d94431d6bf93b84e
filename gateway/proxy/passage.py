"""Where a tunnel leads, and what is said at its door: one way for each kind of decision.

A tunnel (`gateway.proxy.websocket`) asks a passage to connect, for the head to send, and for the
head to answer with; everything else about it is the same wherever it leads.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from gateway.guards import Forward
from gateway.head import RequestHead
from gateway.proxy.handshake import SWITCHING, Handshake
from gateway.proxy.headers import Pairs, to_browser, to_workspace
from gateway.proxy.seams import Answer, Visitor
from gateway.proxy.sockets import connect
from gateway.proxy.splice import End
from gateway.proxy.upstream import Upstreams
from gateway.proxy.wire import upgrade_request
from gateway.routing import Route


class Passage(Protocol):
    """One way, decided on, for one tunnel."""

    route: Route
    visitor: Visitor

    def held(self, cut: Callable[[], None]) -> AbstractContextManager[None]:
        """Hold what the tunnel needs while it lasts; `cut` closes it from outside.

        Raises:
            RequestError: There is no place for it.
        """

    async def connect(self, end: End) -> None:
        """Connect an end to where it leads.

        Raises:
            RequestError: Nobody is there.
        """

    def request(self, head: RequestHead, *, client: str, origin: str, request_id: str) -> bytes:
        """Give the head that asks for the WebSocket.

        Raises:
            RequestError: The client's makes no sense there.
        """

    def opened(self, handshake: Handshake, *, origin: str) -> Pairs:
        """Give the headers for the client, of an answer that opens the tunnel."""

    def refused(self, handshake: Handshake, *, origin: str) -> Answer:
        """Give the answer for the client, when there is none that does.

        Raises:
            RequestError: What the client is told instead.
        """


class WorkspacePassage:
    """To a workspace's own socket."""

    def __init__(self, forward: Forward, upstreams: Upstreams) -> None:
        self.route = forward.route
        self.visitor = forward.visitor
        self._target = forward.target
        self._upstreams = upstreams

    @contextmanager
    def held(self, cut: Callable[[], None]) -> Iterator[None]:
        """End with the way to the workspace; see `Passage`."""
        way = self._upstreams.to(self.route)
        way.closers.add(cut)
        try:
            yield
        finally:
            way.closers.discard(cut)

    async def connect(self, end: End) -> None:
        """Connect to the workspace; see `Passage`."""
        route = self.route
        sock = await connect(self._upstreams.run, route.upstream, workspace=route.id)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: end, sock=sock)
        except BaseException:
            sock.close()
            raise

    def request(self, head: RequestHead, *, client: str, origin: str, request_id: str) -> bytes:
        """Give the client's head, changed as for every request; see `Passage`."""
        headers = to_workspace(
            head.headers,
            host=head.values(b"host")[0],
            scheme=origin.partition(":")[0],
            client=client,
            request_id=request_id,
        )
        return upgrade_request(self._target, headers)

    def opened(self, handshake: Handshake, *, origin: str) -> Pairs:
        """Give the workspace's headers, changed as for every answer."""
        return self._headers(handshake, SWITCHING, origin)

    def refused(self, handshake: Handshake, *, origin: str) -> Answer:
        """Give the workspace's own refusal."""
        headers = self._headers(handshake, handshake.status, origin)
        kept = [pair for pair in headers if pair[0] != b"content-length"]
        return Answer(handshake.status, kept, handshake.body)

    def _headers(self, handshake: Handshake, status: int, origin: str) -> Pairs:
        return to_browser(handshake.headers, workspace=self.route.id, status=status, origin=origin)
