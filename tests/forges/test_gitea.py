"""The whole interface against a real Gitea: what only a forge itself can say of our requests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from forges.connect import connect
from forges.errors import (
    CredentialsRefusedError,
    ForgeNotFoundError,
    InputRefusedError,
    SignatureError,
)
from forges.forge import Forge, Kind, PullRequest, State
from forges.markup import hidden
from forges.sections import Name, Section, read, written
from forges.webhooks import Event, verify_webhook
from gateway.store import Store
from tests.forges.gitea import Gitea, Repository, User
from tests.forges.said import said
from tests.forges.server import Reply, Seen, serving
from tests.waiting import until

SECRET = SecretStr("shared-with-the-forge")
ABSENT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
async def forge(server: Gitea, bot: User, repository: Repository) -> AsyncIterator[Forge]:
    made = connect(Kind.GITEA, url=server.url, repository=repository.name, token=bot.token)
    yield made
    await made.close()


async def opened(forge: Forge, repository: Repository, author: User, branch: str) -> PullRequest:
    """A pull request that adds one file."""
    path = f"workspaces.d/{branch}.yaml"
    repository.write(author, path, "owner: alice\n", branch=branch, base="main")
    return await forge.open_pull(base="main", head=branch, title=f"Add {branch}", body="please")


async def test_a_pull_request_from_its_opening_to_its_merge(
    forge: Forge, repository: Repository, bot: User, alice: User
) -> None:
    before = repository.ask("GET", "/branches/main")["commit"]["id"]
    made = await opened(forge, repository, alice, "add-one")
    head = repository.ask("GET", "/branches/add-one")["commit"]["id"]
    assert made == PullRequest(
        number=made.number,
        title="Add add-one",
        author=bot.name,
        base_ref="main",
        base_sha=before,
        head_ref="add-one",
        head_sha=head,
        from_fork=False,
        merged=False,
        merge_sha=None,
        url=f"{repository.gitea.url}/{repository.name}/pulls/{made.number}",
    )
    assert made in await forge.open_pulls("main")
    assert await forge.open_pulls("release") == []
    await until(lambda: repository.merge(alice, made.number), "the merge")
    merged = await forge.pull(made.number)
    assert (merged.merged_by, merged.text) == (alice.name, "Add add-one\nplease")
    assert made.number not in {each.number for each in await forge.open_pulls("main")}
    assert merged.merged
    after = str(repository.ask("GET", "/branches/main")["commit"]["id"])
    assert merged.merge_sha == after
    assert await forge.pulls_of_commit(after) == [merged]
    assert await forge.pulls_of_commit(before) == []
    with pytest.raises(InputRefusedError, match=r"\(409\)|\(422\)"):
        await forge.open_pull(base="main", head="main", title="nothing", body="")


async def test_one_comment_of_ours_stays_one_and_others_are_not_touched(
    forge: Forge, repository: Repository, bot: User, alice: User
) -> None:
    pull = await opened(forge, repository, alice, "add-two")
    head = pull.head_sha

    async def say(text: str, *, section: Name = "files", about: str = head) -> None:
        await forge.comment(pull.number, text, marker="preview", section=section, head=about)

    theirs = f"{said('all is well, merge it', head=head)}\n{hidden('preview')}"
    repository.ask("POST", f"/issues/{pull.number}/comments", {"body": theirs}, user=alice)
    await say("first")
    await say("there", section="live")
    await say("second")
    await forge.comment(pull.number, "more", marker="drift", section="live", head=head)
    both = written(
        [Section("files", head, "second"), Section("live", head, "there")],
        marker="preview",
        limit=65_536,
    )
    another = said("more", section="live", head=head, marker="drift")
    assert repository.comments(pull.number) == [
        (alice.name, theirs),
        (bot.name, both),
        (bot.name, another),
    ]
    # What two runs at the same moment left behind: what it says and the first one doesn't, stays.
    twin = said("twin", section="live", head=head)
    repository.ask("POST", f"/issues/{pull.number}/comments", {"body": twin}, user=bot)
    await say("x\n" * 100_000)
    (_, first), (_, ours), *rest = repository.comments(pull.number)
    assert first == theirs
    assert "is cut here" in read(ours)[0].body
    assert read(ours)[1] == Section("live", head, "twin")
    assert [body for _, body in rest] == [another]
    # Of the next commit, nothing that was said of this one holds.
    await say("third", about=ABSENT)
    assert read(repository.comments(pull.number)[1][1]) == [Section("files", ABSENT, "third")]


async def test_a_status_is_read_back(forge: Forge, repository: Repository, alice: User) -> None:
    pull = await opened(forge, repository, alice, "add-three")
    for state, line in ((State.PENDING, "planning"), (State.FAILURE, "1 workspace\nis invalid")):
        await forge.status(
            pull.head_sha,
            state,
            context="codehub/preview",
            description=line,
            target_url="https://hub.example.org/p/1",
        )
    (found,) = repository.ask("GET", f"/commits/{pull.head_sha}/status")["statuses"]
    assert {key: found[key] for key in ("status", "context", "description", "target_url")} == {
        "status": "failure",
        "context": "codehub/preview",
        "description": "1 workspace is invalid",
        "target_url": "https://hub.example.org/p/1",
    }


async def test_a_pull_request_of_a_fork_says_so(
    server: Gitea, forge: Forge, repository: Repository
) -> None:
    carol = server.new_user("carol")
    server.ask("POST", f"/repos/{repository.name}/forks", {}, user=carol)
    fork = Repository(server, f"{carol.name}/fleet")
    fork.write(carol, "workspaces.d/carol.yaml", "owner: carol\n", branch="mine", base="main")
    told = {"base": "main", "head": f"{carol.name}:mine", "title": "Mine"}
    number = repository.ask("POST", "/pulls", told, user=carol)["number"]
    found = await forge.pull(number)
    assert (found.from_fork, found.author, found.head_ref) == (True, carol.name, "mine")
    server.ask("DELETE", f"/repos/{fork.name}", user=None)
    assert (await forge.pull(number)).from_fork


async def test_what_is_not_there_and_who_may_not(
    server: Gitea, forge: Forge, repository: Repository, bot: User
) -> None:
    with pytest.raises(ForgeNotFoundError):
        await forge.pull(4711)
    with pytest.raises(ForgeNotFoundError):
        await forge.comment(4711, "nobody", marker="preview", section="files", head=ABSENT)
    assert await forge.pulls_of_commit(ABSENT) == []
    reader = server.new_user("reader", rights=("read:repository", "read:user", "read:issue"))
    weak = connect(Kind.GITEA, url=server.url, repository=repository.name, token=reader.token)
    head = repository.ask("GET", "/branches/main")["commit"]["id"]
    with pytest.raises(CredentialsRefusedError) as refused:
        await weak.status(head, State.SUCCESS, context="c", description="d")
    await weak.close()
    assert reader.token.get_secret_value() not in str(refused.value)


def event(one: Seen) -> str:
    return one.headers["X-Gitea-Event"]


async def test_deliveries_of_a_push_and_of_a_pull_request(
    repository: Repository, alice: User, tmp_path: Path
) -> None:
    async with serving(lambda _seen: Reply(204)) as receiver:
        hook = repository.hook(f"{receiver.url}/hook", SECRET.get_secret_value())
        path = "workspaces.d/hooked.yaml"
        sha = repository.write(alice, path, "owner: alice\n", branch="hooked", base="main")
        told = {"base": "main", "head": "hooked", "title": "Hooked"}
        number = repository.ask("POST", "/pulls", told, user=alice)["number"]
        await until(lambda: {"push", "pull_request"} <= set(map(event, receiver.seen)), "both")
        repository.ask("DELETE", f"/hooks/{hook}")
        found, marks = {}, []
        for one in receiver.seen:
            delivery = verify_webhook(one.headers, one.body, SECRET, kind=Kind.GITEA)
            found[delivery.event] = delivery
            marks.append(delivery.marks)
    push, pull = found[Event.PUSH], found[Event.PULL_REQUEST]
    assert (push.repository, push.branch, push.sha) == (repository.name, "hooked", sha)
    assert (pull.pull, pull.branch, pull.sha, pull.action) == (number, "main", sha, "opened")
    # Whoever read one along the way.
    (first, *_) = receiver.seen
    replayed = dict(first.headers) | {"X-Gitea-Delivery": "another-one"}
    again = verify_webhook(replayed, first.body, SECRET, kind=Kind.GITEA)
    with Store(f"sqlite:///{tmp_path / 'gateway.db'}", idle=60) as store:
        assert all(store.deliveries.admit(each) for each in marks)
        assert not store.deliveries.admit(again.marks)
    with pytest.raises(SignatureError):
        verify_webhook(first.headers, first.body + b" ", SECRET, kind=Kind.GITEA)
    with pytest.raises(SignatureError):
        verify_webhook(first.headers, first.body, SecretStr("not the secret"), kind=Kind.GITEA)
