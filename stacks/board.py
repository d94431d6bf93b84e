"""The runner's way to the index: publishes off the event loop, by legal events, and tells listeners.

It decides nothing: which events lead where stands in `stacks.paths` and in the index's phase table.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from stacks import paths
from stacks.errors import (
    EngineUnavailableError,
    HomeMissingError,
    NotLeadingError,
    OtherTreeError,
    OvertakenError,
    PublishFailedError,
    StacksError,
)
from stacks.steps import OnStep, Step
from state_index.edits import Edits
from state_index.errors import (
    LeaseLostError,
    StaleRowError,
    StateIndexError,
    UnknownOperationError,
)
from state_index.index import Index
from state_index.models import Changes, HistoryRow, Intent, IntentKind, Published, RunnerInfo
from state_index.phases import Event, Phase, decide
from state_index.publishing import HISTORY_BOUND
from state_index.removals import Removals
from state_index.repository import Repository
from state_index.retention import Records
from state_index.reviews import Reviews


@contextmanager
def translated() -> Iterator[None]:
    """Turn the index's errors into ours."""
    try:
        yield
    except StaleRowError as error:
        raise OvertakenError(str(error), step="publish") from error
    except LeaseLostError as error:
        raise NotLeadingError(f"nothing is published: {error}", step="publish") from error
    except StateIndexError as error:
        raise PublishFailedError(str(error), step="publish") from error


@dataclass(frozen=True, kw_only=True)
class Context:
    """Why something is published.

    Attributes:
        cause: For a person, goes into the history.
        request_id: The request behind it.
        actor: The user behind it.
        revision: The content of the file behind it, as git names it.
    """

    cause: str
    request_id: str = ""
    actor: str = ""
    revision: str = ""


