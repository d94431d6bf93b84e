"""Looks of `RunnerClient`: the same as `stacks.look_commands` has. It loads nothing of what does the work."""

from typing import Protocol

from stacks.calls import Calls
from stacks.looks import LIMIT, Comparison, TouchingCommit


class LookCalls(Calls, Protocol):
    """Part of `RunnerClient`: how it calls is told there."""

    async def diff(self, workspace_id: str) -> Comparison:
        """Tell a workspace in three columns; see `Operator`."""
        return Comparison.from_json(await self.operate("diff", [workspace_id]))

    async def file_commits(
        self, workspace_id: str, *, limit: int = LIMIT, diff: bool = False
    ) -> list[TouchingCommit]:
        """Tell which commits touched its file; see `Operator`."""
        query = [("limit", str(limit)), ("diff", "true" if diff else "false")]
        told = await self.ask(f"/v1/workspaces/{workspace_id}/commits", query=query)
        return [TouchingCommit.from_json(each) for each in told["commits"]]
