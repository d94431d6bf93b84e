"""Whose an object is: by its label, and without one by the tree's own Pulumi state."""

from pathlib import Path

import pytest

from settings.tree import TreeIds
from stacks.engine.checkpoint import Checkpoint, StateFiles, write
from stacks.engine.model import Leftover
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import LABEL_TREE, LABEL_WORKSPACE
from stacks.tree import Tree

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
    return Tree(ids=IDS, state=tmp_path)


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
    taken = Tree(ids=TreeIds(OWN, frozenset({""})), state=tmp_path)
    assert taken.owns_home(home("v1", ""))
    assert not taken.owns_home(home("v1", OTHER))
