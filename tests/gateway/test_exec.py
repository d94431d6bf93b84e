"""Commands on their way through the gateway: who may, what the runner is asked, what ends them."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from gateway.commands import SUBPROTOCOL
from gateway.services import STREAMS
from gateway.store import AuditEvent
from stacks.streams import frames
from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, BOB, ROOT, Running, serving
from tests.waiting import until

EXEC = "/api/v1/workspaces/alice-a/exec?command=cat"
MIB = 1 << 20


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        running.publish("alice-a", Phase.RUNNING, upstream="unix:alice-a/ide.sock")
        await until(lambda: (running.services.routes.current() or {}).get("alice-a"))
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


def opening(hub: Running, client: httpx.AsyncClient, path: str = EXEC, **changes: Any) -> connect:
    """Open a WebSocket as a page of ours would."""
    options: dict[str, Any] = {
        "origin": Origin(hub.url),
        "subprotocols": [Subprotocol(SUBPROTOCOL)],
        "additional_headers": {
            "Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        },
        "max_size": None,
    }
    return connect(hub.url.replace("http", "ws") + path, **options | changes)


async def refusal(opened: connect) -> tuple[int, str]:
    """The status and code with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened:
            pass
    answer = refused.value.response
    error = json.loads(answer.body)["error"]
    assert error["request_id"]
    return answer.status_code, error["code"]


def test_both_ends_speak_the_same_subprotocol() -> None:
    assert SUBPROTOCOL == frames.SUBPROTOCOL


async def test_messages_go_through_unread_and_the_runner_is_asked_what_was_asked(
    hub: Running, runner: FakeRunner, logs: io.StringIO
) -> None:
    path = "/api/v1/workspaces/alice-a/exec?command=echo&command=%C3%BC+s3cret&tty=true&cols=80&rows=24"
    async with hub.visitor() as client, opening(hub, client, path) as socket:
        assert socket.subprotocol == SUBPROTOCOL
        for message in (b"", b"\x00abc", bytes(3 * MIB)):
            await socket.send(message)
            assert await socket.recv() == message
    assert runner.queries == [
        [
            ("command", "echo"),
            ("command", "ü s3cret"),
            ("tty", "true"),
            ("cols", "80"),
            ("rows", "24"),
        ]
    ]
    (head,) = runner.heads
    assert set(head) == {
        "host", "connection", "upgrade", "x-request-id",
        "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol",
    }  # fmt: skip
    (row,) = [row for row in hub.store.audit.latest() if row.event == AuditEvent.EXEC]
    assert (row.user, row.workspace, row.address, row.detail) == (
        "alice",
        "alice-a",
        "127.0.0.1",
        "",
    )
    assert row.request_id == head["x-request-id"]
    assert "exec_asked" in logs.getvalue()
    ours = [line for line in logs.getvalue().splitlines() if '"websockets.client"' not in line]
    assert not any("s3cret" in line for line in ours)


async def test_only_the_owner_may(hub: Running, runner: FakeRunner) -> None:
    async with hub.client() as nobody, hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        assert await refusal(opening(hub, nobody)) == (401, "UNAUTHENTICATED")
        for other in (bob, root):
            assert await refusal(opening(hub, other)) == (403, "FORBIDDEN")
        unknown = EXEC.replace("alice-a", "alice-z")
        assert await refusal(opening(hub, bob, unknown)) == (404, "NOT_FOUND")

    def refused() -> bool:
        rows = {(row.user, row.workspace, row.detail) for row in hub.store.audit.latest()}
        return {("bob", "alice-a", "FORBIDDEN"), ("root-admin", "alice-a", "FORBIDDEN")} <= rows

    await until(refused, "the audit log says who was refused")
    assert runner.queries == []


async def test_existence_is_hidden_where_it_is_wanted(tmp_path: Path) -> None:
    async with serving(tmp_path, hide_existence="true") as hub, hub.visitor(BOB) as bob:
        hub.publish("alice-a", Phase.RUNNING)
        await until(lambda: (hub.services.routes.current() or {}).get("alice-a"))
        assert await refusal(opening(hub, bob)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_other_pages_may_not(hub: Running, runner: FakeRunner, origin: str | None) -> None:
    async with hub.visitor() as client:
        foreign = Origin(origin) if origin else None
        assert await refusal(opening(hub, client, origin=foreign)) == (403, "ORIGIN_REFUSED")
    assert runner.queries == []


async def test_one_that_does_not_run_is_told_with_its_phase(
    hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-w", Phase.WARM)
    await until(lambda: (hub.services.routes.current() or {}).get("alice-w"))
    async with hub.visitor() as client:
        path = EXEC.replace("alice-a", "alice-w")
        assert await refusal(opening(hub, client, path)) == (424, "NOT_RUNNING")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/workspaces/alice-a/exec", "INVALID_INPUT"),
        ("/api/v1/workspaces/alice-a/exec?tty=true", "INVALID_INPUT"),
        (f"{EXEC}&user=root", "INVALID_INPUT"),
        (f"{EXEC}%ff", "INVALID_INPUT"),
    ],
)
async def test_senseless_questions_do_not_get_to_the_runner(
    hub: Running, runner: FakeRunner, path: str, code: str
) -> None:
    async with hub.visitor() as client:
        assert await refusal(opening(hub, client, path)) == (400, code)
        other = [Subprotocol("v5.channel.k8s.io")]
        assert await refusal(opening(hub, client, subprotocols=other)) == (400, "BAD_REQUEST")
    assert runner.queries == []


