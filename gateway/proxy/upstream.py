"""Sends requests to workspaces: one pool of connections for each way to one.

A way is a workspace, its owner and its address; when one of these changes, everything that was
connected by the former is closed. The only importer of the HTTP client, whose errors end here.
It does not decide who may send, and passes on what it is given byte for byte.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace
from multidict import CIMultiDict
from yarl import URL

from gateway.errors import (
    BadRequestError,
    RequestError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.proxy.headers import acceptable
from gateway.proxy.sockets import connect
from gateway.routing import Route

CONNECTIONS: Final = 100
"""Requests under way to one workspace; more wait."""

_IDLE: Final = 4.0  # seconds; Node closes idle connections after 5, and must not be first
_HEAD_LIMIT: Final = 64 * 1024
_HEADERS_LIMIT: Final = 256
_BUFFER: Final = 64 * 1024
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)
_STATUSES: Final = range(200, 600)


class UpstreamResponse:
    """A workspace's answer, of which the head has come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.raw_headers

    async def chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Iterate over the body as it comes, each piece with whether it is the last.

        Raises:
            UpstreamUnavailableError: The workspace broke off.
        """
        content = self._response.content
        last = False
        while not last:
            try:
                chunk = await content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise translated(error) from error
            last = content.at_eof()
            yield chunk, last

    def close(self) -> None:
        """Give the connection back to the pool, or close it when there is more to come."""
        self._response.close()


class Upstream:
    """One way to one workspace.

    Attributes:
        closers: What else to close when the way ends: tunnels.
    """

    def __init__(self, run: Path, route: Route) -> None:
        self.closers: set[Callable[[], None]] = set()
        self._session = aiohttp.ClientSession(
            connector=_Connector(run, route),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            timeout=_NO_TIMEOUT,
            read_bufsize=_BUFFER,
            max_line_size=_HEAD_LIMIT,
            max_field_size=_HEAD_LIMIT,
            max_headers=_HEADERS_LIMIT,
            requote_redirect_url=False,
        )

    @property
    def busy(self) -> int:
        """How many connections are in use by requests."""
        connector = self._session.connector
        return 0 if connector is None else len(connector._acquired)  # noqa: SLF001 - no public count

    async def request(
        self,
        method: str,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: AsyncIterator[bytes] | None,
    ) -> UpstreamResponse:
        """Send a request; returns when the answer's head has come.

        Args:
            method: In upper case.
            target: Path and query, sent byte for byte.
            headers: Exactly those to send, without framing other than Content-Length.
            body: Read as fast as the workspace takes it; None when there is none.

        Raises:
            BadRequestError: A header value is not UTF-8.
            UpstreamUnavailableError: The workspace can't be reached, broke off or talks nonsense.
        """
        url = URL("http://workspace" + target.decode("ascii"), encoded=True)
        try:
            fields = CIMultiDict((name.decode(), value.decode()) for name, value in headers)
        except UnicodeDecodeError:
            raise BadRequestError("A header value is not UTF-8.") from None
        try:
            response = await self._session.request(
                method, url, headers=fields, data=body, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise translated(error) from error
        if response.status not in _STATUSES or not acceptable(response.raw_headers):
            response.close()
            raise UpstreamUnavailableError(details={"reason": "malformed answer"})
        return UpstreamResponse(response)

    async def close(self) -> None:
        """Close every connection, also those in use."""
        for closer in list(self.closers):
            closer()
        await self._session.close()


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


class _Connector(aiohttp.BaseConnector):
    """Connects through `sockets.connect`, whatever the URL says."""

    def __init__(self, run: Path, route: Route) -> None:
        super().__init__(limit=CONNECTIONS, keepalive_timeout=_IDLE)
        self._run = run
        self._route = route

    async def _create_connection(
        self,
        req: ClientRequest,  # noqa: ARG002 - the client's own signature
        traces: list[Trace],  # noqa: ARG002
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002, ASYNC109
    ) -> ResponseHandler:
        sock = await connect(self._run, self._route.upstream, workspace=self._route.id)
        try:
            _, protocol = await self._loop.create_unix_connection(self._factory, sock=sock)
        except BaseException:
            sock.close()
            raise
        return protocol


def translated(error: Exception) -> RequestError:
    """Return our error for the HTTP client's."""
    if isinstance(error, TimeoutError):
        return UpstreamTimeoutError()
    return UpstreamUnavailableError(details={"reason": type(error).__name__})
