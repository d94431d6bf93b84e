"""What is picked up before an operation: locks, half-done work and objects nobody recorded.

The caller holds the lock above Pulumi's, so whatever a former operation left here is dead: its
processes are ended, its lock files removed, its pending operations cleared. What it made without
recording is found on the container engine by its labels: containers are removed (they are made
again from the same inputs), volumes and networks are adopted. A home is never made again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.engine import checkpoint as state
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.engine.model import (
    SHARED_PROGRAM,
    WORKSPACE_PROGRAM,
    Kind,
    Leftover,
    Leftovers,
    Operation,
)
from stacks.errors import HomeMissingError, NameTakenError, OtherTreeError
from stacks.fence import Fence
from stacks.programs.inputs import (
    CONTAINER_TYPE,
    LABEL_PREFIX,
    LABEL_TREE,
    LABEL_WORKSPACE,
    Expected,
    SharedInputs,
    WorkspaceInputs,
)

_CHANGING = frozenset({Kind.UP, Kind.DESTROY, Kind.REFRESH})


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the operation must know of what was found.

    Attributes:
        adopt: Resources to take from the engine: ``home`` or ``network:<id>``.
        refresh: Whether the engine must be read before comparing.
        empty: Whether the state holds nothing.
        notes: What was done, one line each.
    """

    adopt: frozenset[str] = frozenset()
    refresh: bool = False
    empty: bool = False
    notes: tuple[str, ...] = ()


def inputs_of(operation: Operation) -> WorkspaceInputs | SharedInputs | None:
    """Give an operation's inputs if they are of a kind that recovery knows."""
    if not operation.inputs:
        return None
    if operation.program == WORKSPACE_PROGRAM:
        return WorkspaceInputs.from_json(operation.inputs)
    return SharedInputs.from_json(operation.inputs) if operation.program == SHARED_PROGRAM else None


async def prepare(
    operation: Operation,
    files: StateFiles,
    leftovers: Leftovers,
    *,
    killed: int = 0,
    fence: Fence | None = None,
) -> Prepared:
    """Make a stack ready for an operation.

    Args:
        operation: What is about to be run.
        files: The stack's state files.
        leftovers: The container engine.
        killed: Processes of a former operation that were found alive and ended.
        fence: Says whether we may still act; None: always.

    Raises:
        NotLeadingError: We may not: somebody else's operation may hold Pulumi's lock.
        NameTakenError: A name that is needed belongs to somebody else's object.
        HomeMissingError: The home that the caller saw is not there.
    """
    notes = [f"ended {killed} processes of an operation that was cut off"] if killed else []
    found, mending = await asyncio.to_thread(_mend, operation, files, fence or Fence.always())
    notes += mending
    empty = not found.resources
    if operation.kind in {Kind.REFRESH, Kind.DESTROY}:
        await _remove_strays(_labels(operation, found), found, leftovers, notes)
        return Prepared(empty=empty, notes=tuple(notes))
    # Of an empty state there is nothing to be read again: a first `up` does not pay for it.
    unsure = operation.refresh or mending or killed or found.half_changed
    refresh = bool(unsure) and not empty
    inputs = inputs_of(operation)
    adopt: frozenset[str] = frozenset()
    # A refresh drops what is gone, a home too, and the program would make it again.
    if inputs is not None and (refresh or notes or _missing(inputs.expected, found)):
        adopt = await _take_stock(operation, inputs, found, leftovers, notes)
    return Prepared(adopt=adopt, refresh=refresh, empty=empty, notes=tuple(notes))


async def clear_name(operation: Operation, files: StateFiles, leftovers: Leftovers) -> list[str]:
    """Remove containers of ours that hold a name but are in no state; gives what was done.

    The engine may finish making a container after whoever asked for it was killed.
    """
    found, _ = await asyncio.to_thread(state.read, files)
    notes: list[str] = []
    if inputs_of(operation) is not None:
        checkpoint = found or Checkpoint.fresh(files.stack)
        await _remove_strays(_labels(operation, checkpoint), checkpoint, leftovers, notes)
    return notes


def _mend(operation: Operation, files: StateFiles, fence: Fence) -> tuple[Checkpoint, list[str]]:
    """Bring the files in order; a preview changes nothing but an absent state."""
    changing = operation.kind in _CHANGING
    fence.check("state")
    locks = files.break_locks() if changing else 0
    notes = ["removed the lock of an operation that was cut off"] if locks else []
    found, wrong = state.read(files)
    if wrong:
        notes.append(wrong)
    checkpoint = found or Checkpoint.fresh(files.stack)
    if changing and (checkpoint.pending or checkpoint.half_made or checkpoint.half_changed):
        notes += [f"cleared: {item}" for item in checkpoint.pending]
        notes += [f"to be made again: {item}" for item in checkpoint.half_made]
        notes += [f"its change failed: {item}" for item in checkpoint.half_changed]
        checkpoint = checkpoint.mended()
        state.write(files, checkpoint)
    elif found is None or wrong:
        state.write(files, checkpoint)
    return checkpoint, notes


