"""Reads a branch once, for commands that only look at files: no lead, no index.

Each branch has a copy of its own here: the daemon's is of one branch, and would be made anew for
another one. Those that were not used lately go, but not while a command reads any of them.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from settings.model import RunnerSettings
from spec.files import File, FolderRead
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import Mirror
from stacks.git.reading import Readings
from stacks.git.remote import Remote

Found = TypeVar("Found")

KEPT = 3
"""Branches whose copies are kept, those that were used last."""

LOCK = "lock"


async def read_branch(settings: RunnerSettings) -> FolderRead:
    """Fetch the branch that the settings name, and read its folder; raises as `with_branch`."""
    return await with_branch(settings, Readings(settings.repo_path).files)


async def files_of_branch(settings: RunnerSettings) -> list[File]:
    """Fetch it, and take the files of its folder; raises as `with_branch`."""
    return await with_branch(
        settings, lambda git, commit: tree.all_files(git, commit, settings.repo_path)
    )


async def with_branch(settings: RunnerSettings, read: Callable[[Git, str], Found]) -> Found:
    """Fetch the branch that the settings name, and read something of its commit.

    Raises:
        DataFolderError: There is no place for the copy.
        GitError: The repository does not answer, refuses, or can't be read.
        SourceError: It has no such branch or folder, or how to log in can't be read.
        ToolchainError: Git can't be started.
    """
    await asyncio.to_thread(settings.paths.make)
    remote, root = Remote.of(settings), settings.paths.branches
    root.mkdir(mode=0o700, exist_ok=True)
    with _used(root) as lock:
        place = root / name_of(remote)
        place.mkdir(mode=0o700, exist_ok=True)
        os.utime(place)
        mirror = Mirror(place / "mirror.git", remote, timeout=settings.repo_timeout)
        try:
            commit = await mirror.fetch()
            return await asyncio.to_thread(read, mirror.git, commit)
        finally:
            _tidy(root, lock)


def name_of(remote: Remote) -> str:
    """Name the folder of a branch; an address may be no file name."""
    return hashlib.sha256(f"{remote.url} {remote.branch}".encode()).hexdigest()[:32]


@contextmanager
def _used(root: Path) -> Iterator[int]:
    """Keep all copies from being removed."""
    lock = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lock
    finally:
        os.close(lock)


def _tidy(root: Path, lock: int) -> None:
    """Remove the copies that were not used lately, unless another command reads one: it tidies then."""
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        copies = [path for path in root.iterdir() if path.is_dir()]
        for old in sorted(copies, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(old)