async def test_a_runner_that_refuses_or_is_not_there_is_told(
    hub: Running, runner: FakeRunner, logs: io.StringIO
) -> None:
    runner.status, runner.refusal = 400, "tty must be true or false"
    async with hub.visitor() as client:
        assert await refusal(opening(hub, client)) == (400, "INVALID_INPUT")
        runner.status = 503
        assert await refusal(opening(hub, client)) == (502, "RUNNER_UNAVAILABLE")
        hub.index.announce(RunnerInfo(address="unix:nobody.sock", pid=1, version="0.1"))
        assert await refusal(opening(hub, client)) == (502, "RUNNER_UNAVAILABLE")
        hub.index.announce(RunnerInfo(address="https://elsewhere", pid=1, version="0.1"))
        assert await refusal(opening(hub, client)) == (502, "RUNNER_UNAVAILABLE")
        # Each gave its place back.
        assert hub.services.streaming._taken["alice"] == 0
    assert "Traceback" not in logs.getvalue()


async def closed(socket: ClientConnection) -> None:
    with pytest.raises(ConnectionClosed):
        await socket.recv()


async def test_logging_out_ends_it(hub: Running, runner: FakeRunner) -> None:
    async with hub.visitor() as client, opening(hub, client) as socket:
        await socket.send(b"\x00here")
        assert await socket.recv() == b"\x00here"
        assert (await client.delete("/api/v1/session")).status_code == 204
        await closed(socket)
    await until(lambda: runner.under_way == 0)


async def test_a_disabled_account_ends_it(hub: Running, runner: FakeRunner) -> None:
    async with hub.visitor() as client, opening(hub, client) as socket:
        await socket.send(b"\x00here")
        await socket.recv()
        hub.store.users.disable("alice")
        await closed(socket)
    await until(lambda: runner.under_way == 0)


async def test_another_owner_ends_it(hub: Running, runner: FakeRunner) -> None:
    async with hub.visitor() as client, opening(hub, client) as socket:
        await socket.send(b"\x00here")
        await socket.recv()
        hub.publish("alice-a", Phase.RUNNING, owner="bob")
        await closed(socket)
    await until(lambda: runner.under_way == 0)


async def test_each_user_has_so_many_and_followed_logs_count(
    hub: Running, runner: FakeRunner
) -> None:
    runner.logs = b"line\n"
    async with AsyncExitStack() as opened:
        alice = await opened.enter_async_context(hub.visitor(ALICE))
        for _ in range(STREAMS):
            await opened.enter_async_context(opening(hub, alice))
        assert await refusal(opening(hub, alice)) == (429, "THROTTLED")
        followed = await alice.get("/api/v1/workspaces/alice-a/logs?follow=true")
        assert followed.status_code == 429
        assert (await alice.get("/api/v1/workspaces/alice-a/logs")).status_code == 200
    await until(lambda: runner.under_way == 0)


async def test_what_is_no_websocket_is_told_so(hub: Running) -> None:
    async with hub.visitor() as client, hub.visitor(BOB) as bob:
        answer = await client.get(EXEC)
        assert (answer.status_code, answer.json()["error"]["code"]) == (426, "UPGRADE_REQUIRED")
        assert answer.headers["upgrade"] == "websocket"
        assert (await bob.get(EXEC)).status_code == 403


async def test_other_websockets_of_the_api_are_not_there(hub: Running) -> None:
    async with hub.visitor() as client:
        path = "/api/v1/workspaces/alice-a/logs"
        assert await refusal(opening(hub, client, path)) == (404, "NOT_FOUND")


async def test_how_logs_are_asked_of_the_runner(hub: Running, runner: FakeRunner) -> None:
    path = "/api/v1/workspaces/alice-a/logs"
    async with hub.visitor() as client:
        for query in ("", "?since=10m", "?since=10m&tail=5&timestamps=true", "?follow=true"):
            assert (await client.get(path + query)).status_code == 200
        assert runner.queries == [
            [("tail", "200")],
            [("since", "10m")],
            [("tail", "5"), ("since", "10m"), ("timestamps", "true")],
            [("tail", "200"), ("follow", "true")],
        ]
        runner.status, runner.refusal = 400, "since must be a duration"
        answer = await client.get(f"{path}?since=soon")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
        assert answer.json()["error"]["message"] == "Since must be a duration."
        runner.refusal = ""
        assert (await client.get(f"{path}?since=soon")).status_code == 400
