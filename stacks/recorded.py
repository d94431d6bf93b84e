"""Reads from Pulumi's state which home volumes a workspace's stack holds: a source of proof. Read only."""

from collections.abc import Iterable
from pathlib import Path

from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.programs.inputs import CONTAINER_TYPE, VOLUME_TYPE


class Recorded:
    """The state of one data tree."""

    def __init__(self, state: Path) -> None:
        """Prepare.

        Args:
            state: Folder of Pulumi's state.
        """
        self._state = state

    def homes(self, workspace_id: str) -> tuple[str, ...]:
        """Give the names of the volumes in a workspace's stack; none where it cannot be read."""
        return tuple(sorted(self._identities(workspace_id, VOLUME_TYPE)))

    def all_homes(self, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The same of several workspaces."""
        return {id_: self.homes(id_) for id_ in ids}

    def container(self, workspace_id: str) -> str:
        """Give the engine's id of the container in a workspace's stack; "" where none is told."""
        found = self._identities(workspace_id, CONTAINER_TYPE)
        return next(iter(found)) if len(found) == 1 else ""

    def _identities(self, workspace_id: str, resource_type: str) -> frozenset[str]:
        try:
            content = StateFiles(self._state, workspace_id).checkpoint.read_bytes()
            return Checkpoint.parse(content).identities(resource_type)
        except (OSError, ValueError):
            return frozenset()  # what cannot be read proves nothing; the operation sees to it

    def stacks(self) -> frozenset[str]:
        """Name all stacks that there are."""
        folder = StateFiles(self._state, "").checkpoint.parent
        return frozenset(path.stem for path in folder.glob("*.json"))
