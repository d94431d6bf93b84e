"""Gathers what is known of workspaces, for `stacks.plan`: rows, containers, homes, wishes, proofs.

Reading only. All of a target costs one list call of containers and one of volumes; the index is
asked for a history only where the phase does not say whether a workspace should run, or where a
home is not there.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from spec import WorkspaceSpec
from stacks import missing, renames, torn
from stacks.board import Board
from stacks.errors import LedgerError, NameTakenError, StacksError
from stacks.homes import Proof
from stacks.identity import named
from stacks.ledger import Ledger
from stacks.ledger_entries import UNREADABLE, Entries, torn_homes
from stacks.plan import Known, is_settled, last_wish
from stacks.planned import GONE, Former
from stacks.power import Container, HomeVolume, Inventory, Power
from stacks.recorded import Recorded
from stacks.source import Snapshot
from stacks.wishes import phase_before
from state_index.models import HistoryRow, Published
from state_index.phases import WITH_HOME, Phase


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything that a full plan needs, at one moment."""

    rows: Mapping[str, Published]
    inventory: Inventory
    proofs: Mapping[str, tuple[Proof, ...]]
    last: Mapping[str, bool | None]
    before: Mapping[str, Phase | None]
    entries: Entries | None
    """What the ledger says of what was removed; None where it can't be read."""
    purged: frozenset[str] = frozenset()
    """Former ids of removed workspaces of which the history tells that their home was removed."""


