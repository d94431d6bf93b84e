"""Looks what is there of the workspaces that a pull request changes, one after another.

Nothing is made, started or fetched for it: a workspace that is not there yet is told by the plan alone,
and what stands is previewed by Pulumi while the queue does not need it. Whoever wants something of a
workspace meanwhile has its preview ended.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from stacks.bench import Bench
from stacks.board import Board
from stacks.changes import WorkspaceChange
from stacks.errors import NotLeadingError, StacksError
from stacks.gaps import Gaps
from stacks.plan import Action, Change, Wish, plan_one
from stacks.previews import describe, preview_all
from stacks.pulls.live import MOST, Fact
from stacks.rendering import Facts
from stacks.review import model
from stacks.review.model import Review
from stacks.sight import Sight
from stacks.source import Snapshot
from stacks.work import Work
from state_index.models import Published

LOOK_EVERY = 0.05
"""Seconds between two looks whether somebody wants the workspace that is previewed."""

PATIENCE = 30.0
"""Seconds that a preview waits until the queue is idle; then it is left out."""

TOLD = frozenset(model.Action) - {model.Action.INVALID, model.Action.UNCHANGED}
ASKED = frozenset({Action.UPDATE, Action.REPLACE})


class Looker:
    """Looks at what is there."""

    def __init__(
        self,
        *,
        board: Board,
        sight: Sight,
        work: Work,
        bench: Bench,
        gaps: Gaps,
        facts: Facts,
        prunes: bool,
    ) -> None:
        """Prepare.

        Args:
            board: The index.
            sight: Reads engine and index.
            work: Asks Pulumi.
            bench: Judges by the rules of the branch.
            gaps: Keeps the queue off what is previewed.
            facts: What is the same for all workspaces.
            prunes: Whether workspaces go whose file is gone.
        """
        self._board = board
        self._sight = sight
        self._work = work
        self._bench = bench
        self._gaps = gaps
        self._facts = facts
        self._prunes = prunes

    async def print_of(self, review: Review) -> str:
        """Give what changes when a look would say something else: cheap, and asks the index only."""
        rows = await self._board.rows()
        told = [_print(rows.get(each.id)) for each in changed(review)]
        return "\n".join([review.hash, *told])

    async def look(self, review: Review, snapshot: Snapshot) -> list[Fact]:
        """Look at each workspace that is changed, the destructive ones first.

        Args:
            review: What the files say.
            snapshot: What they would say, by the rules of the branch.
        """
        return [fact async for fact in self._each(review, snapshot)]

    async def _each(self, review: Review, snapshot: Snapshot) -> AsyncIterator[Fact]:
        for each in changed(review)[:MOST]:
            try:
                yield await self._one(each.id, snapshot)
            except NotLeadingError:
                raise
            except StacksError as error:
                yield Fact(id=each.id, problem=error.message)

    async def _one(self, workspace_id: str, snapshot: Snapshot) -> Fact:
        known = await self._sight.one(workspace_id, snapshot, asked=None)
        wish = Wish(prune=self._prunes, force=True, heal=True)
        ruling, wish = await self._bench.for_one(known, wish, snapshot, ())
        change = ruling.of(plan_one(known, snapshot=snapshot, facts=self._facts, wish=wish))
        told, asked = await self._told(change)
        return Fact(
            id=workspace_id,
            phase=known.row.phase if known.row else None,
            homes=len(known.homes),
            drift=len(known.row.drift) if known.row else 0,
            change=told,
            asked=asked,
        )

    async def _told(self, change: Change) -> tuple[WorkspaceChange, bool]:
        """Describe a change; Pulumi is asked of what has a stack already, and of nothing else."""
        stands = change.known.container is not None and not change.known.new
        if change.action not in ASKED or not stands or not await self._idle():
            return describe(change), False
        with self._gaps.alone(change.id) as alone:
            found = await self._previewed(change) if alone else None
        return (found, True) if found is not None else (describe(change), False)

    async def _previewed(self, change: Change) -> WorkspaceChange | None:
        """Ask Pulumi; None where somebody came who wants something of the workspace."""
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(preview_all(self._work, [change], {}))
            while not asking.done():
                await asyncio.wait({asking}, timeout=LOOK_EVERY)
                if self._gaps.is_wanted(change.id):
                    asking.cancel()
        return None if asking.cancelled() else asking.result()[0]

    async def _idle(self) -> bool:
        """Wait until nothing is worked on; whether that came about."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._gaps.busy:  # noqa: ASYNC110 - a look at the queue is all there is
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            return False
        return True


def changed(review: Review) -> Sequence[model.WorkspaceReview]:
    """Name what is looked at."""
    return [each for each in review.workspaces if each.action in TOLD]


def _print(row: Published | None) -> str:
    if row is None:
        return "-"
    return f"{row.id} {row.phase} {row.applied_hash} {row.reason} {len(row.drift)}"
