"""The API under /api/v1 over a real server: session, workspaces, operations, logs, errors."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.controllers.session import SessionController
from gateway.store import AuditEvent
from state_index.errors import IndexBusyError, IndexReplacedError
from state_index.index import Index
from state_index.models import Published, RunnerInfo
from state_index.phases import Phase, Sync
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, BOB, ROOT, Running, login_of, serving
from tests.waiting import until


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


def code_of(answer: httpx.Response) -> str:
    """The code of an error, after a look at the whole envelope."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return str(error["code"])


def break_table(database: Path, table: str) -> None:
    """Take a table away, as a damaged file would."""
    raw = sqlite3.connect(database)
    raw.execute(f"ALTER TABLE {table} RENAME TO gone")
    raw.close()


async def test_logging_in_and_out(hub: Running) -> None:
    async with hub.client() as client:
        assert code_of(await client.get("/api/v1/session")) == "UNAUTHENTICATED"
        answer = await client.post("/api/v1/session", json=login_of(ROOT))
        assert (answer.status_code, answer.json()) == (201, {"user": "root-admin", "admin": True})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("codehub=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
        who = await client.get("/api/v1/session")
        assert (who.status_code, who.json()) == (200, {"user": "root-admin", "admin": True})
        kept = client.cookies["codehub"]
        gone = await client.delete("/api/v1/session")
        assert (gone.status_code, gone.content) == (204, b"")
        assert "Max-Age=0" in gone.headers["set-cookie"]
    async with hub.client(headers={"Cookie": f"codehub={kept}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401
        assert code_of(await client.delete("/api/v1/session")) == "UNAUTHENTICATED"


async def test_an_id_from_outside_is_never_adopted(hub: Running) -> None:
    planted = "A" * 43
    async with hub.client(headers={"Cookie": f"codehub={planted}"}) as client:
        answer = await client.post("/api/v1/session", json=login_of(ALICE))
        assert answer.status_code == 201
        assert planted not in answer.headers["set-cookie"]
    async with hub.client(headers={"Cookie": f"codehub={planted}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_logging_in_again_ends_the_session_before(hub: Running) -> None:
    async with hub.visitor() as client:
        first = client.cookies["codehub"]
        await client.post("/api/v1/session", json=login_of(ALICE))
        second = client.cookies["codehub"]
        assert first != second
        assert (await client.get("/api/v1/session")).status_code == 200
    async with hub.client(headers={"Cookie": f"codehub={first}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_the_cookie_is_bound_to_https_where_the_address_is(tmp_path: Path) -> None:
    async with serving(tmp_path, base_url="https://hub.example.org") as hub:
        headers = {"Host": "hub.example.org", "Origin": "https://hub.example.org"}
        async with hub.client(headers=headers) as client:
            client.base_url = httpx.URL(f"http://127.0.0.1:{hub.settings.port}")
            answer = await client.post("/api/v1/session", json=login_of(ALICE))
            assert answer.status_code == 201
            assert answer.headers["set-cookie"].startswith("__Host-codehub=")
            assert answer.headers["set-cookie"].endswith("; Secure")
            assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "who",
    [
        ("alice", "wrong password"),
        ("nobody-here", ALICE[1]),
        ("alice", ""),
        ("", ALICE[1]),
        ("alice", "x" * 5000),
        ("Älice'; --", "x"),
    ],
)
async def test_all_failed_logins_look_the_same(hub: Running, who: tuple[str, str]) -> None:
    async with hub.client() as client:
        answer = await client.post("/api/v1/session", json=login_of(who))
        assert (answer.status_code, code_of(answer)) == (401, "LOGIN_FAILED")
        assert answer.json()["error"]["message"] == "Name or password is wrong."
        assert "set-cookie" not in answer.headers


async def test_a_disabled_account_gets_the_same_answer(hub: Running) -> None:
    hub.store.users.disable("alice")
    async with hub.client() as client:
        answer = await client.post("/api/v1/session", json=login_of(ALICE))
        assert (answer.status_code, code_of(answer)) == (401, "LOGIN_FAILED")


async def test_names_may_be_typed_as_phones_write_them(hub: Running) -> None:
    async with hub.visitor((" Alice ", ALICE[1])) as client:
        assert (await client.get("/api/v1/session")).json()["user"] == "alice"


async def test_disabling_takes_effect_within_a_second(hub: Running) -> None:
    async with hub.visitor() as client:
        assert (await client.get("/api/v1/session")).status_code == 200
        hub.store.users.disable("alice")
        loop = asyncio.get_running_loop()
        end = loop.time() + 1.0
        while (await client.get("/api/v1/session")).status_code != 401:
            assert loop.time() < end
            await asyncio.sleep(0.02)


async def test_guessing_is_throttled_and_does_not_lock_the_account(tmp_path: Path) -> None:
    near = "127.0.0.1/32"
    async with (
        serving(tmp_path, trusted_proxies=near, login_attempts="3") as hub,
        hub.client() as client,
    ):
        for _ in range(3):
            wrong = await client.post("/api/v1/session", json=login_of(("alice", "no such")))
            assert wrong.status_code == 401
        right = await client.post("/api/v1/session", json=login_of(ALICE))
        assert (right.status_code, code_of(right)) == (429, "THROTTLED")
        assert 0 < int(right.headers["retry-after"]) <= 100
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        own = await client.post("/api/v1/session", json=login_of(ALICE), headers=elsewhere)
        assert own.status_code == 201
        events = [(row.event, row.address) for row in hub.store.audit.latest()]
        assert events == [("login", "192.0.2.7"), *[("login_refused", "127.0.0.1")] * 3]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"username": "alice"}',
        b'{"username": "alice", "password": 5}',
        b'{"username": "alice", "password": "canary-secret", "extra": true}',
        b'{"username": null, "password": "canary-secret"}',
        b'{"username": "\xff", "password": "canary-secret"}',
        pytest.param(b"[" * 60_000, id="deep"),
    ],
)
async def test_a_body_that_is_no_login_is_refused_without_an_echo(
    hub: Running, content: bytes
) -> None:
    async with hub.client(headers={"Content-Type": "application/json"}) as client:
        answer = await client.post("/api/v1/session", content=content)
        assert answer.status_code == 400
        assert code_of(answer) in {"INVALID_INPUT", "BAD_REQUEST"}
        assert "canary" not in answer.text


async def test_a_large_body_is_refused(hub: Running) -> None:
    async with hub.client() as client:
        body = {"username": "alice", "password": "x" * 70_000}
        answer = await client.post("/api/v1/session", json=body)
        assert (answer.status_code, code_of(answer)) == (413, "TOO_LARGE")


async def test_one_sees_one_s_own_workspaces_and_admins_see_all(hub: Running) -> None:
    hub.publish("alice-b", Phase.WARM)
    hub.publish("alice-a", Phase.RUNNING)
    hub.publish("bob-x", Phase.WARM, owner="bob")

    async def ids(client: httpx.AsyncClient, query: str = "") -> Any:
        answer = await client.get(f"/api/v1/workspaces{query}")
        return [one["id"] for one in answer.json()["workspaces"]]

    async with hub.visitor() as alice, hub.visitor(ROOT) as root:
        assert await ids(alice) == ["alice-a", "alice-b"]
        refused = await alice.get("/api/v1/workspaces?all=true")
        assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
        assert await ids(root) == []
        assert await ids(root, "?all=true") == ["alice-a", "alice-b", "bob-x"]
        wrong = await root.get("/api/v1/workspaces?all=perhaps")
        assert (wrong.status_code, code_of(wrong)) == (400, "INVALID_INPUT")
        assert wrong.json()["error"]["details"]["problems"][0]["key"] == "all"


async def test_a_workspace_tells_everything_about_itself(hub: Running) -> None:
    problem = {"file": "w.yaml", "line": 3, "column": 7, "key": "cpu", "message": "m", "hint": "h"}
    drift = {"field": "memory", "wanted": "4Gi", "found": "8Gi", "stays": False}
    row = hub.publish(
        "alice-a", Phase.ERROR, reason="IMAGE_MISSING", message="No image.", step="container",
        sync=Sync.INVALID, problems=(problem,), pinned="running", drift=(drift,),
    )  # fmt: skip
    async with hub.visitor() as client:
        body = (await client.get("/api/v1/workspaces/alice-a")).json()
    assert body == {
        "id": "alice-a",
        "owner": "alice",
        "phase": "ERROR",
        "label": "Failed",
        "sync": "Invalid",
        "reason": "IMAGE_MISSING",
        "message": "No image.",
        "step": "container",
        "since": row.since.isoformat().replace("+00:00", "Z"),
        "retry_at": None,
        "removed_at": None,
        "expires_at": None,
        "image": "codehub/light",
        "pinned": "running",
        "problems": [problem],
        "drift": [drift],
        "generation": row.generation,
        "updated_at": row.updated_at.isoformat().replace("+00:00", "Z"),
        "url": "/w/alice-a/",
        "actions": {"open": False, "start": True, "stop": False},
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/start"),
        ("POST", "/stop"),
        ("GET", "/logs"),
    ],
)
async def test_who_may_do_what_with_whose_workspace(
    hub: Running, runner: FakeRunner, method: str, path: str
) -> None:
    hub.publish("alice-a", Phase.WARM if path == "/start" else Phase.RUNNING)
    url = f"/api/v1/workspaces/alice-a{path}"
    async with hub.client() as stranger, hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        assert code_of(await stranger.request(method, url)) == "UNAUTHENTICATED"
        refused = await bob.request(method, url)
        assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
        of_admin = await root.request(method, url)
        assert of_admin.status_code == (200 if path == "" else 403)
        unknown = await bob.request(method, url.replace("alice-a", "no-such"))
        assert (unknown.status_code, code_of(unknown)) == (404, "NOT_FOUND")
    assert runner.asked == []
    assert hub.index.take_intents() == []
    refusals = [row for row in hub.store.audit.latest() if row.event == AuditEvent.REFUSED]
    assert {(row.user, row.workspace) for row in refusals} >= {("bob", "alice-a")}


async def test_refusals_are_written_once_a_minute(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.visitor(BOB) as bob:
        for _ in range(5):
            assert (await bob.get("/api/v1/workspaces/alice-a")).status_code == 403
    refusals = [row for row in hub.store.audit.latest() if row.event == AuditEvent.REFUSED]
    assert [(row.user, row.workspace, row.detail) for row in refusals] == [
        ("bob", "alice-a", "FORBIDDEN")
    ]


async def test_a_deleted_workspace_is_not_there(hub: Running) -> None:
    hub.publish("alice-a", Phase.DELETED)
    async with hub.visitor() as client:
        assert (await client.get("/api/v1/workspaces/alice-a")).status_code == 404


async def test_a_start_is_accepted_nudges_the_runner_and_can_be_followed(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.services.nudge.listen("runner") as nudged, hub.visitor() as client:
        answer = await client.post("/api/v1/workspaces/alice-a/start")
        assert answer.status_code == 202
        operation = answer.json()["operation"]
        await asyncio.wait_for(nudged.wait(), 5)
        assert operation["workspace"] == "alice-a"
        assert (operation["kind"], operation["status"]) == ("start", "open")
        assert (operation["actor"], operation["error"]) == ("alice", "")
        assert answer.headers["location"] == f"/api/v1/operations/{operation['id']}"
        (intent,) = hub.index.take_intents()
        assert intent.id == operation["id"]
        assert intent.actor == "alice"
        assert intent.request_id == answer.headers["x-request-id"]
        again = await client.post("/api/v1/workspaces/alice-a/start")
        assert again.status_code == 202
        assert again.json()["operation"]["id"] == operation["id"]
        assert again.json()["operation"]["joined"] is True
        hub.index.finish(intent.id, error="it broke")
        assert again.headers["location"] == answer.headers["location"]
        followed = await client.get(answer.headers["location"])
        assert followed.json()["status"] == "failed"
        assert followed.json()["error"] == "it broke"
    async with hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        url = f"/api/v1/operations/{operation['id']}"
        assert (await bob.get(url)).status_code == 403
        assert (await root.get(url)).status_code == 200
        assert code_of(await bob.get("/api/v1/operations/nope")) == "NOT_FOUND"
    started = [row for row in hub.store.audit.latest() if row.event == AuditEvent.START]
    assert [(row.user, row.workspace) for row in started] == [("alice", "alice-a")]


@pytest.mark.parametrize(
    ("phase", "pinned", "kind", "code", "details"),
    [
        (Phase.RUNNING, "auto", "start", "INVALID_STATE", {"phase": "RUNNING"}),
        (Phase.WARM, "auto", "stop", "INVALID_STATE", {"phase": "WARM"}),
        (Phase.UNKNOWN, "auto", "start", "INVALID_STATE", {"phase": "UNKNOWN"}),
        (Phase.WARM, "warm", "start", "PINNED_IN_GIT", {"state": "warm"}),
        (Phase.RUNNING, "running", "stop", "PINNED_IN_GIT", {"state": "running"}),
    ],
)
async def test_what_is_not_possible_now_is_a_conflict(  # noqa: PLR0917
    hub: Running, phase: Phase, pinned: str, kind: str, code: str, details: dict[str, str]
) -> None:
    hub.publish("alice-a", phase, pinned=pinned)
    async with hub.visitor() as client:
        answer = await client.post(f"/api/v1/workspaces/alice-a/{kind}")
        assert (answer.status_code, code_of(answer)) == (409, code)
        assert answer.json()["error"]["details"] == details
        assert answer.json()["error"]["message"].endswith(".")


async def test_logs_come_from_the_runner(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    runner.logs = "one\ntwo ü\n".encode() + b"\xff\n"
    async with hub.visitor() as client:
        answer = await client.get("/api/v1/workspaces/alice-a/logs?tail=7")
        assert (answer.status_code, answer.content) == (200, runner.logs)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert runner.asked == [("alice-a", "7", answer.headers["x-request-id"])]
        await client.get("/api/v1/workspaces/alice-a/logs")
        assert runner.asked[-1][1] == "200"


@pytest.mark.parametrize("tail", ["0", "-1", "5001", "many"])
async def test_a_senseless_tail_is_refused(hub: Running, runner: FakeRunner, tail: str) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor() as client:
        answer = await client.get(f"/api/v1/workspaces/alice-a/logs?tail={tail}")
        assert (answer.status_code, code_of(answer)) == (400, "INVALID_INPUT")


async def test_a_runner_that_never_was_is_unavailable(hub: Running) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor() as client:
        answer = await client.get("/api/v1/workspaces/alice-a/logs")
        assert (answer.status_code, code_of(answer)) == (502, "RUNNER_UNAVAILABLE")


async def test_a_runner_that_is_gone_is_unavailable(hub: Running) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    async with hub.visitor() as client:
        answer = await client.get("/api/v1/workspaces/alice-a/logs")
        assert (answer.status_code, code_of(answer)) == (502, "RUNNER_UNAVAILABLE")


@pytest.mark.parametrize(("status", "expected"), [(404, "NOT_FOUND"), (500, "RUNNER_UNAVAILABLE")])
async def test_what_the_runner_refuses(
    hub: Running, runner: FakeRunner, status: int, expected: str
) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    runner.status = status
    async with hub.visitor() as client:
        assert code_of(await client.get("/api/v1/workspaces/alice-a/logs")) == expected


async def test_unknown_paths_and_methods_have_the_envelope_too(hub: Running) -> None:
    async with hub.visitor() as client:
        missing = await client.get("/api/v1/nothing", headers={"Accept": "text/html"})
        assert (missing.status_code, code_of(missing)) == (404, "NOT_FOUND")
        wrong = await client.put("/api/v1/session", json={})
        assert (wrong.status_code, code_of(wrong)) == (405, "METHOD_NOT_ALLOWED")
        assert set(wrong.headers["allow"].replace(" ", "").split(",")) >= {"GET", "POST", "DELETE"}


async def test_an_index_that_cannot_be_read_is_503(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.visitor() as client:
        break_table(hub.settings.paths.index_db, "workspaces")
        answer = await client.get("/api/v1/workspaces")
        assert (answer.status_code, code_of(answer)) == (503, "UNAVAILABLE")
        assert "workspaces" not in answer.text


async def test_a_store_that_cannot_be_read_is_503(hub: Running) -> None:
    async with hub.visitor() as client:
        break_table(hub.settings.paths.store_db, "sessions")
        hub.services.sessions._remembered.clear()
        answer = await client.get("/api/v1/workspaces")
        assert (answer.status_code, code_of(answer)) == (503, "UNAVAILABLE")


async def test_a_bug_of_ours_is_500_and_tells_nothing(
    hub: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary")

    async with hub.visitor() as client:
        monkeypatch.setattr("gateway.controllers.session.UserBody.of", broken)
        answer = await client.get("/api/v1/session")
        assert (answer.status_code, code_of(answer)) == (500, "INTERNAL")
        assert "canary" not in answer.text
    assert SessionController.path == "/session"


async def test_the_api_describes_itself_without_foreign_hosts(hub: Running) -> None:
    async with hub.client() as client:
        document = await client.get("/api/v1/openapi.json")
        assert document.status_code == 200
        paths = document.json()["paths"]
        assert set(paths) == {
            "/api/v1/session",
            "/api/v1/workspaces",
            "/api/v1/workspaces/{workspace_id}",
            "/api/v1/workspaces/{workspace_id}/start",
            "/api/v1/workspaces/{workspace_id}/stop",
            "/api/v1/workspaces/{workspace_id}/history",
            "/api/v1/workspaces/{workspace_id}/logs",
            "/api/v1/workspaces/{workspace_id}/exec",
            "/api/v1/workspaces/{workspace_id}/file",
            "/api/v1/workspaces/validate",
            "/api/v1/repository",
            "/api/v1/operations/{operation_id}",
            "/api/v1/events",
            "/api/v1/hooks/{forge}",
        }
        accepted = paths["/api/v1/workspaces/{workspace_id}/start"]["post"]["responses"]["202"]
        assert "Location" in accepted["headers"]
        assert accepted["content"]["application/json"]["schema"]["$ref"].endswith("AcceptedBody")
        for page in ("/api/v1", "/api/v1/", "/schema", "/api/v1/swagger"):
            answer = await client.get(page)
            assert "http://" not in answer.text
            assert "https://" not in answer.text


@pytest.mark.parametrize(
    ("hidden", "status", "code"), [("true", 404, "NOT_FOUND"), ("false", 403, "FORBIDDEN")]
)
async def test_existence_can_be_hidden(tmp_path: Path, hidden: str, status: int, code: str) -> None:
    """Whoever asks for what is somebody else's is in the audit log all the same."""
    asked = [
        ("GET", "/api/v1/workspaces/{}"),
        ("GET", "/api/v1/workspaces/{}/logs"),
        ("POST", "/api/v1/workspaces/{}/start"),
        ("POST", "/api/v1/workspaces/{}/stop"),
        ("GET", "/api/v1/events?workspace={}"),
        ("GET", "/workspaces/{}"),
        ("GET", "/workspaces/{}/card"),
        ("GET", "/w/{}/"),
    ]
    async with serving(tmp_path, hide_existence=hidden) as hub, hub.visitor(BOB) as bob:
        hub.publish("alice-a", Phase.RUNNING, upstream="unix:alice-a/ide.sock")
        await until(lambda: "alice-a" in (hub.services.routes.current() or {}))
        for method, path in asked:
            theirs = await bob.request(method, path.format("alice-a"))
            nobodys = await bob.request(method, path.format("no-such"))
            assert (theirs.status_code, nobodys.status_code) == (status, 404), path
            found, missing = (
                (answer.json()["error"] | {"request_id": ""}, {*answer.headers})
                for answer in (theirs, nobodys)
            )
            assert found[0]["code"] == code
            assert (found == missing) is (hidden == "true"), path

        def refused() -> list[tuple[str, str, str]]:
            rows = hub.store.audit.latest(10)
            return [(row.user, row.workspace, row.detail) for row in rows if row.event == "refused"]

        await until(lambda: len(refused()) > 1, "the rows")
        assert refused() == [("bob", "alice-a", "FORBIDDEN")] * 2, "by the API and by the proxy"


def asked(hub: Running) -> str:
    """The address of an operation of alice's."""
    hub.publish("alice-a", Phase.WARM)
    intent = hub.index.request("alice-a", "start", actor="alice", request_id="request-1")
    return f"/api/v1/operations/{intent.id}"


async def test_an_operation_is_its_workspace_s_owner_s(hub: Running) -> None:
    """Also when the workspace changed hands since: who asked has no part in it any more."""
    url = asked(hub)
    async with hub.visitor() as alice, hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        assert (await alice.get(url)).status_code == 200
        assert code_of(await bob.get(url)) == "FORBIDDEN"
        hub.publish("alice-a", Phase.WARM, owner="bob")
        assert code_of(await alice.get(url)) == "FORBIDDEN"
        assert (await bob.get(url)).json()["actor"] == "alice"
        assert (await root.get(url)).status_code == 200
    async with hub.client() as nobody:
        assert code_of(await nobody.get(url)) == "UNAUTHENTICATED"
    refused = [row for row in hub.store.audit.latest() if row.event == AuditEvent.REFUSED]
    assert [(row.user, row.workspace) for row in refused] == [
        ("alice", "alice-a"),
        ("bob", "alice-a"),
    ]


@pytest.mark.parametrize("forgotten", [True, False])
async def test_an_operation_outlives_its_workspace_for_who_asked(
    hub: Running, forgotten: bool
) -> None:
    url = asked(hub)
    hub.index.forget("alice-a", "test")
    if not forgotten:
        hub.publish("alice-a", Phase.DELETED)
    async with hub.visitor() as alice, hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        found = (await alice.get(url)).json()
        assert (found["status"], found["error"]) == ("failed", "the workspace was removed")
        assert (await root.get(url)).status_code == 200
        assert code_of(await bob.get(url)) == "NOT_FOUND"


async def test_operations_can_be_hidden_too(tmp_path: Path) -> None:
    async with serving(tmp_path, hide_existence="true") as hub, hub.visitor(BOB) as bob:
        theirs = await bob.get(asked(hub))
        nobodys = await bob.get("/api/v1/operations/nope")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["error"]["message"] == nobodys.json()["error"]["message"]


async def test_a_stop_by_the_api(hub: Running) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor() as client:
        answer = await client.post("/api/v1/workspaces/alice-a/stop")
    assert answer.status_code == 202
    assert answer.json()["operation"]["kind"] == "stop"
    assert [row.event for row in hub.store.audit.latest(1)] == ["stop"]


@pytest.fixture
def behind(hub: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy takes over a change a moment after the API could read it: here a longer one."""
    read = Index.workspaces

    def read_late(index: Index, owner: str | None = None) -> list[Published]:
        if owner is None:
            time.sleep(0.2)
        return read(index, owner)

    monkeypatch.setattr(Index, "workspaces", read_late)
    monkeypatch.setattr("gateway.routing.BEHIND", 60)


REFUSED = {Phase.RUNNING: "UPSTREAM_UNAVAILABLE", Phase.WARM: "NOT_RUNNING"}


@pytest.mark.usefixtures("behind")
@pytest.mark.parametrize(
    "way",
    [
        "/",
        "/workspaces/demo",
        "/api/v1/workspaces",
        "/api/v1/workspaces/demo",
        "/api/v1/workspaces/demo/history",
        "/api/v1/operations/",
    ],
)
async def test_what_is_told_holds_at_the_workspace_too(hub: Running, way: str) -> None:
    hub.publish("demo", Phase.WARM)
    asked = hub.index.request("demo", "start", actor="alice", request_id="request-0001")
    way += asked.id if way.endswith("operations/") else ""
    async with hub.visitor() as client:
        for phase in (Phase.RUNNING, Phase.WARM) * 2:
            hub.publish("demo", phase, upstream="unix:demo/none.sock")
            (await client.get(way)).raise_for_status()
            opened = await client.get("/w/demo/healthz")
            assert opened.json()["error"]["code"] == REFUSED[phase]


@pytest.mark.parametrize(
    ("error", "status"), [(IndexBusyError("busy"), 409), (IndexReplacedError(), 503)]
)
async def test_a_refusal_outlives_an_index_that_is_busy_but_not_another_one(
    hub: Running, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    hub.publish("demo", Phase.RUNNING, upstream="unix:demo/none.sock")

    def broken() -> int:
        raise error

    async with hub.visitor() as client:
        monkeypatch.setattr(hub.index, "generation", broken)
        told = await client.post("/api/v1/workspaces/demo/start")
    assert told.status_code == status


@pytest.mark.usefixtures("behind")
@pytest.mark.parametrize(
    ("method", "way", "asked"), [("POST", "start", "request"), ("GET", "history", "history")]
)
async def test_what_is_read_after_the_workspace_holds_too(
    hub: Running, monkeypatch: pytest.MonkeyPatch, method: str, way: str, asked: str
) -> None:
    """Between what a request found at first and what it tells, the phase may change."""
    hub.publish("demo", Phase.STARTING)
    read = getattr(hub.index, asked)

    def read_late(*args: Any, **more: Any) -> Any:
        hub.publish("demo", Phase.RUNNING, upstream="unix:demo/none.sock")
        return read(*args, **more)

    monkeypatch.setattr(hub.index, asked, read_late)
    async with hub.visitor() as client:
        told = await client.request(method, f"/api/v1/workspaces/demo/{way}")
        opened = await client.get("/w/demo/healthz")
    assert "RUNNING" in told.text
    assert opened.json()["error"]["code"] == REFUSED[Phase.RUNNING]
