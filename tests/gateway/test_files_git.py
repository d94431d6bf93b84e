"""The whole way of an edit: the gateway's API, the index, the runner's part for files, a real branch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from aiohttp import web

from stacks.api import make_app
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote
from stacks.operator import Operator
from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.harness import DEADLINE, Running, serving
from tests.gateway.test_api import code_of
from tests.stacks.edits.office import Office, writable
from tests.stacks.git.repository import WORKSPACE
from tests.stacks.git.serving import http

FILE = """\
# alice's machine
owner: alice
image: codehub/light   # small
"""
URL = "/api/v1/workspaces"


@asynccontextmanager
async def runner_of(hub: Running, office: Office) -> AsyncIterator[None]:
    """Serve files of the branch on the runner's socket, and make edits as they come."""
    place = office.branch()
    remote = Remote(url=office.served.url("team/.git"), branch="main")
    await Mirror(office.folder / "mirror.git", remote, timeout=DEADLINE).fetch()
    app = web.AppRunner(make_app(cast("Operator", place), {}))
    await app.setup()
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    try:
        await web.UnixSite(app, hub.settings.paths.runner_sock).start()
        async with office.desk(place) as desk, asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(desk.keep(hub.settings.paths.nudge))
            yield
            keeping.cancel()
    finally:
        await app.cleanup()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path / "hub") as running:
        yield running


@pytest.fixture
async def office(hub: Running, tmp_path: Path) -> AsyncIterator[Office]:
    repository = writable(tmp_path / "team")
    template = b"# from the template\nowner: someone\nimage: codehub/light\n"
    repository.commit({"ws/one.yaml": WORKSPACE, "ws/_templates/small.yaml": template})
    with http(tmp_path) as served:
        found = Office(tmp_path, repository, served, hub.index)
        async with runner_of(hub, found):
            yield found


async def ended(client: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """Follow an operation to its end."""
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = {}
    async with asyncio.timeout(DEADLINE):
        while told.get("status") not in {"done", "failed"}:
            told = (await client.get(answer.headers["location"])).json()
    return told


async def test_edits_are_commits_of_their_users(hub: Running, office: Office) -> None:
    async with hub.visitor() as alice:
        body = {"id": "alice-a", "template": "small", "message": "to try it"}
        made = await ended(alice, await alice.post(URL, json=body))
        assert (made["status"], made["commit"]) == ("done", office.head), made
        assert office.text("ws/alice-a.yaml") == (
            b"# from the template\nowner: alice\nimage: codehub/light\n"
        )
        assert office.repository.call("log", "-1", "--format=%an", "main") == "alice"
        assert "to try it" in office.repository.call("log", "-1", "--format=%b", "main")

        hub.publish("alice-a", Phase.WARM)
        seen = (await alice.get(f"{URL}/alice-a/file")).json()
        assert seen["path"] == "ws/alice-a.yaml"
        assert seen["revision"] == office.blob("ws/alice-a.yaml")
        patch = {"fields": {"env": {"A": "1"}}, "base": seen["revision"]}
        changed = await ended(alice, await alice.patch(f"{URL}/alice-a", json=patch))
        assert changed["commit"] == office.head
        assert office.text("ws/alice-a.yaml").endswith(b'codehub/light\nenv:\n  A: "1"\n')

        late = {"fields": {"state": "warm"}, "base": seen["revision"]}
        refused = await alice.patch(f"{URL}/alice-a", json=late)
        assert code_of(refused) == "EDIT_CONFLICT"
        details = refused.json()["error"]["details"]
        assert (details["they_changed"], details["you_changed"]) == (["env.A"], ["state"])
        assert details["together"] == office.text("ws/alice-a.yaml").decode() + "state: warm\n"

        gone = await ended(alice, await alice.delete(f"{URL}/alice-a"))
        assert gone["commit"] == office.head
        assert office.repository.call("ls-tree", "--name-only", "main:ws").split() == [
            "_templates", "one.yaml",
        ]  # fmt: skip


async def test_what_the_runner_refuses_is_told(hub: Running, office: Office) -> None:
    async with hub.visitor() as alice:
        made = await ended(alice, await alice.post(URL, json={"id": "alice-a", "text": FILE}))
        assert made["status"] == "done"
        hub.publish("alice-a", Phase.WARM)
        base = office.blob("ws/alice-a.yaml")
        office.repository.commit({"ws/alice-a.yaml": FILE.encode() + b"state: warm\n"})
        # The copy does not know it yet, and so neither does the gateway: the runner does, who fetches.
        patch = {"fields": {"drift": "report"}, "base": base}
        told = await ended(alice, await alice.patch(f"{URL}/alice-a", json=patch))
        assert (told["status"], told["code"]) == ("failed", "EDIT_CONFLICT")
        assert "meanwhile" in told["error"]