class Board:
    """Publishes for the runner."""

    def __init__(self, index: Index, *, nudge: Callable[[], object] | None = None) -> None:
        """Prepare.

        Args:
            index: The index.
            nudge: Called after each change, in a thread: tells gateways to look.
        """
        self._index = index
        self._nudge = nudge
        self._listeners: list[OnStep] = []

    @contextmanager
    def listening(self, on_step: OnStep | None) -> Iterator[None]:
        """Tell a listener every step until the block ends."""
        if on_step is None:
            yield
            return
        self._listeners.append(on_step)
        try:
            yield
        finally:
            self._listeners.remove(on_step)

    @property
    def removals(self) -> Removals:
        """What bounds removals; its calls wait for the database."""
        return self._index.removals

    @property
    def records(self) -> Records:
        """History and operations beyond their bounds; its calls wait for the database."""
        return self._index.records

    @property
    def repository(self) -> Repository:
        """What is said and asked about the git repository; its calls wait for the database."""
        return self._index.repository

    @property
    def edits(self) -> Edits:
        """What users ask to have changed in files; its calls wait for the database."""
        return self._index.edits

    @property
    def reviews(self) -> Reviews:
        """What was said of pull requests, and what is held for it; its calls wait for the database."""
        return self._index.reviews

    async def rows(self) -> dict[str, Published]:
        """Read all rows, by id."""
        with translated():
            return {row.id: row for row in await asyncio.to_thread(self._index.workspaces)}

    async def generation(self) -> int:
        """Read the generation of the newest publish."""
        with translated():
            return await asyncio.to_thread(self._index.generation)

    async def row(self, workspace_id: str) -> Published | None:
        """Read one row."""
        with translated():
            return await asyncio.to_thread(self._index.workspace, workspace_id)

    async def history(self, workspace_id: str) -> list[HistoryRow]:
        """Read the phases it went through, newest first: all of them, as they tell of homes."""
        # One row more is kept than the bound says: the one that tells that there was a home.
        with translated():
            return await asyncio.to_thread(self._index.history, workspace_id, HISTORY_BOUND + 1)

    async def histories(self, ids: Collection[str]) -> dict[str, list[HistoryRow]]:
        """Read those of several: a query for each costs more than all that is done with them."""
        if not ids:
            return {}
        with translated():
            return await asyncio.to_thread(self._index.histories, ids)

    async def say(
        self,
        workspace_id: str,
        why: Context,
        *events: Event,
        changes: Changes | None = None,
        if_generation: int | None = None,
    ) -> Published:
        """Publish events in a row, with the changes at the last of them: all or nothing.

        Raises:
            OvertakenError: The row is not at `if_generation` any more (0: there is none).
            PublishFailedError: The index did not take it.
        """
        with translated():
            row = await asyncio.to_thread(
                self._say, workspace_id, why, events, changes or {}, if_generation
            )
        self._tell(row)
        return row

    def _say(
        self,
        workspace_id: str,
        why: Context,
        events: tuple[Event, ...],
        changes: Changes,
        if_generation: int | None,
    ) -> Published:
        row = self._index.publish(
            workspace_id,
            event=events[-1] if events else None,
            after=events[:-1],
            cause=why.cause,
            actor=why.actor,
            request_id=why.request_id,
            revision=why.revision,
            if_generation=if_generation,
            **changes,
        )
        if self._nudge is not None:
            self._nudge()
        return row

    async def enter(
        self,
        workspace_id: str,
        why: Context,
        path: Mapping[Phase, paths.Path],
        changes: Changes | None = None,
    ) -> Published:
        """Publish the events that lead from the present phase to a kind of work.

        Raises:
            PublishFailedError: No way leads there.
        """
        row = await self.row(workspace_id)
        phase = row.phase if row else Phase.PENDING
        if phase not in path:
            raise PublishFailedError(f"{workspace_id} is {phase}: it cannot be worked on now")
        return await self.say(workspace_id, why, *path[phase], changes=changes)

    async def fail(
        self,
        workspace_id: str,
        why: Context,
        error: StacksError,
        *,
        retry_in: float | None,
        changes: Changes | None = None,
        if_generation: int | None = None,
        outlived: bool = False,
    ) -> Published:
        """Publish a failure: phase ERROR, or UNKNOWN when the engine does not answer.

        Args:
            workspace_id: Which.
            why: What began the work.
            error: How it failed.
            retry_in: Seconds until it is tried again; None when it is not.
            changes: What else the row says.
            if_generation: As `say`.
            outlived: Whether its container runs as it did before: then it is RUNNING all the same.

        Raises:
            OvertakenError: As `say`.
        """
        row = await self.row(workspace_id)
        phase = row.phase if row else Phase.PENDING
        possible = (event for event in failure_events(error) if decide(phase, event).accepted)
        events = tuple(islice(possible, 1))
        if outlived and events == (Event.FAILED,):
            events = (Event.FAILED, Event.READY)
        retry_at = None if retry_in is None else datetime.now(UTC) + timedelta(seconds=retry_in)
        told: Changes = {
            "reason": error.reason,
            "message": error.told,
            "step": error.step,
            "retry_at": retry_at,
        }
        told = (changes or Changes()) | told
        return await self.say(workspace_id, why, *events, changes=told, if_generation=if_generation)

    async def forget(self, workspace_id: str, cause: str) -> None:
        """Remove a row."""
        with translated():
            await asyncio.to_thread(self._index.forget, workspace_id, cause)

    async def take_intents(self) -> list[Intent]:
        """Take what users asked for."""
        with translated():
            return await asyncio.to_thread(self._index.take_intents)

    async def finish(self, intent_id: str, error: str) -> None:
        """End an operation that a user asked for; one that is forgotten by now has ended."""
        with translated(), suppress(UnknownOperationError):
            await asyncio.to_thread(self._index.finish, intent_id, error)

    async def supersede(self, workspace_id: str, kind: IntentKind) -> None:
        """Give up what users asked for before somebody typed the opposite."""
        with translated():
            await asyncio.to_thread(self._index.supersede, workspace_id, kind)

    async def reopen(self, *, but: Collection[str] = ()) -> None:
        """Open again what a former runner took and did not end, or this one without knowing.

        Args:
            but: Ids of the intents that are under way.
        """
        with translated():
            await asyncio.to_thread(self._index.reopen_intents, but=list(but))

    async def announce(self, info: RunnerInfo) -> None:
        """Say who runs."""
        with translated():
            await asyncio.to_thread(self._index.announce, info)

    async def beat(self) -> None:
        """Show that the runner lives."""
        with translated():
            await asyncio.to_thread(self._index.beat)

    def _tell(self, row: Published) -> None:
        for listener in list(self._listeners):
            listener(_step(row))


def _step(row: Published) -> Step:
    return Step(id=row.id, phase=row.phase, step=row.step, reason=row.reason, message=row.message)


def failure_events(error: StacksError) -> tuple[Event, ...]:
    """Give the events that say what kind of failure it is; the first that the phase takes counts."""
    if isinstance(error, HomeMissingError):
        return (Event.HOME_MISSING,)
    if isinstance(error, EngineUnavailableError):
        return (Event.UNREACHABLE,)
    if isinstance(error, OtherTreeError):
        # Another's home is none for us: a workspace that is said to run, or to rest, has none.
        return (Event.FAILED, Event.HOME_MISSING)
    return (Event.FAILED,)
