"""The copy of a repository: over real servers, cut, refused, broken, and never with a secret in sight."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.errors import GitAccessError, GitError, GitRefError
from stacks.git import tree
from stacks.git.mirror import MOST_PACKS, Mirror
from stacks.git.remote import Remote
from stacks.git.transfer import transfer
from tests.leaks import arguments
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.git.serving import Served, basic, cable, http
from tests.stacks.git.ssh import Sshd, sshd
from tests.waiting import until

CANARY = "c4nary-t0ken"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "team")
    found.commit({"ws/one.yaml": WORKSPACE})
    return found


@pytest.fixture
def served(repository: Repository, tmp_path: Path) -> Iterator[Served]:
    with http(tmp_path) as server:
        yield server


def mirror_of(tmp_path: Path, url: str, *, timeout: float = 30, **more: object) -> Mirror:
    remote = Remote(url=url, branch=str(more.pop("branch", "main")), **more)  # type: ignore[arg-type]
    return Mirror(tmp_path / "mirror.git", remote, timeout=timeout)


def token_file(tmp_path: Path, token: str = CANARY) -> Path:
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    return file


async def test_a_branch_is_copied_and_followed(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"))
    assert mirror.head() == ""
    first = await mirror.fetch()
    assert first == mirror.head() == repository.call("rev-parse", "main")
    repository.call("tag", "v1")
    repository.call("branch", "other")
    second = repository.commit({"ws/two.yaml": WORKSPACE})
    assert await mirror.fetch() == second
    assert mirror.comes_after(second, first)
    assert mirror.comes_after(second, second)
    assert not mirror.comes_after(first, second)
    assert not mirror.comes_after(second, "f" * 40)
    refs = mirror.git.run("for-each-ref", "--format=%(refname)").decode().split()
    assert refs == ["refs/heads/followed"]
    assert (tmp_path / "mirror.git").stat().st_mode & 0o777 == 0o700


async def test_a_rewritten_branch_is_taken_and_its_former_commit_stays_known(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"))
    former = await mirror.fetch()
    repository.call("commit", "-q", "--amend", "-m", "another")
    rewritten = await mirror.fetch()
    assert rewritten != former
    assert not mirror.comes_after(rewritten, former)
    assert tree.entries(mirror.git, former, "ws")


async def test_another_branch_or_repository_begins_anew(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    await mirror_of(tmp_path, served.url("team/.git")).fetch()
    repository.call("branch", "other")
    other = mirror_of(tmp_path, served.url("team/.git"), branch="other")
    assert other.head() == ""
    assert await other.fetch() == repository.call("rev-parse", "other")


@pytest.mark.parametrize("auth", ["basic", "bearer"])
async def test_a_token_opens_it(
    repository: Repository, served: Served, tmp_path: Path, auth: str
) -> None:
    served.wanted = basic("bot", CANARY) if auth == "basic" else f"Bearer {CANARY}"
    file = token_file(tmp_path)
    url = served.url("team/.git")
    mirror = mirror_of(tmp_path, url, token_file=file, user="bot", auth=auth)
    assert await mirror.fetch() == repository.call("rev-parse", "main")
    token_file(tmp_path, f"{CANARY}-wrong")
    with pytest.raises(GitError) as caught:
        await mirror.fetch()
    assert CANARY not in str(caught.value)
    assert mirror.head(), "what was there stays"
    kept = [path for path in (tmp_path / "mirror.git").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]


async def test_a_token_is_in_no_argument_list(served: Served, tmp_path: Path) -> None:
    """The server stalls, so that git and its helpers are seen at work."""
    with cable(served.port) as line:
        line.cut_after, line.stalls = 100, True
        file = token_file(tmp_path)
        url = served.url("team/.git", port=line.port)
        mirror = mirror_of(tmp_path, url, token_file=file, user="bot")
        async with asyncio.TaskGroup() as group:
            fetching = group.create_task(mirror.fetch())
            await until(line.stalled.is_set)
            seen = [words for words in arguments() if f":{line.port}" in words]
            assert len(seen) > 1, "git and its helper"
            fetching.cancel()
        assert not [words for words in seen if CANARY in words]
        await until(lambda: not [words for words in arguments() if f":{line.port}" in words])


async def test_a_redirect_is_not_followed(served: Served, tmp_path: Path) -> None:
    """Else the token would go wherever the server says."""
    with http(tmp_path) as elsewhere:
        served.redirect = elsewhere.url("")
        mirror = mirror_of(
            tmp_path, served.url("team/.git"), token_file=token_file(tmp_path), user="bot"
        )
        with pytest.raises(GitError):
            await mirror.fetch()
        assert elsewhere.headers == []


@pytest.mark.parametrize("after", [0, 200, 40_000])
async def test_a_fetch_that_is_cut_leaves_the_former_commit(
    repository: Repository, served: Served, tmp_path: Path, after: int
) -> None:
    with cable(served.port) as line:
        mirror = mirror_of(tmp_path, served.url("team/.git", port=line.port))
        former = await mirror.fetch()
        repository.commit({"large": os.urandom(300_000), "ws/two.yaml": WORKSPACE})
        line.cut_after, line.passed = after, 0
        with pytest.raises((GitError, GitRefError)):
            await mirror.fetch()
        assert mirror.head() == former
        assert [entry.name for entry in tree.entries(mirror.git, former, "ws")] == ["one.yaml"]
        line.cut_after = None
        assert await mirror.fetch() == repository.call("rev-parse", "main")


async def test_a_server_that_hangs_is_given_up(served: Served, tmp_path: Path) -> None:
    with cable(served.port) as line:
        line.cut_after, line.stalls = 100, True
        mirror = mirror_of(tmp_path, served.url("team/.git", port=line.port), timeout=1)
        with pytest.raises(GitError, match="took longer than 1 s"):
            await mirror.fetch()
        assert not [words for words in arguments() if f":{line.port}" in words]


async def test_a_missing_branch_is_told(served: Served, tmp_path: Path) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"), branch="none")
    with pytest.raises(GitRefError, match="shows no branch none"):
        await mirror.fetch()
    assert mirror.head() == ""


async def test_a_repository_without_commits_has_no_branch(tmp_path: Path) -> None:
    Repository(tmp_path / "empty")
    with pytest.raises(GitRefError, match="shows no branch main"):
        await mirror_of(tmp_path, f"file://{tmp_path}/empty").fetch()


async def test_a_copy_that_lost_something_is_set_aside_and_made_anew(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"))
    commit = await mirror.fetch()
    for pack in (tmp_path / "mirror.git" / "objects" / "pack").iterdir():
        pack.unlink()
    with pytest.raises(GitError):
        mirror.head()
    served.down = True
    with pytest.raises(GitError):
        await mirror.fetch()
    assert (tmp_path / "mirror.git.broken").is_dir()
    assert mirror.head() == ""
    served.down = False
    assert await mirror.fetch() == commit


async def test_a_repository_that_is_too_large_is_given_up(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    with cable(served.port) as line:
        mirror = mirror_of(tmp_path, served.url("team/.git", port=line.port))
        await mirror.fetch()
        line.cut_after, line.passed, line.stalls = 100, 0, True
        with pytest.raises(GitError, match="more than 0 MiB"):
            await transfer(
                mirror.git,
                *("fetch", served.url("team/.git", port=line.port)),
                within=30,
                environment={},
                protocol="http",
                folder=tmp_path / "mirror.git",
                most=10,
            )


async def test_many_small_packs_become_one(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"))
    first = await mirror.fetch()
    repository.call("commit", "-q", "--amend", "-m", "rewritten")
    await mirror.fetch()
    packs = tmp_path / "mirror.git" / "objects" / "pack"
    (one, *_) = packs.glob("*.pack")
    for number in range(MOST_PACKS):
        for suffix in ("pack", "idx"):
            copy = packs / f"pack-{number:040x}.{suffix}"
            copy.write_bytes(one.with_suffix(f".{suffix}").read_bytes())
    await mirror.fetch()
    assert len(list(packs.glob("*.pack"))) < MOST_PACKS
    assert tree.entries(mirror.git, first, "ws"), "what no branch has any more is still known"


async def test_locks_of_a_killed_git_stand_in_nobodys_way(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    mirror = mirror_of(tmp_path, served.url("team/.git"))
    await mirror.fetch()
    (tmp_path / "mirror.git" / "refs" / "heads" / "followed.lock").touch()
    second = repository.commit({"ws/two.yaml": WORKSPACE})
    assert await mirror.fetch() == second


RUNNER = """
import asyncio, sys
from pathlib import Path
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote

