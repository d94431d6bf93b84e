"""Publishes that the engine does not answer, for everything that is on it or should be."""

import contextlib
from collections.abc import Callable

from stacks.board import Board, Context
from stacks.errors import EngineUnavailableError, OvertakenError
from stacks.planned import GONE
from stacks.source import Snapshot
from stacks.telling import is_id
from state_index.models import Changes
from state_index.phases import Phase, Sync


async def publish(
    board: Board,
    snapshot: Snapshot,
    why: Context,
    error: EngineUnavailableError,
    *,
    began: int,
    is_busy: Callable[[str], bool],
) -> None:
    """Publish it.

    What was published since the question was asked (generation `began`), or is being worked on,
    tells what is newer than this answer.
    """
    rows = await board.rows()
    for id_ in sorted(rows.keys() | snapshot.ids):
        row, spec = rows.get(id_), snapshot.specs.get(id_)
        if row and (row.phase in GONE or row.phase is Phase.UNKNOWN or row.generation > began):
            continue
        if is_busy(id_) or not is_id(id_):
            continue
        told = Changes(sync=row.sync if row else Sync.OUT_OF_SYNC)
        # An owner that the rules may refuse must not get what stands by an engine that is away.
        if spec is not None and not (row and row.owner and snapshot.rules.any):
            told["owner"] = spec.owner
        known = row.generation if row else 0
        with contextlib.suppress(OvertakenError):
            await board.fail(id_, why, error, retry_in=None, changes=told, if_generation=known)
