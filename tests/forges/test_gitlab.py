"""What is sent to GitLab and read of it, as its documentation has it; no GitLab was asked.

A server on this machine stands in for one, and says nothing of what a real one takes: see
docs/explanation/forges.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from forges.connect import connect
from forges.errors import ForgeNotFoundError, InputRefusedError, UnexpectedAnswerError
from forges.forge import Forge, Kind, PullRequest, State
from forges.gitlab import pull_of
from forges.markup import hidden
from tests.forges.said import said
from tests.forges.server import Answers, Reply, Seen, Server, serving

SHA, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
PROJECT = "/api/v4/projects/acme%2Fsub%2Ffleet"
MERGE_REQUEST: dict[str, Any] = {
    "iid": 7,
    "title": "Add alice",
    "author": {"username": "alice"},
    "state": "opened",
    "target_branch": "main",
    "source_branch": "add-alice",
    "source_project_id": 3,
    "target_project_id": 3,
    "sha": SHA,
    "diff_refs": {"base_sha": MERGE, "start_sha": BASE, "head_sha": SHA},
    "merge_commit_sha": None,
    "squash_commit_sha": None,
    "web_url": "https://gitlab.example.org/acme/sub/fleet/-/merge_requests/7",
}
PULL = PullRequest(
    number=7,
    title="Add alice",
    author="alice",
    base_ref="main",
    base_sha=BASE,
    head_ref="add-alice",
    head_sha=SHA,
    from_fork=False,
    merged=False,
    merge_sha=None,
    url="https://gitlab.example.org/acme/sub/fleet/-/merge_requests/7",
)


@asynccontextmanager
async def gitlab(answers: Answers) -> AsyncIterator[tuple[Forge, Server]]:
    async with serving(answers) as server:
        forge = connect(
            Kind.GITLAB,
            url=server.url,
            repository="acme/sub/fleet",
            token=SecretStr("glpat-0123456789"),
        )
        yield forge, server
        await forge.close()
    assert {one.headers["PRIVATE-TOKEN"] for one in server.seen} == {"glpat-0123456789"}


def asked(server: Server) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in server.seen]


@pytest.mark.parametrize(
    ("change", "merge_sha"),
    [
        ({"merge_commit_sha": MERGE, "squash_commit_sha": BASE}, MERGE),
        ({"squash_commit_sha": MERGE}, MERGE),
        ({}, SHA),
    ],
)
async def test_a_merged_one_by_merge_by_squash_and_by_putting_on_top(
    change: dict[str, str], merge_sha: str
) -> None:
    told = MERGE_REQUEST | {"state": "merged", **change}

    def answers(seen: Seen) -> Reply:
        return Reply(data=[told] if seen.path.endswith("/merge_requests") else told)

    async with gitlab(answers) as (forge, server):
        (found,) = await forge.pulls_of_commit(merge_sha)
    assert (found.merged, found.merge_sha) == (True, merge_sha)
    assert asked(server) == [
        ("GET", f"{PROJECT}/repository/commits/{merge_sha}/merge_requests"),
        ("GET", f"{PROJECT}/merge_requests/7"),
    ]


async def test_the_open_one_of_a_branch() -> None:
    def answers(seen: Seen) -> Reply:
        return Reply(
            data=[MERGE_REQUEST] if seen.path.endswith("/merge_requests") else MERGE_REQUEST
        )

    base, head = MERGE_REQUEST["target_branch"], MERGE_REQUEST["source_branch"]
    async with gitlab(answers) as (forge, server):
        found = await forge.pull_of_branch(base=base, head=head)
        assert await forge.pull_of_branch(base=base, head="other") is None
    assert found is not None
    assert found.number == 7
    assert asked(server)[0] == ("GET", f"{PROJECT}/merge_requests")


@pytest.mark.parametrize("source", [None, 4])
async def test_one_of_a_fork_that_is_not_prepared_yet(source: int | None) -> None:
    told = MERGE_REQUEST | {"source_project_id": source, "diff_refs": None}
    async with gitlab(lambda _seen: Reply(data=told)) as (forge, _):
        found = await forge.pull(7)
    assert (found.from_fork, found.base_sha) == (True, None)


async def test_open_ones_are_listed_and_who_merged_one_is_told() -> None:
    page = f"{PROJECT}/merge_requests"
    closed = MERGE_REQUEST | {"state": "merged", "iid": 8}
    answers: Answers = lambda _: Reply(data=[MERGE_REQUEST, closed])  # noqa: E731
    async with gitlab(answers) as (forge, server):
        assert await forge.open_pulls("main") == [PULL]
    assert asked(server) == [("GET", page)]
    assert server.seen[0].query["target_branch"] == "main"
    assert pull_of(closed | {"merge_user": {"username": "bob"}}).merged_by == "bob"
    assert pull_of(closed | {"merged_by": {"username": "eve"}}).merged_by == "eve"
    assert pull_of(MERGE_REQUEST | {"merged_by": {"username": "eve"}}).merged_by == ""
    assert pull_of(MERGE_REQUEST | {"author": None}).author == ""


async def test_one_is_opened() -> None:
    async with gitlab(lambda _seen: Reply(data=MERGE_REQUEST)) as (forge, server):
        assert await forge.open_pull(base="main", head="add-alice", title="T", body="b") == PULL
    assert server.seen[0].data == {
        "source_branch": "add-alice",
        "target_branch": "main",
        "title": "T",
        "description": "b",
    }


def note(number: int, author: str, body: str) -> dict[str, Any]:
    return {"id": number, "author": {"username": author}, "body": body}


async def test_the_one_comment() -> None:
    notes = [note(1, "mallory", f"{hidden('preview')}\nx"), {"id": 2, "author": None, "body": "y"}]

    def answers(seen: Seen) -> Reply:
        if seen.path.endswith("/user"):
            return Reply(data={"username": "hub-bot"})
        if seen.method == "GET":
            more = {"Link": '<x>; rel="next"'} if seen.query["page"] == "1" else {}
            # The second page begins with what the first one ended with, as when one was removed meanwhile.
            return Reply(data=notes if more else notes[2:], headers=more)
        if seen.method == "POST":
            notes.append(note(3, "hub-bot", seen.data["body"]))
            notes.append(note(4, "hub-bot", seen.data["body"]))
        return Reply(204, raw=b"")

    async with gitlab(answers) as (forge, server):
        await forge.comment(7, "first", marker="preview", section="files", head=SHA)
        await forge.comment(7, "second", marker="preview", section="files", head=SHA)
    notes_path = f"{PROJECT}/merge_requests/7/notes"
    assert [one for one in asked(server) if one[0] != "GET"] == [
        ("POST", notes_path),
        ("PUT", f"{notes_path}/3"),
        ("DELETE", f"{notes_path}/4"),
    ]
    assert server.seen[-2].data == {"body": said("second", head=SHA)}


async def test_statuses_have_its_own_names() -> None:
    async with gitlab(lambda _seen: Reply(201, {})) as (forge, server):
        for state in State:
            url = "https://hub.example.org/p"
            await forge.status(SHA, state, context="codehub", description="d", target_url=url)
        await forge.status(SHA, State.SUCCESS, context="codehub", description="d")
    assert [one.data["state"] for one in server.seen] == [
        "pending",
        "success",
        "failed",
        "failed",
        "success",
    ]
    assert server.seen[0].data == {
        "state": "pending",
        "name": "codehub",
        "description": "d",
        "target_url": "https://hub.example.org/p",
    }
    assert "target_url" not in server.seen[-1].data


async def test_a_status_that_is_so_already_is_no_failure() -> None:
    told = "Cannot transition status via :enqueue from :pending (Reason(s): ...)"
    async with gitlab(lambda _seen: Reply(400, {"message": told})) as (forge, _):
        await forge.status(SHA, State.PENDING, context="codehub", description="d")
        with pytest.raises(InputRefusedError):
            await forge.status(SHA, State.SUCCESS, context="codehub", description="d")


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        MERGE_REQUEST | {"iid": "7"},
        MERGE_REQUEST | {"sha": "main"},
        MERGE_REQUEST | {"title": ""},
        MERGE_REQUEST | {"target_project_id": None},
        MERGE_REQUEST | {"diff_refs": {"start_sha": "x"}},
    ],
)
async def test_what_is_no_merge_request(wrong: Any) -> None:
    async with gitlab(lambda _seen: Reply(data=wrong)) as (forge, _):
        with pytest.raises(UnexpectedAnswerError):
            await forge.pull(7)


@pytest.mark.parametrize("wrong", [{}, ["x"], [{"id": 1, "body": None}], [{"body": "x"}]])
async def test_what_is_no_list_of_notes(wrong: Any) -> None:
    def answers(seen: Seen) -> Reply:
        return Reply(data={"username": "us"} if seen.path.endswith("/user") else wrong)

    async with gitlab(answers) as (forge, _):
        with pytest.raises(UnexpectedAnswerError):
            await forge.comment(7, "x", marker="preview", section="files", head=SHA)


async def test_what_is_not_there() -> None:
    async with gitlab(lambda _seen: Reply(404, {"message": "404 Not found"})) as (forge, _):
        with pytest.raises(ForgeNotFoundError):
            await forge.pull(8)
