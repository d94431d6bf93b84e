"""Puts together what edits files, by the settings. Apart, as most commands never need it."""

import asyncio

from settings.model import RunnerSettings
from stacks.board import Board, translated
from stacks.edits import pulls
from stacks.edits.branch import Branch, Ways
from stacks.edits.branch_files import Origins
from stacks.edits.folder import Folder
from stacks.edits.model import Place
from stacks.fence import Fence
from stacks.git.mirror import Mirror
from stacks.git.remote import Remote
from state_index.nudge import Nudge
from state_index.repository import LISTENER


def place_of(
    settings: RunnerSettings, board: Board, fence: Fence, *, origins: Origins = dict
) -> Place:
    """Give where the files of the settings are: a branch where a repository is named, else a folder."""
    if settings.repo is None:
        return Folder(settings.workspaces, mode=settings.repo_edits, fence=fence, origins=origins)
    remote, paths = Remote.of(settings), settings.paths

    def ask() -> None:
        with translated():
            board.repository.ask()
        Nudge(paths.nudge).send(LISTENER)

    async def pushed() -> None:
        await asyncio.to_thread(ask)

    ways = Ways(
        mode=settings.repo_edits,
        domain=settings.repo_author_domain,
        path=settings.repo_path,
        timeout=settings.repo_timeout,
        drafts=paths.edits,
        pulls=pulls.of_settings(settings),
        origins=origins,
    )
    mirror = Mirror(paths.mirror, remote, timeout=settings.repo_timeout)
    return Branch(mirror, remote, ways, fence=fence, pushed=pushed)