mirror = Mirror(Path(sys.argv[1]), Remote(url=sys.argv[2], branch="main"), timeout=60)
asyncio.run(mirror.fetch())
"""


async def test_a_killed_runners_git_keeps_its_successor_waiting(
    repository: Repository, served: Served, tmp_path: Path
) -> None:
    """Both would write the same copy; the lock is git's as long as that runs."""
    with cable(served.port) as line:
        line.cut_after, line.stalls = 100, True
        url = served.url("team/.git", port=line.port)
        words = [sys.executable, "-c", RUNNER, str(tmp_path / "mirror.git"), url]
        runner = await asyncio.create_subprocess_exec(*words, stderr=subprocess.DEVNULL)
        await until(line.stalled.is_set)
        runner.send_signal(signal.SIGKILL)
        await runner.wait()
        with pytest.raises(GitError, match="another git"):
            await mirror_of(tmp_path, url, timeout=0.5).fetch()
    commit = await mirror_of(tmp_path, served.url("team/.git")).fetch()
    assert commit == repository.call("rev-parse", "main")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd") as running:
        yield running


async def test_over_ssh_with_a_key_and_a_known_host(
    repository: Repository, server: Sshd, tmp_path: Path
) -> None:
    url = server.url(repository.folder)
    mirror = mirror_of(tmp_path, url, key_file=server.key, known_hosts=server.known_hosts)
    assert await mirror.fetch() == repository.call("rev-parse", "main")
    stranger = tmp_path / "stranger"
    stranger.write_text(server.known_hosts.read_text().replace("AAAAC3", "AAAAC4"))
    for wrong in (
        mirror_of(tmp_path, url, key_file=server.key, known_hosts=stranger),
        mirror_of(tmp_path, url, key_file=server.other_key, known_hosts=server.known_hosts),
    ):
        with pytest.raises(GitError):
            await wrong.fetch()
    assert mirror.head(), "what was there stays"


async def test_a_refused_secret_is_told_before_anything_is_asked(
    served: Served, tmp_path: Path
) -> None:
    file = token_file(tmp_path)
    file.chmod(0o644)
    with pytest.raises(GitAccessError):
        await mirror_of(tmp_path, served.url("team/.git"), token_file=file).fetch()
    assert served.asked == 0
