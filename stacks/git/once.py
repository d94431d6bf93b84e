"""Reads a branch once, for commands that only look at files: no lead, no index."""

import asyncio

from settings.model import RunnerSettings
from spec.files import FolderRead
from stacks.git.mirror import Mirror
from stacks.git.reading import Readings
from stacks.git.remote import Remote


async def read_branch(settings: RunnerSettings) -> FolderRead:
    """Fetch the branch that the settings name, and read its folder.

    Raises:
        DataFolderError: There is no place for the copy.
        GitError: The repository does not answer, refuses, or can't be read.
        SourceError: It has no such branch or folder, or how to log in can't be read.
    """
    await asyncio.to_thread(settings.paths.make)
    mirror = Mirror(settings.paths.mirror, Remote.of(settings), timeout=settings.repo_timeout)
    commit = await mirror.fetch()
    return await asyncio.to_thread(Readings(settings.repo_path).files, mirror.git, commit)
