"""Carries an HTTP request that was let through to its workspace, and the answer back.

Both bodies are streamed, each as fast as its reader takes it. A client that goes away cancels the
request to the workspace; a session that ends cuts it off. Trailers are dropped.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from gateway.errors import RequestError, UpstreamTimeoutError
from gateway.guards import Forward, Refuse, is_navigation
from gateway.head import RequestHead
from gateway.live import Ended
from gateway.proxy.context import ProxyContext, log_outcome
from gateway.proxy.headers import to_browser, to_workspace
from gateway.proxy.seams import Answer
from gateway.proxy.upstream import UpstreamResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Connection(Protocol):
    """What is needed of the client's connection beyond ASGI."""

    def watch(self, lost: Callable[[], None] | None) -> None:
        """Call `lost` once when the connection is gone; None: no longer."""
        ...

    def drop(self, *, flush: bool) -> None:
        """Close the connection in the middle of an answer, so that nobody takes it for whole."""
        ...


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        context: ProxyContext,
        forward: Forward,
        *,
        head: RequestHead,
        peer: str,
        request_id: str,
        connection: Connection,
        receive: Receive,
        send: Send,
    ) -> None:
        self._context = context
        self._forward = forward
        self._head = head
        self._peer = peer
        self._request_id = request_id
        self._connection = connection
        self._receive = receive
        self._send = send
        self._task: asyncio.Task[None] | None = None
        self._cut_by: str | None = None
        self._started = False
        self._deadline: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Carry the request; returns when the answer, or an error in its place, is sent."""
        self._task = asyncio.current_task()
        session = self._forward.visitor.session
        self._connection.watch(self._client_gone)
        self._context.live.add(session, self._session_over)
        try:
            await self._run()
        except asyncio.CancelledError:
            if self._cut_by is None:
                raise
            self._log("workspace_request_cut", status=499, by=self._cut_by)
        finally:
            self._context.live.discard(session, self._session_over)
            self._connection.watch(None)

    async def _run(self) -> None:
        try:
            response = await self._ask()
            try:
                await self._pass_on(response)
            finally:
                response.close()
        except RequestError as error:
            await self._failed(error)

    async def _ask(self) -> UpstreamResponse:
        way = self._context.upstreams.to(self._forward.route)
        try:
            async with asyncio.timeout(self._context.timeout) as self._deadline:
                body = self._body() if self._head.has_body else None
                return await way.request(
                    self._head.method, self._forward.target, self._headers(), body
                )
        except TimeoutError:
            raise UpstreamTimeoutError from None
        finally:
            self._deadline = None

    def _headers(self) -> list[tuple[bytes, bytes]]:
        scheme, _, _ = self._context.origin(self._head).partition(":")
        return to_workspace(
            self._head.headers,
            host=self._head.values(b"host")[0],
            scheme=scheme,
            client=self._context.client(self._peer, self._head),
            request_id=self._request_id,
        )

    async def _body(self) -> AsyncGenerator[bytes, None]:
        """Iterate over the request's body; the client runs this in a task of its own."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                # Not a plain end: the workspace must not take half a body for the whole.
                raise ConnectionResetError("The client went away.")
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]
                self._move_deadline()

    def _move_deadline(self) -> None:
        """The workspace took a piece of the body: it lives."""
        if self._deadline is not None and not self._deadline.expired():
            now = asyncio.get_running_loop().time()
            self._deadline.reschedule(now + self._context.timeout)

    async def _pass_on(self, response: UpstreamResponse) -> None:
        headers = to_browser(
            response.headers,
            workspace=self._forward.route.id,
            status=response.status,
            origin=self._context.origin(self._head),
        )
        self._started = True
        await self._send(
            {"type": "http.response.start", "status": response.status, "headers": headers}
        )
        last = False
        while not last:
            chunk, last = await response.read()
            await self._send({"type": "http.response.body", "body": chunk, "more_body": not last})

    async def _failed(self, error: RequestError) -> None:
        self._log(
            "workspace_request_failed",
            status=error.status,
            code=error.code,
            reason=error.details.get("reason"),
            answer_begun=self._started,
        )
        if self._started:
            self._connection.drop(flush=True)
            return
        error.details["workspace"] = self._forward.route.id  # the page leads to its state
        refuse = Refuse(error, page=is_navigation(self._head), visitor=self._forward.visitor)
        answer = self._context.answer(refuse, head=self._head, request_id=self._request_id)
        await send_answer(answer, self._send)

    def _client_gone(self) -> None:
        self._cut("client")

    def _session_over(self, reason: Ended) -> None:
        self._connection.watch(None)
        self._connection.drop(flush=False)
        self._cut(str(reason))

    def _cut(self, by: str) -> None:
        assert self._task is not None  # run() has begun, or nobody could call this
        self._cut_by = by
        self._task.cancel()

    def _log(self, event: str, **details: object) -> None:
        log_outcome(
            event,
            forward=self._forward,
            head=self._head,
            request_id=self._request_id,
            **details,
        )


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer of our own."""
    length = (b"content-length", str(len(answer.body)).encode("ascii"))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*answer.headers, length],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
