"""Details of a workspace, its history and the repository: over a real server, foreign text escaped."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.history import CommitBody, HistoryBody, PhaseBody
from gateway.pages import details
from gateway.proxy.seams import Visitor
from gateway.repository import SOME_ERROR, body_of, state_of
from spec import WorkspaceSpec
from state_index.models import Published, RunnerInfo
from state_index.phases import Phase, Sync
from state_index.repository import Followed, Wishes
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import BOB, ROOT, Running, serving

API = "/api/v1/workspaces/alice-a/history"
PAGE = "/workspaces/alice-a/details"
HEAD = "c0ffee" * 6 + "c0ff"
COMMIT: dict[str, object] = {
    "commit": HEAD,
    "author": "<b>Eve</b>",
    "at": "2026-11-22T10:00:00+01:00",
    "subject": "<script>alert(1)</script>",
}
DIFF = "--- a/x\n+++ b/x\n-old <i>\n+new </pre>"
SPEC = WorkspaceSpec.model_validate(
    {"id": "alice-a", "owner": "alice", "image": "light", "env": {"TOKEN": "hunter2", "TZ": "UTC"}}
).model_dump_json()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        publish(running)
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


def publish(hub: Running, **more: Any) -> None:
    hub.publish(
        "alice-a",
        Phase.RUNNING,
        spec_json=SPEC,
        applied_hash="h",
        desired_hash="h",
        **more,
    )


def follow(hub: Running, **more: Any) -> None:
    hub.index.repository.tell(
        url="https://git.internal/w.git", branch="main", path="workspaces.d", attempted=HEAD, **more
    )


async def test_the_history_has_phases_and_commits(hub: Running, runner: FakeRunner) -> None:
    follow(hub)
    runner.commits = [COMMIT]
    async with hub.visitor() as alice:
        told = (await alice.get(API)).json()
        assert told["commits"] == [{**COMMIT, "diff": "", "cut": False, "withheld": False}]
        assert told["commits_error"] == ""
        newest = told["phases"][0]
        assert (newest["after"], newest["cause"]) == ("RUNNING", "test")
        assert len((await alice.get(API, params={"limit": 1})).json()["phases"]) == 1
        await alice.get(API, params={"limit": 200, "diff": True})
    asked = [dict(each) for each in runner.queries]
    assert asked == [
        {"limit": "20", "diff": "false"},
        {"limit": "1", "diff": "false"},
        {"limit": "20", "diff": "true"},
    ]


async def test_who_may_see_a_history(hub: Running) -> None:
    async with hub.client() as nobody:
        assert (await nobody.get(API)).status_code == 401
        assert (await nobody.get("/api/v1/repository")).status_code == 401
    async with hub.visitor(BOB) as bob:
        for path in (API, PAGE):
            assert (await bob.get(path)).status_code == 403
        assert (await bob.get("/api/v1/workspaces/nobody/history")).status_code == 404
    async with hub.visitor(ROOT) as admin:
        for path in (API, PAGE):
            assert (await admin.get(path)).status_code == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "diff=maybe"])
async def test_a_history_is_asked_for_strictly(hub: Running, query: str) -> None:
    async with hub.visitor() as alice:
        assert (await alice.get(f"{API}?{query}")).status_code == 400


async def test_without_a_repository_the_runner_is_not_asked(
    hub: Running, runner: FakeRunner
) -> None:
    async with hub.visitor() as alice:
        assert (await alice.get(API)).json()["commits"] == []
        page = (await alice.get(PAGE)).text
    assert runner.queries == []
    assert "Commits of its file" not in page


async def test_a_runner_that_is_not_there_leaves_the_rest(hub: Running) -> None:
    follow(hub)
    async with hub.visitor() as alice:
        told = (await alice.get(API)).json()
        assert (len(told["phases"]) > 0, told["commits"]) == (True, [])
        assert told["commits_error"]
        page = await alice.get(PAGE)
    assert page.status_code == 200
    assert told["commits_error"] in page.text


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b"{}",
        b'{"commits": [{"commit": 5}]}',
        b'{"commits": "' + b"x" * 9_000_000 + b'"}',
    ],
)
async def test_an_answer_that_makes_no_sense_is_none(
    hub: Running, runner: FakeRunner, answer: bytes
) -> None:
    follow(hub)
    runner.raw = answer
    async with hub.visitor() as alice:
        assert (await alice.get(API)).json()["commits_error"] == "The commits could not be read."


async def test_a_runner_that_refuses_is_told(hub: Running, runner: FakeRunner) -> None:
    follow(hub)
    runner.status = 503
    async with hub.visitor() as alice:
        assert (await alice.get(API)).json()["commits_error"] == "The commits could not be read."


async def test_the_page_escapes_what_people_wrote(hub: Running, runner: FakeRunner) -> None:
    follow(hub)
    runner.commits = [
        {**COMMIT, "diff": DIFF, "cut": True, "owners": ["alice"]},
        {**COMMIT, "at": "<long ago>"},
    ]
    hub.index.publish("alice-a", cause="<u>why</u> `code`", revision=HEAD, step="x")
    async with hub.visitor() as alice:
        page = (await alice.get(PAGE, params={"diff": "true"})).text
    assert "&lt;b&gt;Eve&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert '<span class="del">-old &lt;i&gt;' in page
    assert '<span class="add">+new &lt;/pre&gt;' in page
    assert "<span>+++ b/x" in page
    assert "&lt;long ago&gt;" in page
    assert "The rest is not shown." in page
    assert "Hide what changed" in page
    for wrong in ("<script>alert", "<b>Eve", "<u>why", "<i>"):
        assert wrong not in page


@pytest.mark.parametrize("owners", [["bob"], ["alice", "bob"], ["?"], []])
async def test_what_was_somebody_else_s_is_for_admins(
    hub: Running, runner: FakeRunner, owners: list[str]
) -> None:
    follow(hub)
    runner.commits = [{**COMMIT, "diff": "+PLAIN: his", "cut": True, "owners": owners}]
    asked = {"diff": "true"}
    async with hub.visitor() as alice:
        (seen,) = (await alice.get(API, params=asked)).json()["commits"]
        page = (await alice.get(PAGE, params=asked)).text
    assert (seen["diff"], seen["cut"], seen["withheld"]) == ("", False, True)
    assert "PLAIN" not in page
    assert "the file was somebody else" in page
    async with hub.visitor(ROOT) as admin:
        (seen,) = (await admin.get(API, params=asked)).json()["commits"]
    assert (seen["diff"], seen["withheld"]) == ("+PLAIN: his", False)


async def test_the_page_shows_what_is_asked_and_what_runs(hub: Running) -> None:
    drift = (
        {"field": "memory", "wanted": "4Gi", "found": "<8Gi>", "stays": False},
        {"field": "network", "wanted": "x", "found": "none", "stays": False},
        {"field": "pids", "wanted": "4096", "found": "65", "stays": True},
    )
    publish(hub, drift=drift, sync=Sync.OUT_OF_SYNC, reason="SYNC_WINDOW", message="it waits")
    async with hub.visitor() as alice:
        page = (await alice.get(PAGE)).text
        listed = (await alice.get("/")).text
    assert 'href="/workspaces/alice-a/details"' in listed
    assert "hunter2" not in page
    assert "env.TOKEN" in page
    assert "&lt;8Gi&gt;" in page
    assert "(the engine has it so)" in page
    assert page.index('row">memory') < page.index('row">image')
    assert "SYNC_WINDOW" in page


async def test_a_workspace_that_was_only_published_has_a_page(hub: Running) -> None:
    hub.publish("alice-new", Phase.PENDING)
    async with hub.visitor() as alice:
        page = (await alice.get("/workspaces/alice-new/details")).text
    assert "Nothing of its file was worked on yet." in page


async def test_a_long_history_can_be_shown_whole(hub: Running) -> None:
    for _ in range(15):
        hub.publish("alice-a", Phase.WARM)
        hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor() as alice:
        assert "Show all that is kept" in (await alice.get(PAGE)).text
        assert "Show all" not in (await alice.get(PAGE, params={"limit": 200})).text


def row(**more: Any) -> Published:
    values = {"phase": Phase.RUNNING, "sync": Sync.SYNCED, "spec_json": SPEC, **more}
    return Published(id="alice-a", owner="alice", **values)


def told(**more: Any) -> dict[str, tuple[str, str, bool]]:
    found = details.properties(row(**more))
    return {each.name: (each.asked, each.runs, each.differs) for each in found}


def test_properties_of_one_that_is_not_made_or_not_known() -> None:
    assert told()["image"] == ("light", "not made yet", False)
    assert told(applied_hash="a", desired_hash="b")["image"] == ("light", "not known", False)
    made = told(applied_hash="a", desired_hash="a")
    assert made["image"] == ("light", "light", False)
    assert made["cpu"] == ("2", "2", False)
    assert made["memory"] == ("4Gi", "4Gi", False)
    assert made["state"] == ("auto", "running", False)
    assert made["env.TOKEN"] == ("set", "set", False)
    lost = told(applied_hash="a", desired_hash="a", phase=Phase.UNKNOWN)
    assert lost["image"] == ("light", "not known", False)


@pytest.mark.parametrize("spec_json", ["", "{", '{"resources": 5, "env": [1]}'])
def test_a_spec_that_can_t_be_read_is_none(spec_json: str) -> None:
    assert told(spec_json=spec_json) == {}


def test_steps_of_every_kind() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    more = {"event": "", "cause": "c", "actor": "", "request_id": "", "revision": HEAD}
    made = PhaseBody(at=at, before=None, after="RUNNING", **more)
    gone = PhaseBody(at=at, before="WARM", after=None, **more)
    first, last = details.steps([made, gone])
    assert (first.words, first.revision) == ("Running", HEAD[:12])
    assert (last.words, last.tone) == ("Forgotten", "rest")


def test_times_of_commits_are_believed_when_they_are_some() -> None:
    lines = details.commits(
        CommitBody(commit="c", author="a", at=at, subject="s", diff="", cut=False, withheld=False)
        for at in ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00", "x" * 99)
    )
    assert [line.at is None for line in lines] == [False, True, True]
    assert len(lines[2].at_words) == 40
    assert not details.has_diffs(HistoryBody(phases=[], commits=[], commits_error=""))


ALICE_SEES = Visitor("alice", False, "key")
ADMIN_SEES = Visitor("root", True, "key")


def followed(**more: Any) -> Followed:
    values = {"url": "https://git.internal/w.git", "branch": "main", "path": "w", "head": "h2"}
    return Followed(**{**values, "attempted": "h1", "applied": "h1", **more})


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ({}, "applied"),
        ({"attempted": "", "applied": ""}, "none"),
        ({"applied": "h0"}, "applying"),
        ({"waiting": ("a",)}, "applying"),
        ({"failures": {"a": "b"}, "waiting": ("c",)}, "failed"),
    ],
)
def test_how_far_the_commit_is(what: dict[str, Any], state: str) -> None:
    assert state_of(followed(**what)) == state


def test_what_names_others_is_for_admins() -> None:
    told_of = followed(
        failures={"alice-a": "mine", "bob-a": "his"}, waiting=("alice-b", "bob-b"), error="host x"
    )
    mine = frozenset({"alice-a", "alice-b"})
    found = body_of(told_of, Wishes(), visitor=ALICE_SEES, own=mine)
    assert (found.failures, found.waiting, found.state) == (
        {"alice-a": "mine"},
        ["alice-b"],
        "failed",
    )
    assert (found.url, found.path, found.head, found.head_at) == ("", "", "", None)
    assert found.error == SOME_ERROR
    all_ = body_of(told_of, Wishes(), visitor=ADMIN_SEES, own=frozenset())
    assert (len(all_.failures), len(all_.waiting), all_.error) == (2, 2, "host x")
    assert all_.url == "https://git.internal/w.git"


async def test_the_repository_is_a_line_of_the_portal(hub: Running) -> None:
    async with hub.visitor() as alice:
        assert (await alice.get("/api/v1/repository")).json()["followed"] is False
        assert 'aria-label="Repository"' not in (await alice.get("/")).text
        follow(hub, applied=HEAD)
        assert "applied" in await line(alice)
        hub.index.repository.pause(actor="<cli:root>", reason="<exams>")
        follow(
            hub, failures={"alice-a": "image <x> is `gone`"}, error="https://git.internal refused"
        )
        text = await line(alice)
        assert "Paused by &lt;cli:root&gt;" in text
        assert "(&lt;exams&gt;)" in text
        assert "image &lt;x&gt; is <code>gone</code>" in text
        assert "Nothing is removed by it" in text
        assert "git.internal" not in text
        body = (await alice.get("/api/v1/repository")).json()
        assert (body["state"], body["paused"]["by"]) == ("failed", "<cli:root>")
        assert body["failures"] == {"alice-a": "image <x> is `gone`"}
    async with hub.visitor(ROOT) as admin:
        assert "https://git.internal refused" in await line(admin)
        hub.index.repository.tell(failures={}, waiting=("alice-a",))
        assert "1 to go" in await line(admin)
        hub.index.repository.tell(attempted="", applied="", waiting=())
        assert "no commit yet" in await line(admin)


async def line(client: httpx.AsyncClient) -> str:
    page = (await client.get("/")).text
    return page[page.index('aria-label="Repository"') : page.index("</section>")]
