"""HTTP to a workspace and back, over real sockets."""

from pathlib import Path

from tests.gateway.proxy.support import gateway, recorder


async def test_a_request_gets_through_and_back(run: Path) -> None:
    async with recorder(run) as workspace, gateway(run) as hub:
        reply = await hub.ask(hub.get("/w/demo/a/b?c=d"))
        assert (reply.status, reply.body) == (200, b"ok")
        assert workspace.all.startswith(b"GET /a/b?c=d HTTP/1.1\r\n")
