"""Reads from Pulumi's state which home volumes a workspace's stack holds: a source of proof. Read only."""

from pathlib import Path

from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.programs.inputs import VOLUME_TYPE


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
        try:
            content = StateFiles(self._state, workspace_id).checkpoint.read_bytes()
            found = Checkpoint.parse(content)
        except (OSError, ValueError):
            return ()  # what cannot be read proves nothing; the operation sees to it
        return tuple(sorted(found.identities(VOLUME_TYPE)))

    def stacks(self) -> frozenset[str]:
        """Name all stacks that there are."""
        folder = StateFiles(self._state, "").checkpoint.parent
        return frozenset(path.stem for path in folder.glob("*.json"))
