"""Commits that touched a workspace's file, by real git: foreign text is cut, secrets are not told."""

from pathlib import Path

import pytest

from settings.load import load
from settings.model import RunnerSettings
from stacks.board import Board
from stacks.errors import BadRequestError, GitError, UnknownWorkspaceError
from stacks.git.touched import (
    AUTHOR_MAX,
    DIFF_MAX,
    SUBJECT_MAX,
    check,
    paths_of,
    touching,
)
from stacks.look_commands import LookCommands
from stacks.looks import MOST, MOST_DIFFS, TouchingCommit
from stacks.secrecy import HIDDEN
from state_index.index import Index
from tests.stacks.git.repository import WORKSPACE, Repository

FILE = "workspaces.d/alice-api.yaml"
OTHER = "workspaces.d/bob.yaml"


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "team")


def told(team: Repository, *paths: str, commit: str = "", **more: object) -> list[TouchingCommit]:
    head = commit or team.call("rev-parse", "HEAD")
    return touching(team.git, head, paths or (FILE,), **more)  # type: ignore[arg-type]


def test_only_commits_of_the_file_are_told_newest_first(team: Repository) -> None:
    first = team.commit({FILE: WORKSPACE}, message="Make it\n\nwith a body")
    team.commit({OTHER: WORKSPACE}, message="Not ours")
    second = team.commit({FILE: b"owner: alice\nimage: heavy\n"}, message="Change it")
    third = team.commit({FILE: None}, message="Remove it")
    found = told(team)
    assert [each.commit for each in found] == [third, second, first]
    assert [each.subject for each in found] == ["Remove it", "Change it", "Make it"]
    assert {each.author for each in found} == {"Alice"}
    assert found[0].at.startswith("20")
    assert {each.diff for each in found} == {""}
    assert [each.commit for each in told(team, commit=second)] == [second, first]
    assert [each.commit for each in told(team, limit=1)] == [third]
    assert told(team, "workspaces.d/nobody.yaml") == []


def test_diffs_are_of_the_file_alone(team: Repository) -> None:
    team.commit({FILE: WORKSPACE, OTHER: b"secret of bob"})
    (made,) = told(team, diff=True)
    assert "+owner: alice\n+image: codehub/light" in made.diff
    assert "bob" not in made.diff
    team.commit({FILE: b"owner: alice\nimage: heavy@sha256:" + b"a1" * 32 + b"\n"})
    changed = told(team, diff=True)[0]
    assert "-image: codehub/light" in changed.diff
    assert "+image: heavy@sha256:" + "a1" * 32 in changed.diff
    assert not changed.cut


def test_a_merge_has_the_diff_that_it_brought(team: Repository) -> None:
    team.commit({FILE: WORKSPACE})
    team.call("checkout", "-q", "-b", "side")
    side = team.commit({FILE: WORKSPACE + b"env: {A: '1'}\n"}, message="Side")
    team.call("checkout", "-q", "main")
    team.commit({OTHER: WORKSPACE})
    team.call("merge", "-q", "--no-ff", "-m", "Merge it", "side")
    found = told(team, diff=True)
    assert found[0].commit == side
    assert "+env: {A: '1'}" in found[0].diff


def test_one_that_was_renamed_has_the_history_of_both(team: Repository) -> None:
    old = "workspaces.d/alice-old.yaml"
    team.commit({old: WORKSPACE}, message="Old")
    team.commit({old: None, FILE: WORKSPACE + b"formerly: alice-old\n"}, message="Rename")
    paths = paths_of("workspaces.d", "alice-api", "alice-old")
    assert paths == (FILE, old)
    assert [each.subject for each in told(team, *paths)] == ["Rename", "Old"]
    assert paths_of("", "aa") == ("aa.yaml",)
    assert paths_of("/a/b/", "aa") == ("a/b/aa.yaml",)


def test_names_are_no_patterns_and_no_options(team: Repository) -> None:
    team.commit({FILE: WORKSPACE})
    assert told(team, "workspaces.d/*.yaml") == []
    assert told(team, ":(glob)**") == []
    assert told(team, "--all") == []
    with pytest.raises(GitError):
        touching(team.git, "--output=/tmp/x", (FILE,))
    with pytest.raises(GitError):
        touching(team.git, "0" * 40, (FILE,))


