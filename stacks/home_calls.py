"""The commands of `RunnerClient` that someone has to mean; the same as `stacks.home_commands` has."""

from typing import Protocol

from stacks.calls import Calls
from stacks.steps import OnStep, Result


class HomeCalls(Calls, Protocol):
    """Part of `RunnerClient`: how it calls is told there."""

    async def one(
        self,
        kind: str,
        workspace_id: str,
        on_step: OnStep | None,
        request_id: str,
        **options: str | bool,
    ) -> Result:
        """Have the daemon do an operation on one workspace."""

    async def purge(
        self,
        workspace_id: str,
        *,
        confirm: str,
        forget_missing: bool = False,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove the home of a removed workspace for good, now; see `Operator`."""
        return await self.one(
            "purge",
            workspace_id,
            on_step,
            request_id,
            actor=actor,
            confirm=confirm,
            forget_missing=forget_missing,
        )

    async def adopt(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        owner: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Let a home that was found again go to its file's owner; see `Operator`."""
        return await self.one(
            "adopt", workspace_id, on_step, request_id, confirm=confirm, owner=owner, actor=actor
        )

    async def new_home(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Make a new, empty home for a workspace whose home is gone; see `Operator`."""
        return await self.one(
            "new-home", workspace_id, on_step, request_id, confirm=confirm, actor=actor
        )

    async def rebuild(
        self, *, actor: str = "", on_step: OnStep | None = None, request_id: str = ""
    ) -> list[Result]:
        """Fill an index that was lost; see `Operator`."""
        results = await self.operate(
            "rebuild", None, options={"actor": actor}, on_step=on_step, request_id=request_id
        )
        return [Result.from_json(result) for result in results]
