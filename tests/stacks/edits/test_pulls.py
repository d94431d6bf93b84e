"""Edits on a real Gitea: pull requests, once each; a branch that it protects; a forge that is away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from forges.errors import RateLimitedError
from forges.forge import PullRequest
from settings.load import load
from settings.model import ForgeSettings
from stacks.edits import drafts, pulls
from stacks.edits.branch import Branch, Mode, Ways
from stacks.edits.model import Outcome
from stacks.edits.pulls import ForgePulls
from stacks.errors import GitError, PushRefusedError
from stacks.fence import Fence
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote
from state_index.edits import Edit
from state_index.index import Index
from tests.forges import gitea
from tests.forges.gitea import Gitea, Repository, User
from tests.stacks.edits.office import DOMAIN, workspace
from tests.waiting import until

WARM = workspace("state: warm\n")
SAID = "@alice closes #1\n/merge\n```\n<b>x</b>"


@pytest.fixture(scope="module")
def server() -> Iterator[Gitea]:
    with gitea.serving() as running:
        yield running


@pytest.fixture(scope="module")
def bot(server: Gitea) -> User:
    return server.new_user("hub-bot")


@pytest.fixture(scope="module")
def repository(server: Gitea, bot: User) -> Repository:
    alice = server.new_user("alice")
    made = server.new_repository(alice, "fleet")
    made.ask("PUT", f"/collaborators/{bot.name}", {"permission": "write"})
    for name in ("one", "two"):
        made.write(alice, f"ws/{name}.yaml", workspace(), branch="main")
    return made


@dataclass
class Bench:
    folder: Path
    repository: Repository
    bot: User
    index: Index

    @property
    def token(self) -> Path:
        path = self.folder / "token"
        if not path.exists():
            path.write_text(self.bot.token.get_secret_value())
            path.chmod(0o600)
        return path

    def settings(self, **changes: str) -> ForgeSettings:
        told = {
            "FORGE": "gitea",
            "FORGE_URL": self.repository.gitea.url,
            "FORGE_REPOSITORY": self.repository.name,
            "FORGE_TOKEN_FILE": str(self.token),
        } | changes
        env = {f"CODEHUB_{name}": value for name, value in told.items()}
        return load(ForgeSettings, env, self.folder)

    def branch(self, mode: Mode, opens: pulls.Pulls | None = None) -> Branch:
        url = f"{self.repository.gitea.url}/{self.repository.name}.git"
        remote = Remote(url=url, branch="main", token_file=self.token, user=self.bot.name)
        drafts.sweep(self.folder / "edits")
        ways = Ways(
            mode=mode,
            domain=DOMAIN,
            path="ws",
            timeout=60,
            drafts=self.folder / "edits",
            pulls=opens or pulls.of_settings(self.settings()),
        )
        mirror = Mirror(self.folder / "mirror.git", remote, timeout=60)
        return Branch(mirror, remote, ways, fence=Fence.always(), pushed=_nothing)

    async def ask(self, id_: str) -> Edit:
        place = self.branch("commit")
        await place.refresh()
        base = (await place.file(id_)).revision
        return self.index.edits.ask(
            id_, "change", actor="alice", base=base, text=WARM, message=SAID
        )

    def open_pulls(self, edit: Edit) -> list[dict[str, Any]]:
        found = self.repository.ask("GET", "/pulls?state=all")
        return [one for one in found if one["head"]["ref"] == f"codehub/edit-{edit.id}"]


async def _nothing() -> None:
    pass


@pytest.fixture
def bench(tmp_path: Path, repository: Repository, bot: User) -> Iterator[Bench]:
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        yield Bench(tmp_path, repository, bot, index)


async def test_an_edit_becomes_one_pull_request_in_its_users_name(bench: Bench) -> None:
    before = bench.repository.ask("GET", "/branches/main")["commit"]["id"]
    edit = await bench.ask("one")
    outcome = await bench.branch("pull").make(edit)
    assert bench.repository.ask("GET", "/branches/main")["commit"]["id"] == before
    assert await bench.branch("pull").make(edit) == outcome, "its runner was killed"
    (found,) = bench.open_pulls(edit)
    assert (found["html_url"], found["title"]) == (outcome.url, "Change workspace one")
    body = str(found["body"])
    assert body.startswith("`alice` asks for this change of `one`.\n\n````\n@alice closes #1\n")
    commit = bench.repository.ask("GET", f"/git/commits/{outcome.commit}")["commit"]
    assert (commit["author"]["name"], commit["committer"]["name"]) == ("alice", "CodeHub")
    assert f"Codehub-Operation: {edit.id}" in commit["message"]
    await until(lambda: bench.repository.merge(None, found["number"]), "the merge")
    place = bench.branch("pull")
    await place.refresh()
    assert (await place.file("one")).text == WARM


class Cut(ForgePulls):
    """Its runner is killed before a pull request is there."""

    left = 1

    async def open(self, edit: Edit, *, base: str, head: str) -> Outcome:
        if self.left:
            self.left -= 1
            raise GitError("cut")
        return await super().open(edit, base=base, head=head)


async def test_a_branch_that_was_pushed_gets_its_pull_request_later(bench: Bench) -> None:
    edit, opens = await bench.ask("two"), Cut(bench.settings())
    with pytest.raises(GitError, match="cut"):
        await bench.branch("pull", opens).make(edit)
    assert bench.open_pulls(edit) == []
    outcome = await bench.branch("pull", opens).make(edit)
    (found,) = bench.open_pulls(edit)
    assert found["html_url"] == outcome.url


async def test_a_pull_request_that_is_closed_is_none(bench: Bench) -> None:
    edit, opens = await bench.ask("two"), ForgePulls(bench.settings())
    place, branch = bench.branch("pull"), f"codehub/edit-{edit.id}"
    await place.make(edit)
    (found,) = bench.open_pulls(edit)
    bench.repository.ask("PATCH", f"/pulls/{found['number']}", {"state": "closed"})
    assert await opens.find(base="main", head=branch) is None
    assert await opens.find(base="main", head="never") is None


async def test_a_branch_that_gitea_protects(bench: Bench) -> None:
    rule = {"branch_name": "main", "rule_name": "main", "enable_push": False}
    bench.repository.ask("POST", "/branch_protections", rule)
    edit = await bench.ask("two")
    with pytest.raises(
        PushRefusedError, match="Not allowed to push to protected branch main"
    ) as refused:
        await bench.branch("commit").make(edit)
    assert bench.bot.token.get_secret_value() not in refused.value.told
    outcome = await bench.branch("pull").make(edit)
    assert outcome.url, "which is what the remedy says"
    bench.repository.ask("DELETE", "/branch_protections/main")


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"FORGE_URL": "http://127.0.0.1:1"}, GitError, "does not answer"),
        ({"FORGE_URL": "http://forge.example.org"}, PushRefusedError, "plain http"),
        ({"FORGE_TOKEN_FILE": "/nonexistent"}, PushRefusedError, "can't be asked"),
        ({"FORGE_REPOSITORY": "alice/none"}, None, ""),
    ],
)
async def test_a_forge_that_can_not_be_asked(
    bench: Bench, changes: dict[str, str], kind: type[Exception] | None, told: str
) -> None:
    opens = ForgePulls(bench.settings(**changes))
    if kind is None:
        assert await opens.find(base="main", head="x") is None
        return
    with pytest.raises(kind, match=told):
        await opens.find(base="main", head="x")


def test_without_a_forge_there_are_none(tmp_path: Path) -> None:
    assert pulls.of_settings(load(ForgeSettings, {}, tmp_path)) is None


def test_what_a_forge_says_is_what_is_told() -> None:
    found = PullRequest(
        number=1,
        title="t",
        author="a",
        base_ref="main",
        base_sha=None,
        head_ref="h",
        head_sha="c" * 40,
        from_fork=False,
        merged=False,
        merge_sha=None,
        url="https://forge.example.org/1",
    )
    assert pulls._outcome(found) == Outcome(commit="c" * 40, url="https://forge.example.org/1")


@pytest.mark.parametrize("seconds", [7.0, None])
def test_a_forge_that_wants_us_to_wait_is_waited_for(seconds: float | None) -> None:
    with pytest.raises(GitError, match="slowly") as caught, pulls._translated():
        raise RateLimitedError("slowly", retry_after=seconds)
    assert caught.value.delay == seconds


async def test_what_is_so_already_needs_no_pull_request(bench: Bench) -> None:
    edit = replace(await bench.ask("one"), text=workspace(), id="0" * 32)
    if (await bench.branch("commit").file("one")).text != workspace():
        edit = replace(edit, text=WARM)
    outcome = await bench.branch("pull").make(edit)
    assert (outcome.url, bench.open_pulls(edit)) == ("", [])
