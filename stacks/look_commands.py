"""Looks of a runner that change nothing. The same calls to a daemon are in `look_calls`."""

import asyncio

from settings.model import RunnerSettings
from stacks import secrecy
from stacks.board import translated
from stacks.home_commands import HomeCommands
from stacks.looks import LIMIT, Comparison, TouchingCommit
from stacks.operator import check_id
from stacks.plan import plan_one
from stacks.planned import Wish
from stacks.source import Snapshot


class LookCommands(HomeCommands):
    """Part of `Runner`: what it opens is set there."""

    settings: RunnerSettings

    async def diff(self, workspace_id: str) -> Comparison:
        """Tell a workspace in three columns; see `Operator`."""
        from stacks.columns import compare  # noqa: PLC0415 - as in `parts`

        await self.read_one(workspace_id)
        snapshot = self.queue.snapshot
        known = await self.sight.one(workspace_id, snapshot, asked=None)
        change = plan_one(known, snapshot=snapshot, facts=self.facts, wish=Wish())
        return compare(change, facts=self.facts, message=_message(workspace_id, snapshot))

    async def file_commits(
        self, workspace_id: str, *, limit: int = LIMIT, diff: bool = False
    ) -> list[TouchingCommit]:
        """Tell which commits touched its file; see `Operator`."""
        from stacks.git import touched  # noqa: PLC0415 - as in `parts`

        check_id(workspace_id)
        touched.check(limit, diff=diff)
        if self.settings.repo is None:
            return []
        with translated():
            followed = await asyncio.to_thread(self.board.repository.followed)
        return await asyncio.to_thread(
            touched.of_workspace,
            self.settings.paths.mirror,
            workspace_id,
            followed=followed,
            row=await self.board.row(workspace_id),
            limit=limit,
            diff=diff,
        )


def _message(workspace_id: str, snapshot: Snapshot) -> str:
    problems = snapshot.invalid.get(workspace_id, ())
    return f"its file is wrong: {secrecy.in_words(problems[0])}" if problems else ""
