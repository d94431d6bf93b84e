"""The command of `Runner` that brings workspaces to what their files say: `up`, also to a given commit."""

from collections.abc import Iterable

from settings.model import RunnerSettings
from stacks.asking import Revision, overtaken
from stacks.demand import Demand
from stacks.git.commits import at_commit
from stacks.home_commands import HomeCommands
from stacks.operator import no_workspace
from stacks.plan import Action
from stacks.results import failed
from stacks.steps import OnStep, Result
from telemetry import context


class UpCommands(HomeCommands):
    """A part of `Runner`: what it opens is set there."""

    settings: RunnerSettings

    async def up(
        self,
        ids: Iterable[str] | None = None,
        *,
        on_step: OnStep | None = None,
        prune: bool | None = None,
        max_delete: int | None = None,
        revision: Revision | None = None,
        now: bool = False,
        actor: str = "",
        request_id: str = "",
    ) -> list[Result]:
        """Bring workspaces to what their files say; see `Operator`."""
        wanted = None if ids is None else frozenset(ids)
        commit = await self.source.ask(revision) if revision else ""
        if prune and wanted is None:  # of named ones, nobody meant the others
            await self.source.allow()
        await self.read()
        if commit and self.queue.snapshot.commit != commit:
            raise overtaken(commit, self.queue.snapshot.commit)
        await self.commits.begun(self.queue.snapshot)
        unknown: frozenset[str] = frozenset()
        if wanted is not None:
            unknown = wanted - self.queue.snapshot.ids - frozenset(await self.board.rows())
            wanted -= unknown
        did = "up --now" if now else "up"
        demand = Demand(
            cause=(f"{actor} asked for `{did}`" if actor else did) + at_commit(self.queue.snapshot),
            actor=actor,
            request_id=request_id or context.request_id(),
            explained=True,
            force=True,
            heal=True,
            prune=self.settings.prunes if prune is None else prune,
            max_delete=max_delete,
            now=now,
        )
        refused = [failed(id_, Action.BLOCKED, None, no_workspace(id_)) for id_ in unknown]
        with self.board.listening(on_step):
            done = await self.queue.sweep(demand, wanted) if wanted or not unknown else []
        await self.commits.judge(self.queue.snapshot, self.queue.is_busy)
        return sorted([*done, *refused], key=lambda result: result.id)