class Sight:
    """Reads index and engine together."""

    def __init__(
        self, *, board: Board, power: Power, ledger: Ledger, recorded: Recorded | None = None
    ) -> None:
        """Prepare.

        Args:
            board: The index.
            power: The container engine.
            ledger: What was removed.
            recorded: Pulumi's state; None where there is none to be read.
        """
        self._board = board
        self._power = power
        self._ledger = ledger
        self._recorded = recorded

    async def all(self, snapshot: Snapshot) -> View:
        """Read everything.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        inventory = await self._power.inventory()
        rows = await self._board.rows()
        unclear = {id_ for id_, row in rows.items() if not is_settled(row.phase)}
        homeless = {
            id_
            for id_, spec in snapshot.specs.items()
            if not inventory.homes.keys() & {id_, spec.formerly}
        }
        histories = await self._histories(unclear | homeless)
        recorded = await self._all_recorded(homeless)
        return View(
            rows=rows,
            inventory=inventory,
            proofs={
                id_: (
                    index_proof(rows.get(id_), histories[id_]),
                    named("Pulumi's state", recorded[id_]),
                )
                for id_ in sorted(homeless)
            },
            last={id_: last_wish(row, histories.get(id_, [])) for id_, row in rows.items()},
            before={id_: phase_before(rows.get(id_), histories[id_]) for id_ in sorted(unclear)},
            entries=await self._entries(),
            purged=await self._purged(rows, inventory),
        )

    async def _purged(self, rows: Mapping[str, Published], inventory: Inventory) -> frozenset[str]:
        """Tell which former ids are over; the history is asked only of those that show nothing."""
        removed = (row for row in rows.values() if row.grace_end is not None or row.phase in GONE)
        former = {renames.former_id(row) for row in removed} - {""}
        unseen = former - rows.keys() - inventory.homes.keys()
        return frozenset(
            id_ for id_, told in (await self._histories(unseen)).items() if is_purged(told)
        )

    async def one(self, workspace_id: str, snapshot: Snapshot, *, asked: bool | None) -> Known:
        """Read one workspace anew.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        row = await self._board.row(workspace_id)
        container = await self._container(workspace_id)
        spec = snapshot.specs.get(workspace_id)
        own = await self._power.homes(workspace_id)
        former = await self._former(spec, snapshot, own=own, new=container is None)
        homes = renames.merged(own, former)
        entries = await self._entries()
        entry = UNREADABLE if entries is None else entries.get(workspace_id)
        before = renames.former_id(row)
        # The other rows say something of it only where nothing but its home is there.
        is_alone = bool(homes) and spec is None and container is None
        history: list[HistoryRow] = []
        if not homes or (row is not None and not is_settled(row.phase)):
            history = await self._board.history(workspace_id)
        return Known(
            id=workspace_id,
            spec=spec,
            row=row,
            container=container,
            homes=homes,
            recorded=await self._homes_recorded(workspace_id),
            made=await self._made(workspace_id) if container else "",
            former=former,
            former_left=await self._left(before),
            former_gone=bool(before) and is_purged(await self._board.history(before)),
            heir=await self._heir(workspace_id, homes, snapshot),
            successors=await self._successors(workspace_id) if is_alone else (),
            proofs=() if homes else (index_proof(row, history),),
            entry=await torn.settled(entry, self._power),
            torn=torn_homes(entries or {}),
            wanted=last_wish(row, history),
            before=phase_before(row, history),
            asked=asked,
            fileless=snapshot.lacks(workspace_id),
        )

    async def explained(self, error: StacksError) -> StacksError:
        """Say more of a home that is not there; any other error is given back as it is."""
        return await missing.explained(error, self._power)

    async def _former(
        self,
        spec: WorkspaceSpec | None,
        snapshot: Snapshot,
        *,
        own: tuple[HomeVolume, ...],
        new: bool,
    ) -> Former | None:
        """Look for what it was before; with a container of its own, all that is done already."""
        if spec is None or (spec.formerly is None and not new):
            return None
        id_ = spec.formerly or spec.id
        homes = await self._power.homes(id_) if spec.formerly else own
        return renames.former(
            spec,
            row=await self._board.row(id_),
            container=await self._container(id_) if spec.formerly else None,
            homes=homes,
            holders=[found for home in homes for found in await self._power.holders(home.name)],
            snapshot=snapshot,
            successors=await self._successors(id_) if homes else (),
        )

    async def _left(self, former: str) -> bool:
        """Whether anything is left of the id that a workspace was renamed from."""
        if not former:
            return False
        return await self._board.row(former) is not None or bool(await self._power.homes(former))

    async def _heir(
        self, workspace_id: str, homes: tuple[HomeVolume, ...], snapshot: Snapshot
    ) -> str:
        """Tell who has the home of a workspace that has no file."""
        if workspace_id in snapshot.ids or not homes:
            return snapshot.heirs.get(workspace_id, "")
        unclear = snapshot.ids - snapshot.specs.keys()
        rows = {id_: row for id_ in unclear if (row := await self._board.row(id_))}
        holders = [found for home in homes for found in await self._power.holders(home.name)]
        return renames.heirs(snapshot, rows, holders).get(workspace_id, "")

    async def _successors(self, workspace_id: str) -> tuple[Published, ...]:
        rows = await self._board.rows()
        found = renames.successors(rows.values(), ()).get(workspace_id, ())
        return tuple([row for row in found if not await self._power.homes(row.id)])

    async def _homes_recorded(self, workspace_id: str) -> tuple[str, ...]:
        if self._recorded is None:
            return ()
        return await asyncio.to_thread(self._recorded.homes, workspace_id)

    async def _all_recorded(self, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        if self._recorded is None or not ids:
            return dict.fromkeys(ids, ())
        return await asyncio.to_thread(self._recorded.all_homes, ids)

    async def _entries(self) -> Entries | None:
        try:
            return await asyncio.to_thread(self._ledger.entries)
        except LedgerError:
            return None

    async def _made(self, workspace_id: str) -> str:
        if self._recorded is None:
            return ""
        return await asyncio.to_thread(self._recorded.container, workspace_id)

    async def _container(self, workspace_id: str) -> Container | None:
        try:
            return await self._power.container(workspace_id)
        except NameTakenError:
            # Not ours, so there is none of ours; making one says whose the name is.
            return None

    async def _histories(self, ids: Collection[str]) -> dict[str, list[HistoryRow]]:
        return await self._board.histories(ids)


def index_proof(row: Published | None, history: Iterable[HistoryRow]) -> Proof:
    """Tell what the index knows of an earlier home."""
    had_home = row is not None and row.phase is not Phase.DELETED and _had_home(row)
    for change in history:
        if had_home or change.to_phase is Phase.DELETED:
            break
        had_home = change.to_phase in WITH_HOME
    return Proof(source="index", had_home=had_home)


def is_purged(history: Iterable[HistoryRow]) -> bool:
    """Whether the last that a history tells of a home is that it was removed."""
    told = (row.to_phase for row in history if row.to_phase in WITH_HOME | {Phase.DELETED})
    return next(told, None) is Phase.DELETED


def _had_home(row: Published) -> bool:
    return bool(row.applied_hash) or row.grace_end is not None
