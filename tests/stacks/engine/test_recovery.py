"""What is picked up before an operation, decided on state files and a fake container engine.

The fake stands at our own seam (`Leftovers`); the real one is used by the kill loop.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from stacks.engine.checkpoint import Checkpoint, StateFiles, read, write
from stacks.engine.model import SHARED_PROGRAM, Kind, Leftover, Operation
from stacks.engine.recovery import clear_name, prepare
from stacks.errors import HomeMissingError, NameTakenError, OtherTreeError
from stacks.programs.inputs import (
    CONTAINER_TYPE,
    LABEL_TREE,
    NETWORK_TYPE,
    VOLUME_TYPE,
    HomeInputs,
    SharedInputs,
    WorkspaceInputs,
)

INPUTS = WorkspaceInputs(
    id="alice-api",
    owner="alice",
    name_prefix="p-",
    image="light",
    cpu=1,
    memory=1 << 26,
    pids=10,
    spec_hash="one",
    home=HomeInputs(number=1, owner="alice"),
    run_folder="/d/run/alice-api",
    network="net",
)
SEEN = replace(INPUTS, home=HomeInputs(number=1, owner="alice", exists=True))
SHARED = SharedInputs(network="net", name_prefix="p-")


@dataclass
class FakeLeftovers:
    """A container engine with a few objects on it."""

    things: list[Leftover] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    tree_file: str = "/data/tree"

    async def find(self, labels: Mapping[str, str]) -> tuple[Leftover, ...]:
        self.calls.append("find")
        return tuple(item for item in self.things if labels.items() <= item.labels.items())

    async def named(self, kind: str, name: str) -> Leftover | None:
        self.calls.append(f"named {name}")
        return next((item for item in self.things if (item.kind, item.name) == (kind, name)), None)

    async def remove_container(self, container_id: str) -> None:
        self.calls.append(f"remove {container_id}")
        self.things = [item for item in self.things if item.id != container_id]


def container(id_: str = "c1", **labels: str) -> Leftover:
    return Leftover(kind="container", id=id_, name="p-alice-api", labels=labels or INPUTS.identity)


def volume(**labels: str) -> Leftover:
    name = "p-alice-api-home-1"
    return Leftover(kind="volume", id=name, name=name, labels=labels or INPUTS.identity)


def recorded(kind: str, id_: str, name: str, **more: Any) -> dict[str, Any]:
    labels = [{"label": key, "value": value} for key, value in INPUTS.identity.items()]
    urn = f"urn:pulumi:alice-api::codehub::{kind}::{name}"
    return {"urn": urn, "type": kind, "id": id_, "inputs": {"labels": labels}, **more}


HOME = recorded(VOLUME_TYPE, "p-alice-api-home-1", "home")
CONTAINER = recorded(CONTAINER_TYPE, "c1", "container")


def state(*resources: dict[str, Any], pending: Any = None) -> Checkpoint:
    latest = {"resources": list(resources), "pending_operations": pending or []}
    return Checkpoint({"version": 3, "checkpoint": {"stack": "s", "latest": latest}})


def operation(
    kind: Kind = Kind.UP, inputs: WorkspaceInputs | SharedInputs | None = INPUTS, **more: Any
) -> Operation:
    data = inputs.to_json() if inputs else {}
    return Operation(kind=kind, stack="alice-api", inputs=data, **more)


@pytest.fixture
def files(tmp_path: Path) -> StateFiles:
    return StateFiles(tmp_path, "alice-api")


async def test_a_new_stack_gets_an_empty_state_and_nothing_is_adopted(files: StateFiles) -> None:
    prepared = await prepare(operation(), files, FakeLeftovers())
    assert read(files) == (Checkpoint.fresh("alice-api"), "")
    assert (prepared.adopt, prepared.refresh, prepared.notes) == (frozenset(), False, ())


async def test_an_empty_state_needs_no_refresh(files: StateFiles) -> None:
    assert not (await prepare(operation(refresh=True), files, FakeLeftovers())).refresh
    write(files, state(HOME))
    engine = FakeLeftovers([volume()])
    assert (await prepare(operation(inputs=SEEN, refresh=True), files, engine)).refresh


async def test_a_refresh_never_drops_a_recorded_home_that_is_gone(files: StateFiles) -> None:
    write(files, state(HOME, CONTAINER))
    with pytest.raises(HomeMissingError):
        await prepare(operation(refresh=True), files, FakeLeftovers([container()]))


async def test_a_stack_in_order_asks_the_engine_nothing(files: StateFiles) -> None:
    write(files, state(HOME, CONTAINER))
    engine = FakeLeftovers([container(), volume()])
    prepared = await prepare(operation(inputs=SEEN), files, engine)
    assert engine.calls == []
    assert prepared.notes == ()


async def test_after_a_kill_while_the_container_was_made_it_is_removed(files: StateFiles) -> None:
    pending = [{"type": "creating", "resource": recorded(CONTAINER_TYPE, "", "container")}]
    write(files, state(HOME, pending=pending))
    engine = FakeLeftovers([container("new"), volume()])

    prepared = await prepare(operation(inputs=SEEN), files, engine)

    assert "remove new" in engine.calls
    assert prepared.refresh
    assert prepared.adopt == {"home"}
    assert "cleared: creating container" in prepared.notes
    found, _ = read(files)
    assert found is not None
    assert found.pending == ()


async def test_a_container_of_the_state_is_left_alone(files: StateFiles) -> None:
    pending = [{"type": "updating", "resource": CONTAINER}]
    write(files, state(HOME, CONTAINER, pending=pending))
    engine = FakeLeftovers([container("c1"), volume()])
    await prepare(operation(inputs=SEEN), files, engine)
    assert not any(call.startswith("remove") for call in engine.calls)


async def test_a_lost_state_adopts_the_home_and_makes_the_container_anew(files: StateFiles) -> None:
    engine = FakeLeftovers([container("old"), volume()])
    prepared = await prepare(operation(inputs=SEEN), files, engine)
    assert prepared.adopt == {"home"}
    assert prepared.notes == (
        "removed the unrecorded container p-alice-api",
        "adopted the volume p-alice-api-home-1",
    )


async def test_a_home_found_on_the_engine_is_adopted_though_the_caller_saw_none(
    files: StateFiles,
) -> None:
    prepared = await prepare(operation(), files, FakeLeftovers([volume()]))
    assert prepared.adopt == {"home"}


@pytest.mark.parametrize("found", [state(), state(HOME)], ids=["unrecorded", "recorded"])
async def test_a_missing_home_is_an_error_and_nothing_is_made(
    files: StateFiles, found: Checkpoint
) -> None:
    write(files, found)
    with pytest.raises(HomeMissingError, match="p-alice-api-home-1"):
        await prepare(operation(inputs=SEEN), files, FakeLeftovers())


async def test_a_recorded_home_that_is_gone_is_missing_even_when_a_new_one_is_allowed(
    files: StateFiles,
) -> None:
    write(files, state(HOME))
    with pytest.raises(HomeMissingError):
        await prepare(operation(inputs=INPUTS), files, FakeLeftovers())


@pytest.mark.parametrize("thing", [container(other="x"), volume(other="x")], ids=lambda t: t.kind)
async def test_a_name_of_somebody_elses_object_is_taken(files: StateFiles, thing: Leftover) -> None:
    engine = FakeLeftovers([thing])
    with pytest.raises(NameTakenError, match=thing.name):
        await prepare(operation(), files, engine)
    assert engine.things == [thing]


@pytest.mark.parametrize("make", [container, volume])
@pytest.mark.parametrize("inputs", [INPUTS, SEEN], ids=["new", "seen"])
async def test_what_another_data_tree_made_is_neither_removed_nor_adopted(
    files: StateFiles, make: Callable[..., Leftover], inputs: WorkspaceInputs
) -> None:
    thing = replace(make(**INPUTS.identity, **{LABEL_TREE: "lost"}), ours=False)
    engine = FakeLeftovers([thing])
    with pytest.raises(OtherTreeError, match="that of another data tree, lost") as caught:
        await prepare(operation(inputs=inputs), files, engine)
    remedy = caught.value.remedy
    assert remedy.startswith("Give this data tree a CODEHUB_NAME_PREFIX of its own")
    assert "Only if the folder of that other data tree is deleted, append the line lost" in remedy
    assert " to /data/tree," in remedy
    assert engine.things == [thing]


async def test_another_trees_container_stays_when_a_name_is_cleared_or_a_stack_destroyed(
    files: StateFiles,
) -> None:
    write(files, state(HOME))
    engine = FakeLeftovers([replace(container("theirs"), ours=False)])
    assert await clear_name(operation(), files, engine) == []
    assert (await prepare(operation(Kind.DESTROY, None), files, engine)).notes == ()
    assert len(engine.things) == 1


async def test_a_preview_removes_nothing_and_breaks_no_lock(files: StateFiles) -> None:
    pending = [{"type": "creating", "resource": recorded(CONTAINER_TYPE, "", "container")}]
    before = state(HOME, pending=pending)
    write(files, before)
    files.locks.mkdir(parents=True)
    (files.locks / "one.json").write_text("{}")
    engine = FakeLeftovers([container("new"), volume()])

    prepared = await prepare(operation(Kind.PREVIEW, SEEN), files, engine)

    assert prepared.adopt == {"home"}
    assert engine.calls == ["find"]
    assert list(files.locks.iterdir())
    assert read(files) == (before, "")


async def test_a_lock_left_behind_is_removed_and_told(files: StateFiles) -> None:
    write(files, state(HOME, CONTAINER))
    files.locks.mkdir(parents=True)
    (files.locks / "one.json").write_text("{}")
    engine = FakeLeftovers([container(), volume()])
    prepared = await prepare(operation(inputs=SEEN), files, engine, killed=2)
    assert not list(files.locks.iterdir())
    assert prepared.refresh
    assert prepared.notes == (
        "ended 2 processes of an operation that was cut off",
        "removed the lock of an operation that was cut off",
    )


async def test_a_corrupt_state_is_rebuilt_from_the_engine(files: StateFiles) -> None:
    files.checkpoint.parent.mkdir(parents=True)
    files.checkpoint.write_text("{")
    engine = FakeLeftovers([container("old"), volume()])
    prepared = await prepare(operation(inputs=SEEN), files, engine)
    assert prepared.adopt == {"home"}
    assert "remove old" in engine.calls
    assert read(files) == (Checkpoint.fresh("alice-api"), "")


async def test_half_made_resources_are_to_be_made_again(files: StateFiles) -> None:
    half = {**CONTAINER, "initErrors": ["no network"]}
    write(files, state(HOME, half))
    prepared = await prepare(operation(inputs=SEEN), files, FakeLeftovers([container(), volume()]))
    assert "to be made again: container" in prepared.notes
    found, _ = read(files)
    assert found is not None
    assert [item.get("taint") for item in found.resources] == [None, True]


async def test_destroy_knows_its_labels_from_the_state(files: StateFiles) -> None:
    write(files, state(HOME))
    mine, foreign = container("stray"), container("foreign", other="x")
    engine = FakeLeftovers([mine, foreign, volume()])
    prepared = await prepare(operation(Kind.DESTROY, None), files, engine)
    assert prepared.notes == ("removed the unrecorded container p-alice-api",)
    assert engine.things == [foreign, volume()]


@pytest.mark.parametrize("kind", [Kind.DESTROY, Kind.UP])
async def test_a_copy_that_somebody_made_is_not_ours_to_remove(
    files: StateFiles, kind: Kind
) -> None:
    """`docker commit` and `docker run` copy the labels, not the name."""
    write(files, state(HOME))
    copy = replace(container("copy"), name="mine")
    engine = FakeLeftovers([copy, container("ours"), volume()])
    inputs = None if kind is Kind.DESTROY else SEEN
    await prepare(operation(kind, inputs), files, engine)
    assert engine.things == [copy, volume()]


async def test_destroy_of_a_stack_without_anything_asks_nothing(files: StateFiles) -> None:
    engine = FakeLeftovers([container("stray")])
    assert (await prepare(operation(Kind.DESTROY, None), files, engine)).empty
    assert engine.calls == []


async def test_refresh_needs_no_inputs(files: StateFiles) -> None:
    write(files, state(HOME, CONTAINER))
    prepared = await prepare(operation(Kind.REFRESH, None), files, FakeLeftovers([container()]))
    assert not prepared.notes


async def test_a_program_that_recovery_does_not_know_is_run_as_it_is(files: StateFiles) -> None:
    engine = FakeLeftovers([container()])
    prepared = await prepare(operation(program="tests:X"), files, engine)
    assert (engine.calls, prepared.adopt) == ([], frozenset())


async def test_a_network_that_nobody_recorded_is_adopted(files: StateFiles) -> None:
    network = Leftover(kind="network", id="n1", name="net", labels=SHARED.identity)
    asked = operation(inputs=SHARED, program=SHARED_PROGRAM)
    prepared = await prepare(asked, files, FakeLeftovers([network]))
    assert prepared.adopt == {"network:n1"}
    assert prepared.notes == ("adopted the network net",)


async def test_a_recorded_network_is_not_adopted_again(files: StateFiles) -> None:
    network = Leftover(kind="network", id="n1", name="net", labels=SHARED.identity)
    write(files, state(recorded(NETWORK_TYPE, "n1", "network")))
    files.locks.mkdir(parents=True)
    (files.locks / "one.json").write_text("{}")
    asked = operation(inputs=SHARED, program=SHARED_PROGRAM)
    prepared = await prepare(asked, files, FakeLeftovers([network]))
    assert prepared.adopt == frozenset()


async def test_a_network_without_our_labels_is_taken(files: StateFiles) -> None:
    network = Leftover(kind="network", id="n1", name="net")
    asked = operation(inputs=SHARED, program=SHARED_PROGRAM)
    with pytest.raises(NameTakenError):
        await prepare(asked, files, FakeLeftovers([network]))


async def test_clearing_a_name_removes_only_what_is_ours_and_unrecorded(files: StateFiles) -> None:
    write(files, state(HOME))
    engine = FakeLeftovers([container("late")])
    assert await clear_name(operation(), files, engine) == [
        "removed the unrecorded container p-alice-api"
    ]
    assert await clear_name(operation(), files, engine) == []
    assert await clear_name(operation(program="tests:X"), files, engine) == []


async def test_clearing_a_name_without_a_state_is_fine(files: StateFiles) -> None:
    engine = FakeLeftovers([container("late")])
    assert await clear_name(operation(), files, engine)


def test_states_in_these_tests_are_what_pulumi_writes() -> None:
    assert json.loads(state(HOME).to_bytes())["checkpoint"]["latest"]["resources"][0] == HOME
