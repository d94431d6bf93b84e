"""What a runner opens of its files, and who may tidy there."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from settings.load import load
from settings.model import RunnerSettings
from stacks.board import Board
from stacks.edits.commands import EditCommands
from stacks.errors import StacksError
from stacks.fence import Fence
from state_index.index import Index


class Commands(EditCommands):
    """That part of a runner alone."""

    def __init__(self, settings: RunnerSettings, index: Index, *, exclusive: bool) -> None:
        self.settings = settings
        self.board = Board(index, nudge=lambda: None)
        self._daemon = False
        self._exclusive = exclusive
        self._fence = Fence()


@pytest.mark.parametrize(("exclusive", "left"), [(True, []), (False, ["edit-of-another"])])
async def test_only_who_leads_removes_what_another_began(
    tmp_path: Path, *, exclusive: bool, left: list[str]
) -> None:
    env = {"CODEHUB_DATA": str(tmp_path), "CODEHUB_REPO": "https://git.example.org/team.git"}
    settings = load(RunnerSettings, env, tmp_path)
    draft = settings.paths.edits / "edit-of-another" / "objects"
    draft.mkdir(parents=True)
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        commands = Commands(settings, index, exclusive=exclusive)
        async with AsyncExitStack() as exits:
            commands._open_edits(exits)
            with pytest.raises(StacksError, match="no workspace"):
                await commands.reasons(["one", "../two"])
    assert [path.name for path in settings.paths.edits.iterdir()] == left
