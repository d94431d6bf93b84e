"""Whose an object is: by its label, and without one by the tree's own Pulumi state."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from settings.errors import DataFolderError
from settings.paths import DataPaths
from settings.tree import TreeIds
from stacks.engine.checkpoint import Checkpoint, StateFiles, write
from stacks.engine.model import Leftover
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import CONTAINER_TYPE, LABEL_TREE, LABEL_WORKSPACE, VOLUME_TYPE
from stacks.tree import Tree, former_ids
from state_index.models import Published
from state_index.phases import Phase, Sync

OWN, LOST, OTHER = "0123456789abcdef", "fedcba9876543210", "aaaaaaaaaaaaaaaa"
IDS = TreeIds(OWN, frozenset({LOST}))


def container(id_: str, label: str) -> Container:
    labels = {LABEL_TREE: label} if label else {}
    return Container(id=id_, name="x-ws", workspace="ws", state="exited", image="i", labels=labels)


def home(name: str, label: str) -> HomeVolume:
    return HomeVolume(workspace="ws", number=1, name=name, owner="alice", tree=label)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree whose state knows the container `c1` and the volume `v1` of `ws`."""
    resources = [
        {"urn": f"urn:pulumi:ws::codehub::t::{name}", "type": "t", "id": name}
        for name in ("c1", "v1")
    ]
    content = {"version": 3, "checkpoint": {"stack": "ws", "latest": {"resources": resources}}}
    write(StateFiles(tmp_path, "ws"), Checkpoint(content))
    return Tree(ids=IDS, state=tmp_path, file=tmp_path / "tree")


@pytest.mark.parametrize(
    ("label", "known", "unknown"),
    [(OWN, True, True), (LOST, True, True), (OTHER, False, False), ("", True, False)],
)
def test_the_label_counts_and_without_one_the_state(
    tree: Tree, label: str, known: bool, unknown: bool
) -> None:
    assert tree.owns_container(container("c1", label)) is known
    assert tree.owns_container(container("c2", label)) is unknown
    assert tree.owns_home(home("v1", label)) is known
    assert tree.owns_home(home("v2", label)) is unknown
    labels = {LABEL_WORKSPACE: "ws", **({LABEL_TREE: label} if label else {})}
    assert tree.owns(Leftover(kind="volume", id="v1", name="v1", labels=labels)) is known
    assert tree.owns(Leftover(kind="container", id="c2", name="c", labels=labels)) is unknown


def test_the_network_is_everybodys(tree: Tree) -> None:
    assert tree.owns(Leftover(kind="network", id="n", name="n", labels={LABEL_TREE: OTHER}))


def test_a_state_that_cannot_be_read_claims_nothing_and_is_left_as_it_is(tree: Tree) -> None:
    path = StateFiles(tree.state, "ws").checkpoint
    path.write_text("{")
    assert not tree.owns_home(home("v1", ""))
    assert path.read_text() == "{"
    path.unlink()
    assert not tree.owns_home(home("v1", ""))


def test_what_has_no_label_can_be_taken_over_by_hand(tmp_path: Path) -> None:
    taken = Tree(ids=TreeIds(OWN, frozenset({""})), state=tmp_path, file=tmp_path / "tree")
    assert taken.owns_home(home("v1", ""))
    assert not taken.owns_home(home("v1", OTHER))


def made(kind: str, label: str | None, *, read: bool = True) -> dict[str, Any]:
    """A resource as a state holds it, with the label where the engine's answer stands."""
    labels = [{"label": LABEL_TREE, "value": label}] if label else []
    name = f"urn:pulumi:ws::codehub::{kind}::n"
    return {
        "urn": name,
        "type": kind,
        "id": "i",
        "outputs" if read else "inputs": {"labels": labels},
    }


def keep(paths: DataPaths, stack: str, *resources: dict[str, Any]) -> Path:
    latest = {"resources": list(resources)}
    files = StateFiles(paths.state, stack)
    write(files, Checkpoint({"version": 3, "checkpoint": {"stack": stack, "latest": latest}}))
    return files.checkpoint


def row(applied: str, phase: Phase = Phase.WARM) -> Published:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Published(
        id="ws", owner="alice", phase=phase, sync=Sync.SYNCED, since=now, generation=1,
        applied_hash=applied, updated_at=now,
    )  # fmt: skip


@pytest.mark.parametrize("read", [True, False])
def test_a_lost_id_is_that_of_the_containers_and_homes_may_carry_others(
    tmp_path: Path, read: bool
) -> None:
    paths = DataPaths(tmp_path)
    keep(paths, "a", made(VOLUME_TYPE, LOST), made(CONTAINER_TYPE, OWN, read=read))
    keep(paths, "b", made(VOLUME_TYPE, None), made("docker:index/network:Network", OTHER))
    assert former_ids(paths, [row("h")]) == TreeIds(OWN, frozenset({LOST}))


def test_without_containers_a_lost_id_is_that_of_the_homes(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    state = keep(paths, "a", made(VOLUME_TYPE, OWN))
    assert former_ids(paths, []) == TreeIds(OWN)
    state.rename(state.with_suffix(".json.bak"))
    state.write_text("{")
    assert former_ids(paths, []) == TreeIds(OWN), "the copy tells it too"


def test_a_lost_id_is_not_guessed(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    with pytest.raises(DataFolderError, match="knows none of what it made"):
        former_ids(paths, [row("h")])
    keep(paths, "a", made(VOLUME_TYPE, OWN), made(VOLUME_TYPE, LOST))
    with pytest.raises(DataFolderError, match=f"names several: {OWN}, {LOST}") as caught:
        former_ids(paths, [])
    assert str(caught.value).startswith(f"{paths.tree} is lost")
    assert "docker ps -a --format '{{.Names}} {{.Label \"codehub.tree\"}}'" in str(caught.value)


def test_a_tree_that_has_made_nothing_with_an_id_never_had_one(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    assert former_ids(paths, []) is None
    assert former_ids(paths, [row(""), row("h", Phase.DELETED)]) is None
    keep(paths, "a", made(VOLUME_TYPE, None), made(CONTAINER_TYPE, None))
    assert former_ids(paths, [row("h")]) is None, "it is from before there were ids"
