"""Our own answers on the way to a workspace, through the real server."""

import asyncio
import json
from ipaddress import ip_network
from pathlib import Path

from gateway.errors import ThrottledError
from gateway.proxy.context import json_answer
from gateway.proxy.handshake import HandshakeReader
from state_index.phases import Phase
from tests.gateway.proxy.support import COOKIE, Running, gateway, recorder, route

NAVIGATE = b"Sec-Fetch-Mode: navigate\r\n"


def stranger(hub: Running, path: str, extra: bytes = b"") -> bytes:
    return hub.get(path, extra=extra).replace(COOKIE, b"")


async def test_strangers_are_sent_to_the_login_page(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        reply = await hub.ask(stranger(hub, "/w/demo/x?y", NAVIGATE))
        assert (reply.status, reply.get("location")) == (303, "/login?next=/w/demo/x%3Fy")
        assert reply.get("cache-control") == "no-store"
        reply = await hub.ask(stranger(hub, "/w/demo/x"))
        assert reply.status == 401
        assert json.loads(reply.body)["error"]["code"] == "UNAUTHENTICATED"
        assert workspace.received == []


async def test_missing_slash(run: Path) -> None:
    async with gateway(run) as hub:
        reply = await hub.ask(hub.get("/w/demo?a=%20&b"))
        assert (reply.status, reply.get("location")) == (308, "/w/demo/?a=%20&b")


async def test_pages_of_workspaces_that_do_not_run(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        for phase, status, page in (
            (Phase.STARTING, 503, b"page starting demo alice"),
            (Phase.WARM, 200, b"page stopped demo alice"),
            (Phase.ERROR, 503, b"page failed demo alice"),
        ):
            hub.context.routes.replace([route(phase=phase)], generation=2)
            reply = await hub.ask(hub.get(extra=NAVIGATE))
            assert (reply.status, reply.body) == (status, page)
            head = await hub.ask(hub.get(method="HEAD", extra=NAVIGATE))
            assert (head.status, head.body) == (status, b"")
            assert (await hub.ask(hub.get())).status == 424
            assert (await hub.ask(hub.upgrade())).status == 424
        assert workspace.received == []


async def test_store_that_does_not_answer(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        hub.sessions.broken = True
        assert (await hub.ask(hub.get())).status == 503
        reply = await hub.ask(hub.get(extra=NAVIGATE))
        assert (reply.status, reply.body) == (503, b"page UNAVAILABLE nobody")
        assert workspace.received == []


async def test_admins_and_others_do_not_get_in(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        reply = await hub.ask(hub.get().replace(b"alice-session", b"bob-session"))
        assert reply.status == 403
        assert workspace.received == []


async def test_address_of_the_client_behind_a_trusted_proxy(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        object.__setattr__(hub.context, "trusted", [ip_network("127.0.0.0/8")])
        forwarded = b"X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n"
        assert (await hub.ask(hub.get(extra=forwarded))).status == 200
        assert b"\r\nx-forwarded-for: 192.0.2.7\r\n" in workspace.all.lower()
        assert b"6.6.6.6" not in workspace.all


def test_headers_that_belong_to_an_error() -> None:
    answer = json_answer(ThrottledError(headers={"Retry-After": "3"}), "id")
    assert (b"retry-after", b"3") in answer.headers
    assert json.loads(answer.body)["error"]["request_id"] == "id"


async def test_answers_to_handshakes_in_any_pieces() -> None:
    """Whatever the pieces, the same is read, and nothing after the head is lost."""
    answer = (
        b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n"
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nREST"
    )
    loop = asyncio.get_running_loop()
    for cut in range(1, len(answer)):
        reader = HandshakeReader(loop.create_future())
        rest = b""
        for piece in (answer[:cut], answer[cut:]):
            if reader.result.done():
                rest = piece  # the tunnel is open by then
            else:
                reader.feed(piece)
        handshake = reader.result.result()
        assert handshake.status == 101
        assert dict(handshake.headers) == {b"connection": b"upgrade", b"upgrade": b"websocket"}
        assert handshake.rest + rest == b"REST"
        reader.end()
