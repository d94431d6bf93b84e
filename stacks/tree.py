"""Tells this data tree's objects on the engine from those of another one.

An object says by a label which tree made it. One without the label is from before there were ids:
it belongs to the tree whose Pulumi state knows it. That state also gives the tree's id back when the
file that keeps it is lost. Nothing here asks an engine.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.errors import DataFolderError
from settings.paths import DataPaths
from settings.tree import TreeIds
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.engine.model import Leftover
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import CONTAINER_TYPE, LABEL_TREE, LABEL_WORKSPACE, VOLUME_TYPE
from state_index.models import Published
from state_index.phases import Phase


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One data tree, as its objects know it.

    Attributes:
        ids: What its file `tree` says.
        state: Folder of Pulumi's state.
        file: That file, for messages.
    """

    ids: TreeIds
    state: Path
    file: Path

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
        found = _parsed(StateFiles(self.state, stack).checkpoint)
        # What cannot be read claims nothing.
        return frozenset(str(item["id"]) for item in found if item.get("id"))


def former_ids(paths: DataPaths, rows: Iterable[Published]) -> TreeIds | None:
    """Tell the ids that a data tree had before its file `tree` was lost.

    A new id would make all that the tree made another tree's: homes would seem to be gone.

    Args:
        paths: The data tree.
        rows: What its index knows.

    Returns:
        The ids, as what it made carries them; None when there is nothing that carries one, so that
        a new one does no harm.

    Raises:
        DataFolderError: It made things, and its state does not say under which id.
    """
    resources = list(_resources(StateFiles(paths.state, "").checkpoint.parent))
    # Containers carry the tree's own id; homes that of who made them, which may be a tree that
    # this one took over.
    made, kept = (_labels(resources, kind) for kind in (CONTAINER_TYPE, VOLUME_TYPE))
    own = made - {""} or kept - {""}
    if len(own) == 1:
        return TreeIds(min(own), frozenset(kept - own - {""}))
    was_used = any(row.applied_hash and row.phase is not Phase.DELETED for row in rows)
    if own or (was_used and not made | kept):
        raise DataFolderError(_lost(paths.tree, own))
    return None


def _lost(path: Path, own: frozenset[str]) -> str:
    known = f"names several: {', '.join(sorted(own))}" if own else "knows none of what it made"
    return (
        f"{path} is lost, and with it the id of this data tree; its Pulumi state {known}. Write the "
        "id into that file that the tree's containers and volumes carry as the label codehub.tree: "
        "docker ps -a --format '{{.Names}} {{.Label \"codehub.tree\"}}' shows it. "
        "Is nothing left that carries one, write 16 hexadecimal digits of your own"
    )


def _resources(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Give all that the tree's stacks hold; of one that cannot be read or is empty, what it held."""
    for path in sorted(folder.glob("*.json")):
        yield from _parsed(path) or _parsed(path.with_suffix(".json.bak"))


def _parsed(path: Path) -> tuple[Mapping[str, Any], ...]:
    try:
        return tuple(Checkpoint.parse(path.read_bytes()).resources)
    except (OSError, ValueError):
        return ()


def _labels(resources: Iterable[Mapping[str, Any]], kind: str) -> frozenset[str]:
    """Give the trees that resources of a kind are labelled with, "" for those that are not."""
    found = (item for item in resources if item.get("type") == kind)
    return frozenset(_label(item) for item in found)


def _label(resource: Mapping[str, Any]) -> str:
    # What the engine has, where that was read: a home keeps the labels that it was made with.
    known = resource.get("outputs") or resource.get("inputs") or {}
    labels = {item["label"]: item.get("value", "") for item in known.get("labels") or ()}
    return str(labels.get(LABEL_TREE, ""))
