"""A copy that lost something, or can't be used now: what counted counts on, and it is made anew in time."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.board import Board
from stacks.errors import GitError, GitRefError, ToolchainError
from stacks.git import tree
from stacks.git.command import Git, not_now, not_started
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.remote import Remote
from stacks.git.source import GitSource
from state_index.index import Index
from tests.stacks.fakes import FakePower
from tests.stacks.git.repository import WORKSPACE, Repository

BLOB = "HEAD:ws/one.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "team")
    found.commit({"ws/one.yaml": WORKSPACE, "ws/two.yaml": WORKSPACE + b"state: warm\n"})
    return found


@pytest.fixture
def mirror(repository: Repository, tmp_path: Path) -> Mirror:
    remote = Remote(url=f"file://{repository.folder}", branch="main")
    return Mirror(tmp_path / "mirror.git", remote, timeout=30)


@pytest.fixture
def source(mirror: Mirror, repository: Repository, tmp_path: Path) -> Iterator[GitSource]:
    place = Place(f"file://{repository.folder}", "main", "ws")
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        nudges = tmp_path / "nudge"
        yield GitSource(
            mirror,
            Board(index),
            place=place,
            poll=60,
            look_every=60,
            nudges=nudges,
            there=FakePower().inventory,
        )


def harm(folder: Path, sha: str, *, damaged: bool = False) -> None:
    """Take one object out of a copy, or spoil the end of it."""
    git = Git(folder=folder)
    for pack in folder.glob("objects/pack/*.pack"):
        for path in folder.glob(f"objects/pack/{pack.stem}.*"):
            content = path.read_bytes()
            path.unlink()
            if path.suffix == ".pack":
                git.run("unpack-objects", "-q", stdin=content)
    loose = folder / "objects" / sha[:2] / sha[2:]
    content = loose.read_bytes()
    loose.unlink()
    if damaged:
        loose.write_bytes(content[:-4] + bytes(4))


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open nothing more: git can't be started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("name", ["HEAD:ws/one.yaml", "HEAD:ws", "HEAD^{tree}", "HEAD"])
async def test_what_lacks_an_object_is_told_from_what_has_no_such_folder(
    repository: Repository, mirror: Mirror, name: str
) -> None:
    commit = await mirror.fetch()
    harm(mirror.git.folder, repository.call("rev-parse", name))
    with pytest.raises(GitError):
        tree.entries(mirror.git, commit, "ws")


async def test_a_folder_deep_below_one_that_is_lost_is_not_merely_absent(
    repository: Repository, mirror: Mirror
) -> None:
    repository.commit({"a/b/ws/one.yaml": WORKSPACE})
    commit = await mirror.fetch()
    for absent in ("a/x/ws", "a/b/x", "x/y/z"):
        with pytest.raises(GitRefError):
            tree.entries(mirror.git, commit, absent)
    harm(mirror.git.folder, repository.call("rev-parse", "HEAD:a/b"))
    with pytest.raises(GitError):
        tree.entries(mirror.git, commit, "a/b/ws")


@pytest.mark.parametrize("line", [b"100644 blob abc BAD\tx", b"100644 blob\tx", b"\xff", b""])
def test_a_list_that_is_none_is_an_error_of_git(line: bytes) -> None:
    with pytest.raises(GitError):
        tree._entry(line)


@pytest.mark.parametrize(
    "out", [b"", b"abc", b"abc blob x\n", b"abc blob 9\nab\n", b"abc missing\n"]
)
def test_contents_that_broke_off_are_an_error_of_git(out: bytes) -> None:
    with pytest.raises(GitError):
        list(tree._batch(out, ["abc"]))


@pytest.mark.parametrize("damaged", [False, True])
async def test_one_lost_blob_leaves_what_counted_and_the_copy_is_made_anew(
    repository: Repository, source: GitSource, tmp_path: Path, damaged: bool
) -> None:
    before = await source.read()
    repository.commit({"ws/one.yaml": WORKSPACE + b"state: warm\n"})
    await source._fetch()
    harm(tmp_path / "mirror.git", repository.call("rev-parse", BLOB), damaged=damaged)
    found = await source.glance()
    assert (found.specs, found.stale, found.complete) == (before.specs, True, False)
    assert "copied anew" in found.error
    assert not (tmp_path / "mirror.git.broken").exists(), "only a fetch has the lock"
    again = await source.read()
    assert (again.specs["one"].state, again.complete, again.error) == ("warm", True, "")
    assert (tmp_path / "mirror.git.broken").is_dir()


@pytest.mark.parametrize("damaged", [False, True])
async def test_a_command_that_reads_once_mends_it_too(
    repository: Repository, source: GitSource, mirror: Mirror, tmp_path: Path, damaged: bool
) -> None:
    await mirror.fetch()
    harm(tmp_path / "mirror.git", repository.call("rev-parse", BLOB), damaged=damaged)
    found = await source.read()
    assert (set(found.specs), found.complete) == ({"one", "two"}, True)


async def test_a_doubt_without_a_ground_makes_nothing_anew(mirror: Mirror, tmp_path: Path) -> None:
    commit = await mirror.fetch()
    read: list[object] = []
    mirror.doubt(lambda git: read.append(tree.entries(git, commit, "ws")))
    await mirror.fetch()
    mirror.doubt(lambda git: tree.entries(git, commit, "none"))
    assert await mirror.fetch() == commit
    assert (len(read), (tmp_path / "mirror.git.broken").exists()) == (1, False)


async def test_a_git_that_can_not_be_started_says_nothing_of_the_copy(
    source: GitSource, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await source.read()
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path))
    for found in (await source.glance(), await source.read()):
        assert (found.specs, found.stale, found.complete) == (before.specs, True, False)
        assert found.error == "git is not installed"
    wishes, followed = await source._row.known()
    assert source._commit(wishes, followed) == ("", "git is not installed")
    assert source._read(before.commit + "0", followed, "").error == "git is not installed"
    based = replace(followed, base=before.commit)
    guarded = await source._guarded(replace(before, commit="f" * 40), based)
    assert (guarded.complete, guarded.error) == (False, "git is not installed")
    monkeypatch.setenv("PATH", path)
    assert (await source.read()).complete
    assert not (tmp_path / "mirror.git.broken").exists()


def test_a_machine_that_is_out_of_files_is_told(mirror: Mirror) -> None:
    with no_more_files(), pytest.raises(ToolchainError) as caught:
        mirror.git.run("version")
    assert caught.value.message == "git can't be started: too many open files"
    assert not_now(caught.value) == caught.value.message
    assert not_now(PermissionError(13, "Permission denied")).endswith("now: permission denied")
    assert not_started(FileNotFoundError()).message == "git is not installed"


async def test_a_copy_whose_mark_can_not_be_read_is_set_aside_and_not_removed(
    mirror: Mirror, tmp_path: Path
) -> None:
    commit = await mirror.fetch()
    config = tmp_path / "mirror.git" / "config"
    config.write_text("[broken")
    with pytest.raises(GitError):
        mirror.head()
    assert await mirror.fetch() == commit
    aside = tmp_path / "mirror.git.broken"
    assert (aside / "config").read_text() == "[broken"
    assert list(aside.glob("objects/pack/*.pack"))


async def test_a_copy_of_another_branch_is_set_aside(
    repository: Repository, mirror: Mirror, tmp_path: Path
) -> None:
    commit = await mirror.fetch()
    repository.call("branch", "other")
    remote = Remote(url=f"file://{repository.folder}", branch="other")
    assert await Mirror(tmp_path / "mirror.git", remote, timeout=30).fetch() == commit
    told = (tmp_path / "mirror.git.broken" / "config").read_text()
    assert f"{repository.folder} main" in told


async def test_no_repository_above_is_taken_for_the_copy(
    repository: Repository, tmp_path: Path
) -> None:
    remote = Remote(url=f"file://{tmp_path}/none", branch="main")
    inside = repository.folder / "mirror.git"
    inside.mkdir()
    (inside / "HEAD").write_text("nothing")
    mirror = Mirror(inside, remote, timeout=30)
    with pytest.raises(GitError):
        mirror.head()
    refs = repository.call("for-each-ref")
    with pytest.raises(GitError):
        await mirror.fetch()
    assert repository.call("for-each-ref") == refs
    assert "codehub" not in (repository.folder / ".git" / "config").read_text()


async def test_what_cut_fetches_left_is_removed(mirror: Mirror, tmp_path: Path) -> None:
    """Else a few of them are more than the copy may have, for ever."""
    await mirror.fetch()
    objects = tmp_path / "mirror.git" / "objects"
    (objects / "ab").mkdir(exist_ok=True)
    left = [
        objects / "pack" / "tmp_pack_aB3", objects / "pack" / "tmp_idx_aB3",
        objects / "pack" / ".tmp-12-pack-0.pack", objects / "ab" / "tmp_obj_aB3",
        objects / "tmp_obj_aB3",
    ]  # fmt: skip
    for path in left:
        path.write_bytes(bytes(10))
    kept = [path for path in objects.rglob("*.pack") if path not in left]
    assert kept
    await mirror.fetch()
    assert not [path for path in left if path.exists()]
    assert all(path.exists() for path in kept)
