"""The front: request ids, heads, origins, headers, health, over raw connections where it matters."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.store import AuditRecord
from state_index.errors import IndexUnavailableError
from state_index.index import Index
from state_index.phases import Phase
from tests.gateway.harness import ALICE, BOB, Running, login_of, serving
from tests.gateway.test_api import break_table
from tests.waiting import until


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        yield running


async def raw(hub: Running, request: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def head(hub: Running, target: str, *lines: str, method: str = "GET") -> bytes:
    host = f"Host: 127.0.0.1:{hub.settings.port}"
    every = [f"{method} {target} HTTP/1.1", host, "Connection: close", *lines]
    return ("\r\n".join(every) + "\r\n\r\n").encode("latin-1")


async def test_health_needs_no_login_and_no_known_host(hub: Running) -> None:
    async with hub.client(headers={"Host": "10.0.0.7:1234"}) as client:
        for path, body in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (200, body)
            assert answer.headers["cache-control"] == "no-store"
        elsewhere = await client.get("/login")
        assert elsewhere.status_code == 421


async def test_readiness_needs_store_and_index_and_tells_nothing(hub: Running) -> None:
    async with hub.client() as client:
        break_table(hub.settings.paths.index_db, "index_clock")
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready\n")
        assert (await client.get("/healthz")).status_code == 200


async def test_readiness_needs_the_store(hub: Running) -> None:
    async with hub.client() as client:
        break_table(hub.settings.paths.store_db, "alembic_version")
        assert (await client.get("/readyz")).status_code == 503


async def test_request_ids_are_ours_and_in_the_log(hub: Running, logs: io.StringIO) -> None:
    async with hub.client(headers={"X-Request-Id": "chosen-by-client"}) as client:
        one = await client.get("/api/v1/session?canary=secret")
        two = await client.get("/login")
    ids = [one.headers["x-request-id"], two.headers["x-request-id"]]
    assert len(set(ids)) == 2
    assert "chosen-by-client" not in ids
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    access = [line for line in lines if line["event"] == "request"]
    assert [line["request_id"] for line in access] == ids
    assert [line["path"] for line in access] == ["/api/v1/session", "/login"]
    assert [line["status"] for line in access] == [401, 200]
    assert all(line["client"] == "127.0.0.1" for line in access)
    assert "canary" not in logs.getvalue()


async def test_paths_cannot_write_lines_of_their_own(hub: Running, logs: io.StringIO) -> None:
    await raw(hub, head(hub, "/a%0aforged%20line"))
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/a%0aforged%20line"]


@pytest.mark.parametrize("before", ["/", "/w/alice-a/", "/w/"])
async def test_what_clients_write_is_cut_in_log_lines(
    hub: Running, logs: io.StringIO, before: str
) -> None:
    """Anybody can send heads of 64 KiB, again and again."""
    hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor() as visitor:
        cookie = visitor.cookies["codehub"]
    long = "a" * 20_000
    agent = [f"Cookie: codehub={cookie}", f"User-Agent: {long}", f"Referer: {long}"]
    await raw(hub, head(hub, before + long, *agent))
    written = logs.getvalue().splitlines()
    paths = [json.loads(line).get("path", "") for line in written]
    cut = [path for path in paths if path.startswith(before + "aaa")]
    assert cut
    assert all(path.endswith(f"a... ({len(before + long)} bytes)") for path in cut)
    assert max(map(len, written)) < 1000


@pytest.mark.parametrize("path", ["/login", "/nope", "/api/v1/session", "/healthz", "/static/x/y"])
async def test_every_answer_of_ours_has_the_security_headers(hub: Running, path: str) -> None:
    async with hub.client() as client:
        answer = await client.get(path)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "server" not in answer.headers
    assert "set-cookie" not in answer.headers


async def test_head_is_get_without_a_body_for_pages(hub: Running) -> None:
    async with hub.client() as client:
        answer = await client.head("/login")
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 500
        assert (await client.head("/nope")).status_code == 404
        assert (await client.head("/api/v1/events")).status_code == 405


@pytest.mark.parametrize(
    ("origin", "site", "allowed"),
    [
        ("own", "same-origin", True),
        ("own", None, True),
        (None, "same-origin", True),
        (None, None, False),
        ("own", "cross-site", False),
        ("http://evil.example", None, False),
        ("null", None, False),
        ("http://127.0.0.1:1", "same-site", False),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/workspaces/alice-a/start", "/workspaces/alice-a/start"])
async def test_only_our_own_pages_change_something(
    hub: Running, origin: str | None, site: str | None, allowed: bool, path: str
) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.visitor() as visitor:
        cookie = visitor.cookies["codehub"]
    headers = {"Cookie": f"codehub={cookie}", "Accept": "text/html"}
    if origin is not None:
        headers["Origin"] = hub.url if origin == "own" else origin
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    async with httpx.AsyncClient(base_url=hub.url) as client:
        answer = await client.post(path, headers=headers, data={"next": ""})
    assert (answer.status_code in {202, 303}) is allowed
    assert bool(hub.index.take_intents()) is allowed
    if not allowed:
        assert answer.status_code == 403
        page = path.startswith("/workspaces")
        assert answer.headers["content-type"].startswith(
            "text/html" if page else "application/json"
        )
        assert [row.detail for row in hub.store.audit.latest(1)] == ["ORIGIN_REFUSED"]


async def test_a_login_from_a_foreign_page_is_refused(hub: Running) -> None:
    async with hub.client(headers={"Origin": "http://evil.example"}) as client:
        for path, body in (
            ("/api/v1/session", {"json": login_of(ALICE)}),
            ("/login", {"data": login_of(ALICE)}),
        ):
            answer = await client.post(path, **body)  # type: ignore[arg-type]
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


async def test_a_program_without_a_cookie_needs_no_origin(hub: Running) -> None:
    async with httpx.AsyncClient(base_url=hub.url) as client:
        answer = await client.post("/api/v1/session", json=login_of(ALICE))
        assert answer.status_code == 201
        refused = await client.delete("/api/v1/session")
        assert refused.status_code == 403


async def test_a_doubled_cookie_is_nobody_but_counts_for_the_origin_check(hub: Running) -> None:
    async with hub.visitor() as visitor:
        cookie = visitor.cookies["codehub"]
    doubled = {"Cookie": f"codehub={cookie}; codehub=planted"}
    async with httpx.AsyncClient(base_url=hub.url, headers=doubled) as client:
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await client.delete("/api/v1/session")).status_code == 403


@pytest.mark.parametrize(
    "request_lines",
    [
        ("/login", "Host: other.example"),
        ("/login", "X_Forwarded_For: 1.2.3.4"),
        ("/%77/alice-a/",),
        ("//w/alice-a/",),
        ("/./w/alice-a/",),
        ("http://other.example/login",),
    ],
)
async def test_heads_that_can_be_read_in_two_ways_are_refused(
    hub: Running, request_lines: tuple[str, ...]
) -> None:
    answer = await raw(hub, head(hub, *request_lines))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"BAD_REQUEST"' in answer
    assert b"x-request-id: " in answer


async def test_the_proxy_gets_what_is_below_w_and_nothing_else(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.client() as client:
        there = await client.get("/w/alice-a/x?y", headers={"Accept": "text/html"})
        assert (there.status_code, there.headers["location"]) == (
            303,
            "/login?next=/w/alice-a/x%3Fy",
        )
        assert "x-request-id" in there.headers
        program = await client.get("/w/alice-a/x")
        assert program.status_code == 401
        assert (await client.get("/w")).status_code == 404


async def test_a_stopped_workspace_s_page_has_the_button_that_starts_it(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.visitor() as client:
        await _routed(client, "alice-a")
        page = await client.get("/w/alice-a/", headers={"Accept": "text/html"})
        assert "alice-a is stopped" in page.text
        assert 'action="/workspaces/alice-a/start"' in page.text
        assert 'name="next" value="/w/alice-a/"' in page.text
        program = await client.get("/w/alice-a/api")
        assert program.status_code == 424
        assert program.json()["error"]["code"] == "NOT_RUNNING"


async def _routed(client: httpx.AsyncClient, workspace_id: str) -> None:
    async with client.stream("GET", "/api/v1/events") as events:
        async for line in events.aiter_lines():
            if f'"id":"{workspace_id}"' in line:
                return


async def test_other_protocols_than_http_go_to_the_site(hub: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    host = f"Host: 127.0.0.1:{hub.settings.port}"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    request = "\r\n".join(["GET /api/v1/events HTTP/1.1", host, key, *lines]) + "\r\n\r\n"
    writer.write(request.encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert b" 101 " not in answer.split(b"\r\n")[0]


async def test_without_an_index_it_serves_what_it_can_and_catches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app._FIRST_LOOK", 0.05)

    class Late:
        """An index that can't be read at first."""

        broken = True

    reading = Index.generation

    def late(self: Index) -> int:
        if Late.broken:
            raise IndexUnavailableError("not yet")
        return reading(self)

    monkeypatch.setattr(Index, "generation", late)
    async with serving(tmp_path) as hub, hub.visitor() as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/w/alice-a/")).status_code == 503
        Late.broken = False
        await until(lambda: hub.services.routes.current() is not None, "the routes")
        assert (await client.get("/w/alice-a/")).status_code == 404
        assert (await client.get("/readyz")).status_code == 200


