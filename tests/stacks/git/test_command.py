"""A repository whose configuration means ill: nothing of it runs, and nobody is asked for what it lacks."""

import os
import subprocess
from pathlib import Path

import pytest

from stacks.errors import GitAccessError, GitError
from stacks.git import tree
from stacks.git.command import SAID_MAX, Git, said
from tests.stacks.git.repository import WORKSPACE, Repository

FOLDER = "workspaces.d"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit({f"{FOLDER}/one.yaml": WORKSPACE})
    return made


@pytest.mark.parametrize(
    "url", ["file:///none", "/none", "ssh://git.example.org/none", "ext::{} x"]
)
def test_a_partial_clones_commands_are_not_run(
    repository: Repository, tmp_path: Path, url: str
) -> None:
    """Git would fetch what is missing by itself, with the transport and the commands of its configuration."""
    ran, evil = tmp_path / "ran", tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
    evil.chmod(0o755)
    for name, value in {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin",
        "remote.origin.promisor": "true", "remote.origin.url": url.format(evil),
        "remote.origin.uploadpack": str(evil), "core.sshCommand": str(evil),
        "protocol.allow": "always", "protocol.file.allow": "always",
        "protocol.ssh.allow": "always", "protocol.ext.allow": "always",
    }.items():  # fmt: skip
        repository.call("config", name, value)
    commit, blob = (repository.call("rev-parse", it) for it in ("HEAD", f"HEAD:{FOLDER}/one.yaml"))
    listed = tree.entries(repository.git, commit, FOLDER)
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(subprocess.CalledProcessError):
        repository.call("cat-file", "-p", blob)
    assert ran.exists(), "a plain git runs it"
    ran.unlink()
    for call in (
        lambda: tree.entries(repository.git, commit, FOLDER),
        lambda: tree.files(repository.git, listed),
        lambda: repository.git.run("fetch", "origin"),
    ):
        with pytest.raises(GitError):
            call()
    assert not ran.exists()


def test_the_folder_that_is_named_is_read_whoever_owns_it_but_none_above_it(
    repository: Repository,
) -> None:
    """In a job's container the checkout is often another user's; a repository above may be anybody's."""
    inside = repository.folder / FOLDER
    for path in (repository.folder, repository.folder / ".git"):
        os.chown(path, 1234, 1234)
    assert tree.resolve(repository.git, "main")
    with pytest.raises(GitAccessError, match="of another user"):
        tree.resolve(Git(folder=inside), "main")


def test_a_secret_is_hidden_before_it_is_cut() -> None:
    secret = "c4nary-t0ken"
    stderr = f"remote: {'x' * (SAID_MAX - 12)}{secret} and more".encode()
    told = said(stderr, lambda text: text.replace(secret, "***"))
    assert "c4" not in told
    assert len(told) == SAID_MAX
