"""Tells this data tree's objects on the engine from those of another one.

An object says by a label which tree made it. One without the label is from before there were ids:
it belongs to the tree whose Pulumi state knows it. Nothing here asks an engine.
"""

from dataclasses import dataclass
from pathlib import Path

from settings.tree import TreeIds
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.engine.model import Leftover
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import LABEL_TREE, LABEL_WORKSPACE


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One data tree, as its objects know it.

    Attributes:
        ids: What its file `tree` says.
        state: Folder of Pulumi's state.
    """

    ids: TreeIds
    state: Path

    def owns_container(self, found: Container) -> bool:
        """Whether a container is this tree's."""
        return self._owns(found.labels.get(LABEL_TREE, ""), found.workspace, found.id)

    def owns_home(self, found: HomeVolume) -> bool:
        """Whether a home is this tree's."""
        return self._owns(found.tree, found.workspace, found.name)

    def owns(self, found: Leftover) -> bool:
        """Whether a container or volume is this tree's; the network is everybody's."""
        if found.kind == "network":
            return True
        labels = found.labels
        return self._owns(labels.get(LABEL_TREE, ""), labels.get(LABEL_WORKSPACE, ""), found.id)

    def _owns(self, label: str, workspace: str, identity: str) -> bool:
        if label or self.ids.name(label):
            return self.ids.name(label)
        return identity in self._recorded(workspace)

    def _recorded(self, stack: str) -> frozenset[str]:
        """Read which of the engine's ids a stack's state knows."""
        try:
            found = Checkpoint.parse(StateFiles(self.state, stack).checkpoint.read_bytes())
        except (OSError, ValueError):
            return frozenset()  # what cannot be read claims nothing
        return frozenset(str(item["id"]) for item in found.resources if item.get("id"))