async def test_slow_bodies_do_not_hold_connections(
    hub: Running, monkeypatch: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    monkeypatch.setattr("gateway.front.BODY_TIMEOUT", 0.2)
    lines = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 99")
    for path in ("/login", "/api/v1/session"):
        request = head(hub, path, *lines, method="POST")
        assert await raw(hub, request + b"username=al") == b""
    assert "Traceback" not in logs.getvalue()


async def test_a_client_that_goes_away_in_its_body_is_no_mistake_of_ours(
    hub: Running, logs: io.StringIO
) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 99")
    for path in ("/login", "/api/v1/session"):
        _, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
        writer.write(head(hub, path, *lines, method="POST") + b"{")
        await writer.drain()
        writer.write_eof()
        writer.close()
        await until(lambda path=path: f'"{path}"' in logs.getvalue(), "the request is over")  # type: ignore[misc]
    assert "Traceback" not in logs.getvalue()


async def test_who_was_refused_whose_workspace_is_written_down(hub: Running) -> None:
    hub.publish("alice-a", Phase.RUNNING, upstream="unix:alice-a/ide.sock")
    async with hub.visitor() as alice, hub.visitor(BOB) as bob:
        await _routed(alice, "alice-a")
        refused = await bob.get("/w/alice-a/")
        foreign = await alice.post("/w/alice-a/x", headers={"Origin": "http://evil.example"})
        assert (refused.status_code, foreign.status_code) == (403, 403)
        await bob.get("/w/no-such/")
    rows: list[AuditRecord] = []

    def written() -> bool:
        rows[:] = [row for row in hub.store.audit.latest() if row.event == "refused"]
        return len(rows) >= 2

    await until(written, "both refusals are written")
    assert {(row.user, row.workspace, row.detail, row.request_id) for row in rows} == {
        ("bob", "alice-a", "FORBIDDEN", refused.headers["x-request-id"]),
        ("alice", "alice-a", "ORIGIN_REFUSED", foreign.headers["x-request-id"]),
    }