def test_foreign_text_is_cut_and_printable(team: Repository) -> None:
    team.commit({FILE: WORKSPACE}, message="\x1b[31mred\x07 " + "x" * 900)
    team.call("config", "i18n.commitEncoding", "ISO-8859-1")
    team.call("-c", "user.name=\x1b]0;" + "y" * 500, "commit", "--amend", "-q", "--no-edit",
              "--reset-author")  # fmt: skip
    (found,) = told(team)
    assert found.subject.isprintable()
    assert found.author.isprintable()
    assert (len(found.subject), found.subject[-1]) == (SUBJECT_MAX, "…")
    assert len(found.author) <= AUTHOR_MAX


@pytest.mark.parametrize(
    "secret",
    [
        b"env: {API_KEY: hunter2}\n",
        b"env:\n  PASSWORD: hunter2\n",
        b'env:\n  DB_TOKEN: "hunter2"\n',
        b"env:\n  URL: https://me:hunter2@db.example.org/\n",
    ],
)
def test_secrets_of_a_diff_are_not_told(team: Repository, secret: bytes) -> None:
    team.commit({FILE: WORKSPACE + secret + b"# kept\n"})
    (found,) = told(team, diff=True)
    assert "hunter2" not in found.diff
    assert HIDDEN in found.diff
    assert "+# kept" in found.diff


def test_control_characters_of_a_diff_are_not_told(team: Repository) -> None:
    team.commit({FILE: b"# \x1b[2J\n"})
    assert "\x1b" not in told(team, diff=True)[0].diff


def test_large_files_have_no_diff_and_long_ones_are_cut(team: Repository) -> None:
    team.commit({FILE: b"# x\n" * 100_000})
    (large,) = told(team, diff=True)
    assert "Binary files" in large.diff
    team.commit({FILE: b"# xyz\n" * 20_000})
    team.commit({FILE: b"# uvw\n" * 20_000})
    cut = told(team, diff=True, limit=1)[0]
    assert (cut.cut, len(cut.diff) <= DIFF_MAX) == (True, True)


def test_attributes_of_the_repository_run_nothing(team: Repository, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    team.call("config", "diff.evil.command", f"touch {mark}")
    team.call("config", "diff.evil.textconv", f"touch {mark}")
    team.commit({".gitattributes": b"*.yaml diff=evil\n", FILE: WORKSPACE})
    assert "+owner: alice" in told(team, diff=True)[0].diff
    assert not mark.exists()


@pytest.mark.parametrize(("limit", "diff"), [(0, False), (MOST + 1, False), (MOST_DIFFS + 1, True)])
def test_how_many_may_be_asked_for(limit: int, diff: bool) -> None:
    with pytest.raises(BadRequestError):
        check(limit, diff=diff)
    check(MOST, diff=False)
    check(MOST_DIFFS, diff=True)


def test_a_diff_says_whose_the_file_was_before_and_after(team: Repository) -> None:
    team.commit({FILE: WORKSPACE})
    team.commit({FILE: b"owner: bob\nimage: light\n"})
    team.commit({FILE: b"image: light\n"})
    team.commit({FILE: b"# x\n" * 100_000})
    team.commit({FILE: None})
    found = [each.owners for each in told(team, diff=True)]
    assert found == [("?",), ("?",), ("?", "bob"), ("alice", "bob"), ("alice",)]
    assert {each.owners for each in told(team)} == {()}


def test_it_goes_over_the_socket() -> None:
    one = TouchingCommit(
        commit="a", author="b", at="c", subject="d", diff="e", cut=True, owners=("alice",)
    )
    assert TouchingCommit.from_json(one.to_json()) == one


async def test_a_runner_reads_its_own_copy(team: Repository, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    head = team.commit({FILE: WORKSPACE}, message="Make it")
    team.call("clone", "-q", "--bare", str(team.folder), str(data / "mirror.git"))
    looks = LookCommands()
    with Index.open(f"sqlite:///{data}/index.db") as index:
        looks.board = Board(index)
        looks.settings = load(RunnerSettings, {"CODEHUB_DATA": str(data)}, cwd=tmp_path)
        assert await looks.file_commits("alice-api") == []
        env = {"CODEHUB_DATA": str(data), "CODEHUB_REPO": "https://git.example.org/w.git"}
        looks.settings = load(RunnerSettings, env, cwd=tmp_path)
        assert await looks.file_commits("alice-api") == []
        index.repository.tell(url="u", path="workspaces.d", attempted=head)
        (found,) = await looks.file_commits("alice-api", diff=True)
        assert (found.subject, found.owners) == ("Make it", ("alice",))
        with pytest.raises(BadRequestError):
            await looks.file_commits("alice-api", limit=0)
        with pytest.raises(UnknownWorkspaceError):
            await looks.file_commits("../alice")
