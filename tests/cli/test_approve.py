"""`codehub approve`: what is held, by whom the files of before let, and nothing else."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.actor import login
from state_index.index import Index
from state_index.reviews import Held
from tests.cli.conftest import Cli
from tests.stacks.git.repository import WORKSPACE, Repository

ME = pwd.getpwuid(os.getuid()).pw_name
OTHER = "f" * 40


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    (place / "data").mkdir(mode=0o700)
    with Index.open(f"sqlite:///{place}/data/index.db") as opened:
        yield opened


@pytest.fixture
def base(place: Path, index: Index) -> str:
    """A mirror with a commit in which this system's user is an approver; what it holds back."""
    repository = Repository(place / "team")
    owners = f"people: {{alice: {{}}, {ME}: {{}}}}\napprovers: [{ME}]\n".encode()
    commit = repository.commit(
        {"workspaces.d/_owners.yaml": owners, "workspaces.d/one.yaml": WORKSPACE}
    )
    repository.call("clone", "-q", "--bare", str(repository.folder), str(place / "data/mirror.git"))
    held = Held(workspace_id="one", base=commit, commit=OTHER, hash="sha256:1", message="why")
    later = Held(
        workspace_id="two", base=commit, commit=OTHER, hash="sha256:2", message="", passing=True
    )
    index.reviews.hold([held, later])
    return commit


def test_it_is_the_process_s_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "eve")
    assert login() == ME
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert login() == "4000000"


@pytest.mark.usefixtures("base")
def test_an_approver_approves_what_is_held(cli: Cli, index: Index) -> None:
    done = cli("approve", OTHER[:12], "one", "--why", " agreed ")
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"one: approved by cli:{ME}" in done.stderr
    (found,) = index.reviews.approvals()
    assert (found.workspace_id, found.hash, found.commit, found.why) == (
        "one",
        "sha256:1",
        OTHER,
        "agreed",
    )
    assert index.repository.wishes().asked == 1


@pytest.mark.usefixtures("base")
def test_an_approver_needs_no_forge(cli: Cli, index: Index) -> None:
    done = cli("approve", OTHER[:12], "--why", "the forge is down")
    assert done.exit_code == 0, done.stderr
    lines = done.stderr.splitlines()
    assert f"one: approved by cli:{ME}" in lines
    unheard = "though the forge did not say yet whether it was reviewed"
    assert f"two: approved by cli:{ME}, {unheard}" in lines
    assert {each.workspace_id: each.hash for each in index.reviews.approvals()} == {
        "one": "sha256:1",
        "two": "sha256:2",
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("abc", "--why", "x"), 2, "a commit of 7 digits"),
        (("--", "-rf/../", "--why"), 2, ""),
        ((OTHER[:12], "--why", "  "), 2, "--why takes a reason"),
        ((OTHER[:12], "--why", "x" * 501), 2, "--why takes a reason"),
        ((OTHER[:12],), 2, "--why"),
        (("abcdef1", "--why", "x"), 1, "nothing that abcdef1 does is held back"),
        ((OTHER[:12], "six", "--why", "x"), 1, "six is not held back"),
    ],
)
@pytest.mark.usefixtures("base")
def test_what_can_not_be_approved(
    cli: Cli, index: Index, words: tuple[str, ...], code: int, told: str
) -> None:
    done = cli("approve", *words)
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr
    assert index.reviews.approvals() == []


@pytest.mark.parametrize(
    ("owners", "told"),
    [
        (b"people: {alice: {}}\napprovers: [alice]\n", "may not approve"),
        (None, "may not approve"),
        (b"people: 5\n", "who may approve can't be told"),
    ],
)
@pytest.mark.usefixtures("base")
def test_who_may_not(cli: Cli, index: Index, place: Path, owners: bytes | None, told: str) -> None:
    repository = Repository(place / "others")
    commit = repository.commit(
        {"workspaces.d/one.yaml": WORKSPACE}
        | ({"workspaces.d/_owners.yaml": owners} if owners is not None else {})
    )
    repository.call("push", "-q", str(place / "data/mirror.git"), "HEAD:refs/heads/others")
    index.reviews.hold(
        [Held(workspace_id="one", base=commit, commit=OTHER, hash="sha256:1", message="why")]
    )
    done = cli("approve", OTHER[:12], "--why", "x")
    assert done.exit_code == 1
    assert told in done.stderr
    assert index.reviews.approvals() == []


def test_there_is_nothing_yet(cli: Cli) -> None:
    assert cli("approve", OTHER, "--why", "x").exit_code == 1
