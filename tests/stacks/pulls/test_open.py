"""What the settings make of it: a bound branch, a way to the forge, and who is told."""

from pathlib import Path

import pytest

from forges.errors import CredentialsRefusedError
from settings.load import load
from settings.model import RunnerSettings
from stacks import parts
from stacks.board import Board
from stacks.git.source import GitSource
from stacks.pulls import open as pulls
from stacks.pulls.source import BoundSource
from state_index.index import Index
from state_index.reviews import Held
from tests.stacks.fakes import FakePower

HELD = Held(workspace_id="one", base="0" * 40, commit="1" * 40, hash="sha256:1", message="why")


def settings(tmp_path: Path, **more: str) -> RunnerSettings:
    token = tmp_path / "token"
    token.write_text("gitea-0123456789")
    token.chmod(0o600)
    told = {
        "DATA": str(tmp_path / "data"),
        "REPO": "https://git.example.org/acme/fleet.git",
        "FORGE": "gitea",
        "FORGE_URL": "https://git.example.org",
        "FORGE_REPOSITORY": "acme/fleet",
        "FORGE_TOKEN_FILE": str(token),
        **more,
    }
    env = {f"CODEHUB_{name}": value for name, value in told.items() if value}
    return load(RunnerSettings, env, cwd=tmp_path)


@pytest.mark.parametrize(
    ("more", "bound", "reviewed"),
    [
        ({}, "all", True),
        ({"REVIEW_BOUND": "reviewed"}, "reviewed", True),
        ({"REVIEW_BOUND": "off"}, "off", True),
        ({"REVIEWS": "off"}, "off", False),
        ({"FORGE": ""}, "off", False),
        ({"FORGE_TOKEN_FILE": ""}, "off", False),
        ({"FORGE_REPOSITORY": ""}, "off", False),
        ({"REPO": ""}, "off", False),
    ],
)
async def test_a_branch_is_bound_where_its_pull_requests_are_reviewed(
    tmp_path: Path, more: dict[str, str], bound: str, *, reviewed: bool
) -> None:
    found = settings(tmp_path, **more)
    assert (found.bound, found.reviewed) == (bound, reviewed)
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        source = parts.source(found, Board(index), FakePower())
    assert isinstance(source, BoundSource) == (bound != "off")
    assert isinstance(source, GitSource | BoundSource) == (found.repo is not None)


async def test_the_token_is_read_each_time(tmp_path: Path) -> None:
    found = settings(tmp_path)
    await pulls.connect(found).close()
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(CredentialsRefusedError, match="forge_token_file"):
        pulls.connect(found)
    (tmp_path / "token").unlink()
    with pytest.raises(CredentialsRefusedError):
        pulls.connect(found)


async def test_whose_approval_is_wanted_is_a_notice(tmp_path: Path) -> None:
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        extra = pulls.wanted(Board(index))
        assert list(await extra()) == []
        index.reviews.hold([HELD])
        (matter,) = await extra()
    notice = matter.notice
    assert (notice.kind, notice.workspace, notice.reason) == (
        "approval-wanted",
        "one",
        "REVIEW_EXCEEDED",
    )
    assert (notice.message, matter.passing, matter.fingerprint) == ("why", False, "sha256:1")
    assert "codehub approve 111111111111 one" in notice.remedy