def _labels(operation: Operation, found: Checkpoint) -> Mapping[str, str]:
    """Give the labels that the stack's objects carry, from the inputs or else the state."""
    inputs = inputs_of(operation)
    if inputs is not None:
        return inputs.identity
    for resource in found.resources:
        labels = _labels_of(resource)
        if LABEL_WORKSPACE in labels and LABEL_PREFIX in labels:
            return {key: labels[key] for key in (LABEL_WORKSPACE, LABEL_PREFIX)}
    return {}


def _labels_of(resource: Mapping[str, Any]) -> dict[str, str]:
    listed = (resource.get("inputs") or {}).get("labels") or ()
    return {item["label"]: item["value"] for item in listed if "value" in item}


def _missing(expected: Sequence[Expected], found: Checkpoint) -> bool:
    return any(not found.identities(item.type) for item in expected)


async def _take_stock(
    operation: Operation,
    inputs: WorkspaceInputs | SharedInputs,
    found: Checkpoint,
    leftovers: Leftovers,
    notes: list[str],
) -> frozenset[str]:
    """Compare what is on the engine with the state; gives what is to be adopted."""
    ours = await _ours(inputs.identity, leftovers)
    if isinstance(inputs, WorkspaceInputs) and inputs.home.workspace:
        former = await _ours(inputs.home_identity, leftovers)
        # Its containers are another workspace's, which is not this operation's to end.
        ours += [thing for thing in former if thing.kind == "volume"]
    for item in inputs.expected:
        if not any(_is(item, thing) for thing in ours):
            await _check_free(item, _identity(inputs, item), leftovers)
    if operation.kind is Kind.UP:
        await _remove(ours, found, leftovers, notes)
    if isinstance(inputs, WorkspaceInputs):
        return _home(inputs, found, ours, notes)
    return _network(inputs, found, ours, notes)


def _identity(inputs: WorkspaceInputs | SharedInputs, item: Expected) -> Mapping[str, str]:
    if isinstance(inputs, WorkspaceInputs) and item.kind == "volume":
        return inputs.home_identity
    return inputs.identity


async def _ours(labels: Mapping[str, str], leftovers: Leftovers) -> list[Leftover]:
    """Find this tree's: another data tree may use the same names on the same engine."""
    return [thing for thing in await leftovers.find(labels) if thing.ours]


def _is(expected: Expected, thing: Leftover) -> bool:
    return (thing.kind, thing.name) == (expected.kind, expected.name)


async def _check_free(expected: Expected, labels: Mapping[str, str], leftovers: Leftovers) -> None:
    taken = await leftovers.named(expected.kind, expected.name)
    if taken is not None and labels.items() <= taken.labels.items():
        whose = taken.labels.get(LABEL_TREE, "")
        raise OtherTreeError.of(taken.kind, taken.name, whose, file=leftovers.tree_file)
    if taken is not None:
        raise NameTakenError(
            f"there is a {expected.kind} {expected.name} without our labels",
            step=f"{expected.kind} {expected.name}",
        )


async def _remove_strays(
    labels: Mapping[str, str], found: Checkpoint, leftovers: Leftovers, notes: list[str]
) -> None:
    if LABEL_WORKSPACE in labels:
        await _remove(await _ours(labels, leftovers), found, leftovers, notes)


async def _remove(
    ours: Sequence[Leftover], found: Checkpoint, leftovers: Leftovers, notes: list[str]
) -> None:
    """Remove the containers that we made and the state does not know.

    Ours have their name from the start. Under another one it is a copy that somebody made: labels
    go along with `docker commit`.
    """
    known = found.identities(CONTAINER_TYPE)
    for thing in ours:
        if thing.kind == "container" and thing.id not in known and _is_named(thing):
            await leftovers.remove_container(thing.id)
            notes.append(f"removed the unrecorded container {thing.name}")


def _is_named(thing: Leftover) -> bool:
    labels = thing.labels
    return thing.name == f"{labels.get(LABEL_PREFIX, '')}{labels.get(LABEL_WORKSPACE, '')}"


def _home(
    inputs: WorkspaceInputs, found: Checkpoint, ours: Sequence[Leftover], notes: list[str]
) -> frozenset[str]:
    there = any(thing.kind == "volume" and thing.name == inputs.volume for thing in ours)
    recorded = any(inputs.volume in found.identities(item.type) for item in inputs.expected)
    if not there and (inputs.home.exists or recorded):
        told = f"the home volume {inputs.volume} is not on the engine"
        raise HomeMissingError.of(inputs.id, inputs.volume, told, step=f"home of {inputs.id}")
    if there and not recorded:
        notes.append(f"adopted the volume {inputs.volume}")
    return frozenset({"home"} if there else ())


def _network(
    inputs: SharedInputs, found: Checkpoint, ours: Sequence[Leftover], notes: list[str]
) -> frozenset[str]:
    expected = inputs.expected[0]
    there = next((thing for thing in ours if _is(expected, thing)), None)
    if there is None or there.id in found.identities(expected.type):
        return frozenset()
    notes.append(f"adopted the network {there.name}")
    return frozenset({f"network:{there.id}"})
