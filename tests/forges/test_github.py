"""Every request to GitHub is one that GitHub's own description of its API knows, and its examples are read.

Answers come from a server on this machine, which is told by the same description what it may answer.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from forges.connect import connect
from forges.errors import CredentialsRefusedError, InputRefusedError, UnexpectedAnswerError
from forges.forge import Forge, Kind, PullRequest, State
from forges.github import pull_of
from forges.markup import hidden
from forges.patience import Patience
from tests.forges.openapi import (
    PREFIX,
    MismatchError,
    check_reply,
    check_request,
    example,
)
from tests.forges.said import said
from tests.forges.server import Reply, Seen, Server, serving

SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
TOKEN = SecretStr("ghp-0123456789-canary")

Handler = Callable[[Seen], Reply]


class Known:
    """Answers by operation; each request and each answer is checked."""

    def __init__(self, handlers: dict[str, Handler | Reply]) -> None:
        self.handlers = handlers
        self.asked: list[str] = []

    def __call__(self, seen: Seen) -> Reply:
        """Answer, or say what is wrong in a form that makes the test fail."""
        assert seen.headers["Authorization"] == f"Bearer {TOKEN.get_secret_value()}"
        assert seen.headers["X-GitHub-Api-Version"] == "2022-11-28"
        found = check_request(seen)
        self.asked.append(found["operationId"])
        handler = self.handlers[found["operationId"]]
        reply = handler if isinstance(handler, Reply) else handler(seen)
        check_reply(found, reply)
        return reply


@asynccontextmanager
async def github(
    handlers: dict[str, Handler | Reply], *, login: str = ""
) -> AsyncIterator[tuple[Forge, Known, Server]]:
    known = Known(handlers)
    wrong: list[Exception] = []

    def answers(seen: Seen) -> Reply:
        try:
            return known(seen)
        except Exception as error:
            wrong.append(error)
            raise

    async with serving(answers) as server:
        forge = connect(
            Kind.GITHUB,
            url=server.url,
            repository="octocat/Hello-World",
            token=TOKEN,
            login=login,
            patience=Patience(attempts=1),
        )
        try:
            yield forge, known, server
        finally:
            await forge.close()
            assert wrong == []


def comment(number: int, author: str, body: str) -> dict[str, Any]:
    made: dict[str, Any] = example("issues/get-comment")
    return made | {"id": number, "body": body, "user": made["user"] | {"login": author}}


USER = Reply(data=example("users/get-authenticated"))


async def test_a_first_comment_is_made() -> None:
    handlers: dict[str, Handler | Reply] = {
        "users/get-authenticated": USER,
        "issues/list-comments": Reply(data=example("issues/list-comments")),
        "issues/create-comment": Reply(201, example("issues/create-comment", 201)),
    }
    async with github(handlers) as (forge, known, server):
        await forge.comment(1347, "hello", marker="preview", section="files", head=SHA)
    assert known.asked == [
        "users/get-authenticated",
        "issues/list-comments",
        "issues/create-comment",
    ]
    assert server.seen[-1].data == {"body": said("hello", head=SHA)}


async def test_ours_is_found_on_a_later_page_edited_and_its_twin_removed() -> None:
    pages = {
        "1": [comment(1, "mallory", f"{hidden('preview')}\nmine"), comment(2, "octocat", "words")],
        "2": [comment(9, "Octocat", f"{hidden('preview')}\nlater")],
        "3": [comment(5, "octocat", said("old", head=SHA).replace("\n", "\r\n") + "\r\n")],
    }

    def listed(seen: Seen) -> Reply:
        page = seen.query["page"]
        more = {"Link": '<https://elsewhere.example/?page=2>; rel="next"'} if page != "3" else {}
        return Reply(data=pages[page], headers=more)

    handlers: dict[str, Handler | Reply] = {
        "users/get-authenticated": USER,
        "issues/list-comments": listed,
        "issues/update-comment": Reply(data=example("issues/update-comment")),
        "issues/delete-comment": Reply(204, raw=b""),
    }
    async with github(handlers) as (forge, known, server):
        await forge.comment(1347, "new", marker="preview", section="files", head=SHA)
        assert [(one.method, one.path.rpartition("/")[2]) for one in server.seen[-2:]] == [
            ("PATCH", "5"),
            ("DELETE", "9"),
        ]
        # What it says already is not written again.
        await forge.comment(1347, "old", marker="preview", section="files", head=SHA)
    assert known.asked.count("issues/update-comment") == 1
    assert known.asked.count("users/get-authenticated") == 1


async def test_a_list_that_never_ends() -> None:
    endless = Reply(data=[], headers={"Link": '<x>; rel="next"'})
    handlers: dict[str, Handler | Reply] = {"issues/list-comments": endless}
    async with github(handlers, login="octocat") as (forge, known, _):
        with pytest.raises(UnexpectedAnswerError, match="100 pages"):
            await forge.comment(1347, "x", marker="preview", section="files", head=SHA)
    assert len(known.asked) == 100


async def test_a_token_that_may_not_ask_who_it_is() -> None:
    """That of GitHub Actions: its login is a setting."""
    refused = Reply(403, {"message": "Resource not accessible by integration"})
    async with github({"users/get-authenticated": refused}) as (forge, _, _):
        with pytest.raises(CredentialsRefusedError, match="set the login"):
            await forge.comment(1347, "x", marker="preview", section="files", head=SHA)


async def test_a_status() -> None:
    made = Reply(201, example("repos/create-commit-status", 201))
    async with github({"repos/create-commit-status": made}) as (forge, _, server):
        for state in State:
            await forge.status(
                SHA,
                state,
                context="codehub",
                description="x" * 200,
                target_url="https://h.example/p",
            )
        await forge.status(SHA, State.SUCCESS, context="codehub", description="")
    assert [one.data["state"] for one in server.seen] == [*State, "success"]
    assert len(server.seen[0].data["description"]) == 140
    assert "target_url" not in server.seen[-1].data


PULL = PullRequest(
    number=1347,
    title="Amazing new feature",
    author="octocat",
    base_ref="master",
    base_sha=SHA,
    head_ref="new-topic",
    head_sha=SHA,
    from_fork=False,
    merged=False,
    merge_sha=None,
    url="https://github.com/octocat/Hello-World/pull/1347",
)


async def test_a_pull_request_is_read_and_opened() -> None:
    told = example("pulls/get")
    handlers: dict[str, Handler | Reply] = {
        "pulls/get": Reply(data=told),
        "pulls/create": Reply(201, example("pulls/create", 201)),
    }
    async with github(handlers) as (forge, known, server):
        assert await forge.pull(1347) == PULL
        opened = await forge.open_pull(base="master", head="new-topic", title="T\nx", body="b")
    assert opened == PULL
    assert known.asked == ["pulls/get", "pulls/create", "pulls/get"]
    wanted = {"base": "master", "head": "new-topic", "title": "T x", "body": "b"}
    assert server.seen[1].data == wanted


async def test_a_merged_one_of_a_fork_found_by_its_commit() -> None:
    told = example("pulls/get")
    told["head"]["repo"]["id"] = 4711
    told |= {"merged": True, "state": "closed"}
    handlers: dict[str, Handler | Reply] = {
        "repos/list-pull-requests-associated-with-commit": Reply(
            data=example("repos/list-pull-requests-associated-with-commit")
        ),
        "pulls/get": Reply(data=told),
    }
    async with github(handlers) as (forge, _, _):
        (found,) = await forge.pulls_of_commit(SHA)
    assert (found.from_fork, found.merged) == (True, True)
    assert found.merge_sha == told["merge_commit_sha"]
    # Of a fork that is gone there is none, whatever the description says.
    told["head"]["repo"] = None
    assert pull_of(told).from_fork


async def test_the_open_one_of_a_branch() -> None:
    told = example("pulls/get")
    handlers: dict[str, Handler | Reply] = {
        "pulls/list": Reply(data=example("pulls/list")),
        "pulls/get": Reply(data=told),
    }
    async with github(handlers) as (forge, known, server):
        found = await forge.pull_of_branch(base="master", head="new-topic")
        assert await forge.pull_of_branch(base="other", head="new-topic") is None
    assert found == PULL
    assert known.asked == ["pulls/list", "pulls/get"] * 2
    assert dict(server.seen[0].query) == {
        "state": "open",
        "base": "master",
        "head": "octocat:new-topic",
        "per_page": "100",
    }


async def test_open_ones_into_a_branch_are_listed_once_and_no_more_than_two_pages() -> None:
    (one,) = example("pulls/list")
    asked: list[dict[str, str]] = []

    def listed(seen: Seen) -> Reply:
        asked.append(seen.query)
        other = one["base"] | {"ref": "release"}
        found = [one, one | {"number": 7 + len(asked)}, one | {"number": 99, "base": other}]
        return Reply(data=found, headers={"Link": '<https://x.example/?page=9>; rel="next"'})

    async with github({"pulls/list": listed}) as (forge, _, _):
        found = await forge.open_pulls("master")
    assert [each.number for each in found] == [1347, 8, 9]
    assert {each.merged for each in found} == {False}
    assert [(query["base"], query["state"], query["page"]) for query in asked] == [
        ("master", "open", "1"),
        ("master", "open", "2"),
    ]


async def test_one_that_is_not_as_it_should_be_hides_no_other_one() -> None:
    (one,) = example("pulls/list")
    odd = one | {"number": 5, "title": ""}
    orphan = one | {"number": 6, "user": None}
    listed = Reply(data=[odd, orphan, one])
    async with github({"pulls/list": listed}) as (forge, _, _):
        found = await forge.open_pulls("master")
    assert [(each.number, each.author) for each in found] == [(6, ""), (1347, "octocat")]
    async with github({"pulls/list": Reply(data=[odd, odd])}) as (forge, _, _):
        with pytest.raises(UnexpectedAnswerError):
            await forge.open_pulls("master")


async def test_who_merged_it_is_the_forges_word_and_its_text_is_kept() -> None:
    told = example("pulls/get")
    assert pull_of(told).merged_by == ""
    told |= {"merged": True, "merged_by": example("users/get-authenticated"), "body": "why"}
    assert pull_of(told).merged_by == "octocat"
    assert pull_of(told).text == "Amazing new feature\nwhy"
    assert pull_of(told | {"merged_by": None, "body": None}).merged_by == ""


async def test_what_can_be_no_commit_and_no_pull_request_is_not_asked_for() -> None:
    async with github({}) as (forge, known, _):
        for wrong in ("", "main", SHA[:7], f"{SHA}/../x", SHA.upper()):
            with pytest.raises(InputRefusedError):
                await forge.pulls_of_commit(wrong)
            with pytest.raises(InputRefusedError):
                await forge.status(wrong, State.ERROR, context="c", description="d")
        with pytest.raises(InputRefusedError):
            await forge.comment(0, "x", marker="preview", section="files", head=SHA)
    assert known.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/repos/o/r/issues/7/comment"},
        {"path": "/repos/o/r/issues/seven/comments"},
        {"query": {"per-page": "9"}},
        {"method": "GET", "query": {"page": "two"}},
        {"body": b'{"text": "x"}'},
        {"body": b'{"body": 7}'},
        {"body": b"{}"},
    ],
)
def test_the_check_sees_what_is_wrong(change: dict[str, Any]) -> None:
    """Else the tests above would say nothing."""
    right: dict[str, Any] = {
        "method": "POST",
        "path": f"{PREFIX}/repos/o/r/issues/7/comments",
        "query": {},
        "headers": {"Content-Type": "application/json"},
        "body": b'{"body": "x"}',
    }
    assert check_request(Seen(**right))["operationId"] == "issues/create-comment"
    with pytest.raises(MismatchError):
        check_request(Seen(**(right | change)))


def test_the_check_sees_an_answer_that_github_would_not_give() -> None:
    found = check_request(Seen("GET", "/repos/o/r/pulls/7", {}, {}, b""))
    told = example("pulls/get")
    check_reply(found, Reply(data=told))
    for wrong in (Reply(data=told | {"number": "7"}), Reply(status=418), Reply(data=[])):
        with pytest.raises(MismatchError):
            check_reply(found, wrong)
