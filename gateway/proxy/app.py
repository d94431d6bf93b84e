"""The ASGI application for requests below `/w/`, and the server's protocols that it needs.

Whoever stands before it gives it requests by the raw path, before any framework. It needs
`server.HttpProtocol` below it: see `protocols`.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from gateway.guards import Forward
from gateway.proxy.context import ProxyContext
from gateway.proxy.http import Exchange, Receive, Send, send_answer
from gateway.proxy.server import HttpProtocol, incoming
from gateway.proxy.websocket import Tunnel


class WorkspaceProxy:
    """Serves what is below `/w/`."""

    def __init__(self, context: ProxyContext) -> None:
        """Make the application; it does nothing until it is asked."""
        self._context = context

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        came = incoming(scope)
        context = self._context
        request_id = scope.get("state", {}).get("request_id") or context.new_id()
        decision = await context.decide(came.head)
        if not isinstance(decision, Forward):
            await send_answer(context.answer(decision, head=came.head, request_id=request_id), send)
            return
        exchange = Exchange(
            context,
            decision,
            head=came.head,
            peer=scope["client"][0] if scope["client"] else "",
            request_id=request_id,
            connection=came.connection,
            receive=receive,
            send=send,
        )
        await exchange.run()


def protocols(context: ProxyContext) -> dict[str, type[asyncio.Protocol]]:
    """Return the keyword arguments `http` and `ws` for `uvicorn.Config`."""
    return {
        "http": HttpProtocol,
        "ws": type("BoundTunnel", (Tunnel,), {"context": context}),
    }
