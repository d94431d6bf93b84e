"""The commands of `Runner` that someone has to mean: on whose homes are whose, and on a lost index.

What they may do is decided by `stacks.typed`; here they are read, checked and put into the queue.
"""

from collections.abc import Iterable
from dataclasses import replace

from settings.model import RunnerSettings
from stacks import parts, typed
from stacks.board import Board
from stacks.demand import Demand, asked_by
from stacks.errors import HomeMissingError, PinnedError, SourceError
from stacks.git.commits import Commits
from stacks.operator import check_id, no_workspace
from stacks.plan import plan_one
from stacks.planned import Change, Wish
from stacks.power import Power
from stacks.reconciler import Reconciler
from stacks.rendering import Facts
from stacks.sight import Sight
from stacks.source import Source
from stacks.steps import OnStep, Result
from state_index.models import Published


class HomeCommands:
    """Half of `Runner`: what it opens is set there."""

    settings: RunnerSettings
    board: Board
    power: Power
    queue: Reconciler
    source: Source
    sight: Sight
    facts: Facts
    commits: Commits

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
        change = await self._planned(workspace_id)
        told = typed.check_adoption(change, confirm=confirm, owner=owner)
        assert change.known.spec is not None, "checked: its file names an owner"
        demand = asked_by(actor, f"had it adopted: {told}", request_id)
        demand = replace(demand, force=True, adopt=change.known.spec.owner)
        return await self.one(workspace_id, demand, on_step)

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
        change = await self._planned(workspace_id)
        volume = change.error.volume if isinstance(change.error, HomeMissingError) else ""
        there = bool(volume) and await self.power.named("volume", volume) is not None
        found = await self.sight.explained(change.error) if change.error else None
        told = typed.check_new_home(change, found, confirm=confirm, there=there)
        demand = asked_by(actor, f"asked for a new home: {told}", request_id)
        demand = replace(demand, force=True, new_home=True)
        return await self.one(workspace_id, demand, on_step)

    async def rebuild(
        self, *, actor: str = "", on_step: OnStep | None = None, request_id: str = ""
    ) -> list[Result]:
        """Fill an index that was lost from labels and Pulumi's state; see `Operator`."""
        snapshot = self.queue.snapshot = await self.source.read()
        why = asked_by(actor, "had the index rebuilt", request_id).why()
        rebuild = parts.rebuild(self.settings, self.board, self.power)
        with self.board.listening(on_step):
            return await rebuild.run(snapshot, why)

    async def _planned(self, workspace_id: str) -> Change:
        """Give what the plan says of one workspace that has a file."""
        await self.read_one(workspace_id)
        snapshot = self.queue.snapshot
        known = await self.sight.one(workspace_id, snapshot, asked=None)
        return plan_one(known, snapshot=snapshot, facts=self.facts, wish=Wish(force=True))

    async def one(self, workspace_id: str, demand: Demand, on_step: OnStep | None) -> Result:
        """Have one workspace worked on, and wait for it."""
        await self.commits.leave()
        with self.board.listening(on_step):
            return await self.queue.submit(workspace_id, demand)

    async def read(self) -> None:
        """Read the folder: what files say of a workspace cannot be done without them."""
        snapshot = self.queue.snapshot = await self.source.read()
        if snapshot.unreadable:
            raise SourceError(snapshot.error, step="read")

    async def read_one(self, workspace_id: str) -> Published | None:
        """Read folder and row of a workspace that something must be known of."""
        check_id(workspace_id)
        await self.read()
        row = await self.board.row(workspace_id)
        self.check_known(frozenset({workspace_id}), {workspace_id} if row else ())
        return row

    def check_known(self, wanted: frozenset[str] | None, known: Iterable[str]) -> None:
        """Refuse workspaces that neither a file nor anything else knows."""
        unknown = sorted((wanted or frozenset()) - self.queue.snapshot.ids - frozenset(known))
        if unknown:
            raise no_workspace(", ".join(unknown))

    async def switch(self, workspace_id: str, demand: Demand, on_step: OnStep | None) -> Result:
        """Have a workspace started or stopped, unless its file pins it."""
        snapshot = self.queue.snapshot = await self.source.glance()
        row = await self.board.row(workspace_id)
        if row is None and workspace_id not in snapshot.specs:
            check_id(workspace_id)
            await self.power.container(workspace_id)  # raises when it is another data tree's
            raise no_workspace(workspace_id)
        spec = snapshot.specs.get(workspace_id)
        pinned = spec.state if spec else row.pinned if row else "auto"
        if pinned == ("warm" if demand.asked else "running"):
            raise PinnedError(f"the file of {workspace_id} says `state: {pinned}`")
        # What a daemon that died had under way for the portal must not come back after this.
        await self.board.supersede(workspace_id, "start" if demand.asked else "stop")
        return await self.one(workspace_id, demand, on_step)
