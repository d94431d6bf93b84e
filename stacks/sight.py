"""Gathers what is known of workspaces, for `stacks.plan`: rows, containers, homes, wishes, proofs.

Reading only. All of a target costs one list call of containers and one of volumes; the index is
asked for a history only where the phase does not say whether a workspace should run, or where a
home is not there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stacks import missing
from stacks.board import Board
from stacks.errors import NameTakenError, StacksError
from stacks.homes import Proof
from stacks.plan import Known, is_settled, last_wish
from stacks.power import Container, Inventory, Power
from stacks.source import Snapshot
from state_index.models import HistoryRow, Published
from state_index.phases import Phase


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything that a full plan needs, at one moment."""

    rows: Mapping[str, Published]
    inventory: Inventory
    proofs: Mapping[str, tuple[Proof, ...]]
    last: Mapping[str, bool | None]


class Sight:
    """Reads index and engine together."""

    def __init__(self, *, board: Board, power: Power) -> None:
        self._board = board
        self._power = power

    async def all(self, snapshot: Snapshot) -> View:
        """Read everything.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        inventory = await self._power.inventory()
        rows = await self._board.rows()
        unclear = {id_ for id_, row in rows.items() if not is_settled(row.phase)}
        homeless = {id_ for id_ in snapshot.specs if id_ not in inventory.homes}
        histories = await self._histories(unclear | homeless)
        return View(
            rows=rows,
            inventory=inventory,
            proofs={id_: (index_proof(rows.get(id_), histories[id_]),) for id_ in sorted(homeless)},
            last={id_: last_wish(row, histories.get(id_, [])) for id_, row in rows.items()},
        )

    async def one(self, workspace_id: str, snapshot: Snapshot, *, asked: bool | None) -> Known:
        """Read one workspace anew.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        row = await self._board.row(workspace_id)
        container = await self._container(workspace_id)
        homes = await self._power.homes(workspace_id)
        history: list[HistoryRow] = []
        if not homes or (row is not None and not is_settled(row.phase)):
            history = await self._board.history(workspace_id)
        return Known(
            id=workspace_id,
            spec=snapshot.specs.get(workspace_id),
            row=row,
            container=container,
            homes=homes,
            proofs=() if homes else (index_proof(row, history),),
            wanted=last_wish(row, history),
            asked=asked,
        )

    async def explained(self, error: StacksError) -> StacksError:
        """Say more of a home that is not there; any other error is given back as it is."""
        return await missing.explained(error, self._power)

    async def _container(self, workspace_id: str) -> Container | None:
        try:
            return await self._power.container(workspace_id)
        except NameTakenError:
            # Not ours, so there is none of ours; making one says whose the name is.
            return None

    async def _histories(self, ids: Iterable[str]) -> dict[str, list[HistoryRow]]:
        return {id_: await self._board.history(id_) for id_ in sorted(ids)}


_MADE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.STOPPING, Phase.UPDATING, Phase.WARM})
"""Phases that only a workspace with a home comes to."""


def index_proof(row: Published | None, history: Iterable[HistoryRow]) -> Proof:
    """Tell what the index knows of an earlier home."""
    had_home = row is not None and row.phase is not Phase.DELETED and _had_home(row)
    for change in history:
        if had_home or change.to_phase is Phase.DELETED:
            break
        had_home = change.to_phase in _MADE
    return Proof(source="index", had_home=had_home)


def _had_home(row: Published) -> bool:
    return bool(row.applied_hash) or row.grace_end is not None
