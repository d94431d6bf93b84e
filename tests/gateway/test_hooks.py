"""Webhooks over a real server: believed by their signature alone, taken once, and no more than a nudge."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from forges.webhooks import MAX_BODY
from gateway.controllers.hooks import DELIVERY_MAX
from gateway.store import Store
from gateway.store.deliveries import KEPT
from state_index.nudge import listen
from state_index.repository import LISTENER
from tests.forges.test_webhooks import PUSH, SECRET, gitea, github, raw
from tests.gateway.harness import Clock, Running, serving

HOOK = "/api/v1/hooks/gitea"


def values(folder: Path, **more: str) -> dict[str, str]:
    """Settings of a Gitea with a secret."""
    secret = folder / "secret"
    secret.write_text(SECRET.get_secret_value())
    secret.chmod(0o600)
    found = {
        "forge": "gitea",
        "forge_repository": "Acme/Fleet",
        "forge_webhook_secret_file": str(secret),
    }
    return {**found, **more}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path, clocks=None, **values(tmp_path)) as running:
        running.index.repository.tell(branch="main")
        yield running


async def send(hub: Running, data: Any, *, event: str = "push", path: str = HOOK) -> httpx.Response:
    """Send as a forge does: without Origin and cookie."""
    body = raw(data)
    async with httpx.AsyncClient(base_url=hub.url) as client:
        return await client.post(path, content=body, headers=gitea(event, body))


def asked(hub: Running) -> int:
    return hub.index.repository.wishes().asked


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_signed_push_to_the_branch_has_the_runner_look(hub: Running) -> None:
    async with listen(hub.settings.paths.nudge, LISTENER) as nudged:
        answer = await send(hub, PUSH)
        assert (answer.status_code, answer.json()) == (202, {"asked": True})
        async with asyncio.timeout(10):
            await nudged.wait()
    assert asked(hub) == 1


def pull_request(branch: str) -> dict[str, Any]:
    told = {"number": 7, "base": {"ref": branch}, "head": {"sha": "a" * 40}}
    return {"action": "opened", "pull_request": told, "repository": PUSH["repository"]}


@pytest.mark.parametrize(("branch", "taken"), [("main", True), ("release", False)])
async def test_a_pull_request_into_the_branch_has_the_runner_look(
    hub: Running, branch: str, *, taken: bool
) -> None:
    hub.index.repository.tell(branch="main")
    answer = await send(hub, pull_request(branch), event="pull_request")
    assert (answer.status_code, answer.json()) == (202, {"asked": taken})
    assert asked(hub) == int(taken)


async def test_it_is_taken_once_also_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path, clocks=None, **values(tmp_path)) as hub:
        assert (await send(hub, PUSH)).status_code == 202
        assert code_of(await send(hub, PUSH)) == (409, "WEBHOOK_REPLAYED")
        body = raw(PUSH)
        again = {**gitea("push", body), "X-Gitea-Delivery": "another"}  # which nothing signs
        async with httpx.AsyncClient(base_url=hub.url) as client:
            answer = await client.post(HOOK, content=body, headers=again)
        assert code_of(answer) == (409, "WEBHOOK_REPLAYED")
    async with serving(tmp_path, clocks=None, **values(tmp_path)) as hub:
        assert code_of(await send(hub, PUSH)) == (409, "WEBHOOK_REPLAYED")
        assert asked(hub) == 1


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"ref": "refs/heads/other"}, "push"),
        ({"ref": "refs/tags/v1"}, "push"),
        ({"after": "0" * 40}, "push"),
        ({"repository": {"full_name": "acme/others"}}, "push"),
        ({}, "star"),
    ],
)
async def test_what_is_not_of_the_branch_asks_for_nothing(
    hub: Running, change: dict[str, Any], event: str
) -> None:
    answer = await send(hub, {**PUSH, **change}, event=event)
    assert (answer.status_code, answer.json()) == (202, {"asked": False})
    assert asked(hub) == 0


async def test_what_is_forged_is_refused_and_asks_for_nothing(hub: Running) -> None:
    body = raw(PUSH)
    wrong = {**gitea("push", body), "X-Gitea-Signature": "0" * 64}
    async with httpx.AsyncClient(base_url=hub.url) as client:
        for headers in (wrong, {"X-Gitea-Event": "push"}, github("push", raw({}))):
            answer = await client.post(HOOK, content=body, headers=headers)
            assert code_of(answer) == (401, "WEBHOOK_REFUSED")
    assert asked(hub) == 0
    assert (await send(hub, PUSH)).status_code == 202  # it was not taken for a replay's first


async def test_what_is_signed_and_no_push_is_said_so(hub: Running) -> None:
    assert code_of(await send(hub, {"ref": 7})) == (400, "BAD_REQUEST")
    assert asked(hub) == 0


async def test_what_is_too_long_is_refused(hub: Running) -> None:
    assert DELIVERY_MAX < MAX_BODY
    answer = await send(hub, {**PUSH, "pad": "x" * DELIVERY_MAX})
    assert code_of(answer) == (413, "TOO_LARGE")
    long = await send(hub, {**PUSH, "pad": "x" * (1 << 20)})
    assert long.status_code == 202


@pytest.mark.parametrize("path", ["/api/v1/hooks/github", "/api/v1/hooks/x", "/api/v1/hooks/"])
async def test_other_forges_are_not_expected(hub: Running, path: str) -> None:
    assert (await send(hub, PUSH, path=path)).status_code == 404


async def test_without_a_secret_no_webhook_is_believed(tmp_path: Path) -> None:
    async with serving(tmp_path, forge="gitea") as hub:
        assert code_of(await send(hub, PUSH)) == (404, "NOT_FOUND")
    (tmp_path / "other").mkdir()
    gone = values(tmp_path, forge_webhook_secret_file=str(tmp_path / "gone"))
    async with serving(tmp_path / "other", clocks=None, **gone) as hub:
        assert code_of(await send(hub, PUSH)) == (503, "UNAVAILABLE")


async def test_what_could_not_be_asked_for_may_come_again(hub: Running) -> None:
    repository = hub.index.repository
    broken = hub.services.hooks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(broken), "_ask", lambda *_: 1 / 0)
        assert (await send(hub, PUSH)).status_code == 500
    assert repository.wishes().asked == 0
    assert (await send(hub, PUSH)).status_code == 202


def test_deliveries_are_forgotten_after_a_month(store: Store, clock: Clock) -> None:
    assert store.deliveries.admit(["a", "b"])
    assert not store.deliveries.admit(["b", "c"])
    clock.advance(KEPT - 1)
    store.prune(keep=1)
    assert not store.deliveries.admit(["a"])
    clock.advance(2)
    assert store.prune(keep=1, limit=2)
    assert store.deliveries.admit(["a"])
    store.deliveries.forget(["a"])
    assert store.deliveries.admit(["a"])
