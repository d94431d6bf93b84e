"""What git says over a long answer: the last whole lines, with no part of a secret."""

from pathlib import Path

import pytest

from stacks.errors import GitError, ToolchainError
from stacks.git.command import Git
from stacks.git.transfer import SAID_MAX, transfer
from tests.stacks.git.repository import Repository

SECRET = "c4nary-t0ken"


async def words(tmp_path: Path, script: str) -> str:
    """Have git run a script instead of a server's, and give what it is told to have said."""
    repository = Repository(tmp_path / "team")
    repository.call("config", "alias.said", f"!{script}; exit 1")
    with pytest.raises(GitError) as caught:
        await transfer(
            repository.git,
            "said",
            within=30,
            environment={},
            protocol="https",
            folder=tmp_path,
            hide=lambda text: text.replace(SECRET, "***"),
        )
    return caught.value.message


async def test_a_line_that_was_cut_is_not_told(tmp_path: Path) -> None:
    """Of a line longer than what is kept, whatever the pieces it came in."""
    long = f"printf '%0{2 * SAID_MAX}d{SECRET}' 0 >&2"
    assert await words(tmp_path, long) == "git said: no word"


async def test_the_lines_after_it_are(tmp_path: Path) -> None:
    half = SAID_MAX - len("\nnot yours ***") - 3
    script = f"printf '%s%0{half}d\\nnot yours %s' {SECRET} 0 {SECRET} >&2"
    assert await words(tmp_path, script) == "git said: not yours ***"


async def test_only_its_own_transport_is_used(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "team")
    with pytest.raises(GitError, match="transport 'file' not allowed"):
        await transfer(
            repository.git,
            *("fetch", f"file://{tmp_path}/team"),
            within=30,
            environment={},
            protocol="https",
            folder=tmp_path,
        )


async def test_without_git_it_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="not installed"):
        await transfer(
            Git(folder=tmp_path),
            "fetch",
            within=30,
            environment={"PATH": str(tmp_path)},
            protocol="https",
            folder=tmp_path,
        )
