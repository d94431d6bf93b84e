"""Operations through the real engine room: what they do, tell and give, and how they fail."""

import asyncio
import contextlib
import os
import signal
import stat
from dataclasses import replace
from pathlib import Path

import aiodocker
import pytest

from stacks.engine import SHARED_PROGRAM, Engine, EngineEvent, Kind, Operation
from stacks.engine.checkpoint import StateFiles, read
from stacks.engine.processes import session_members
from stacks.errors import (
    EngineUnavailableError,
    HomeMissingError,
    ImageMissingError,
    NameTakenError,
    NetworkMissingError,
    OperationKilledError,
    OperationTimeoutError,
    ProgramError,
    StateUnavailableError,
    ToolchainError,
)
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, SharedInputs, WorkspaceInputs
from tests.stacks.integration.kills import find_cli, mark
from tests.stacks.room import Room
from tests.waiting import until

pytestmark = pytest.mark.engine

BAD = "tests.stacks.programs.bad"


async def test_up_makes_home_and_container_and_a_second_up_changes_nothing(room: Room) -> None:
    inputs = room.inputs()
    events: list[EngineEvent] = []

    outcome = (await room.up(inputs, events.append)).check()

    assert [(change.name, change.op) for change in outcome.changes] == [
        ("home", "create"),
        ("container", "create"),
    ]
    container = await room.inspect(inputs)
    assert outcome.outputs == {"container": container["Id"], "home": inputs.volume}
    assert outcome.duration > 0
    steps = [(event.kind, event.op, event.resource) for event in events]
    assert steps[0] == ("prelude", "", "")
    assert ("begin", "create", "container") in steps
    assert steps[-1] == ("end", "", "")
    again = (await room.up(inputs)).check()
    assert again.changed == ()
    assert (await room.inspect(inputs))["Id"] == container["Id"]


async def test_a_container_is_what_the_contract_says(room: Room) -> None:
    inputs = room.inputs(env={"TZ": "Asia/Seoul", "SIGN": "a=b c"}, labels={"extra": "1"})
    (await room.up(inputs)).check()

    found = await room.inspect(inputs)
    host, config = found["HostConfig"], found["Config"]
    assert found["State"]["Status"] == "created"
    assert config["User"] == "1000:1000"
    assert {"TZ=Asia/Seoul", "SIGN=a=b c", f"CODEHUB_ID={inputs.id}"} <= set(config["Env"])
    expected = {
        "codehub.workspace": inputs.id,
        "codehub.owner": "alice",
        "codehub.spec-hash": "one",
        "codehub.pids": "64",
        "codehub.prefix": room.prefix,
        "extra": "1",
    }
    assert expected.items() <= config["Labels"].items()
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] == host["MemorySwap"] == inputs.memory
    assert host["NanoCpus"] == 500_000_000
    assert host["PidsLimit"] == 64
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["NetworkMode"] == room.network
    mounts = {item["Destination"]: item for item in found["Mounts"]}
    assert mounts["/home/coder"]["Name"] == inputs.volume
    assert mounts["/run/codehub"]["Source"] == inputs.run_folder
    volume = await room.volume(inputs)
    assert volume["Labels"] == {
        "codehub.workspace": inputs.id,
        "codehub.owner": "alice",
        "codehub.home": "1",
        "codehub.prefix": room.prefix,
    }


async def test_a_new_owner_never_touches_the_home(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await mark(room, inputs)

    outcome = (await room.up(replace(inputs, owner="bob"))).check()

    assert [(item.name, item.op) for item in outcome.changed] == [("container", "replace")]
    assert not await mark(room, inputs)  # it is there still


async def test_the_shared_network_keeps_workspaces_apart_and_is_adopted(
    room: Room, docker: aiodocker.Docker
) -> None:
    shared = SharedInputs(network=f"{room.prefix}shared", name_prefix=room.prefix)
    up = Operation(kind=Kind.UP, stack="shared", program=SHARED_PROGRAM, inputs=shared.to_json())

    outcome = (await room.engine.run(up)).check()

    assert [(item.name, item.op) for item in outcome.changed] == [("network", "create")]
    networks = [item for item in await docker.networks.list() if item["Name"] == shared.network]
    assert networks[0]["Id"] == outcome.outputs["network"]
    assert networks[0]["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
    assert networks[0]["Labels"] == {LABEL_PREFIX: room.prefix}
    assert (await room.engine.run(up)).check().changed == ()
    await room.engine.forget("shared")
    adopted = (await room.engine.run(up)).check()
    assert [(item.name, item.op) for item in adopted.changed] == [("network", "import")]
    assert adopted.outputs == outcome.outputs
    assert adopted.recovered == (f"adopted the network {shared.network}",)
    assert (await room.engine.run(up)).check().changed == ()


async def test_a_preview_tells_and_makes_nothing(room: Room) -> None:
    inputs = room.inputs()
    outcome = (await room.run_kind(Kind.PREVIEW, inputs)).check()
    assert [(item.name, item.op) for item in outcome.changes] == [
        ("home", "create"),
        ("container", "create"),
    ]
    assert outcome.outputs == {}
    assert await room.power.find(inputs.identity) == ()


async def test_destroy_keeps_the_home_and_up_brings_it_back(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await mark(room, inputs)

    gone = (await room.engine.run(Operation(kind=Kind.DESTROY, stack=inputs.id))).check()

    assert [(item.name, item.op) for item in gone.changed] == [("container", "delete")]
    assert [thing.kind for thing in await room.power.find(inputs.identity)] == ["volume"]
    back = (await room.up(inputs)).check()
    assert [(item.name, item.op) for item in back.changed] == [("container", "create")]
    assert not await mark(room, inputs)  # it is there still


async def test_a_container_removed_by_hand_is_found_by_a_refresh(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await room.power.remove_container(inputs.container)

    refreshed = (await room.run_kind(Kind.REFRESH, inputs)).check()

    assert [(item.name, item.op) for item in refreshed.changed] == [("container", "delete")]
    outcome = (await room.up(inputs)).check()
    assert [(item.name, item.op) for item in outcome.changed] == [("container", "create")]


async def test_a_container_removed_by_hand_is_replaced_in_one_up_with_refresh(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await room.power.remove_container(inputs.container)

    outcome = await room.up(replace(inputs, spec_hash="two"), refresh=True)

    assert [(item.name, item.op) for item in outcome.check().changed] == [("container", "create")]
    assert (await room.inspect(inputs))["HostConfig"]["PidsLimit"] == inputs.pids


@pytest.mark.parametrize("refresh", [False, True])
async def test_a_home_that_is_gone_is_never_made_again(room: Room, *, refresh: bool) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await room.power.remove_container(inputs.container)
    await aiodocker.volumes.DockerVolume(room.docker, inputs.volume).delete()  # type: ignore[no-untyped-call]
    claimed = replace(inputs, home=replace(inputs.home, exists=True), spec_hash="two")
    if not refresh:
        await room.engine.forget(inputs.id)

    operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=claimed.to_json(), refresh=refresh)
    outcome = await room.engine.run(operation)

    assert isinstance(outcome.error, HomeMissingError)
    assert await room.power.named("volume", inputs.volume) is None


async def test_a_lost_state_is_rebuilt_around_the_home(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    await mark(room, inputs)
    await room.engine.forget(inputs.id)

    outcome = (await room.up(inputs)).check()

    assert [(item.name, item.op) for item in outcome.changes] == [
        ("home", "import"),
        ("container", "create"),
    ]
    assert len(outcome.recovered) == 2
    assert not await mark(room, inputs)  # it is there still
    assert (await room.up(inputs)).check().changed == ()


async def test_a_state_file_that_cannot_be_read_is_told_as_such(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    files = StateFiles(room.config.state, inputs.id)
    files.checkpoint.unlink()
    files.checkpoint.mkdir()
    outcome = await room.up(replace(inputs, spec_hash="two"))
    assert isinstance(outcome.error, StateUnavailableError)
    assert str(files.checkpoint) in outcome.error.message
    assert "is a directory" in outcome.error.message.lower()
    files.checkpoint.rmdir()
    (await room.up(replace(inputs, spec_hash="two"))).check()


async def test_a_half_written_state_is_taken_from_the_copy_or_rebuilt(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    files = room.files(inputs)
    for backup in (files.checkpoint.read_bytes(), b"{"):
        files.backup.write_bytes(backup)
        files.checkpoint.write_bytes(files.checkpoint.read_bytes()[:500])
        await mark(room, inputs)
        outcome = (await room.up(inputs)).check()
        assert "unreadable" in " ".join(outcome.recovered)
        assert not await mark(room, inputs)  # it is there still
        assert (await room.up(inputs)).check().changed == ()


async def test_an_image_that_is_not_there(room: Room) -> None:
    inputs = room.inputs(image="codehub-test/not-there:1")

    outcome = await room.up(inputs)

    assert isinstance(outcome.error, ImageMissingError)
    assert outcome.error.step == "container"
    assert "not-there" in outcome.error.message
    good = (await room.up(replace(inputs, image=room.image))).check()
    assert [(item.name, item.op) for item in good.changed] == [("container", "create")]


@pytest.mark.parametrize("kind", ["container", "volume"])
async def test_a_name_that_is_taken(room: Room, kind: str) -> None:
    inputs = room.inputs()
    if kind == "container":
        await room.docker.containers.create({"Image": room.image}, name=inputs.container)
    else:
        await room.docker.volumes.create({"Name": inputs.volume})  # type: ignore[no-untyped-call]

    outcome = await room.up(inputs)

    assert isinstance(outcome.error, NameTakenError)
    assert inputs.container in outcome.error.message


async def test_a_name_taken_meanwhile_by_a_container_of_ours_is_cleared(room: Room) -> None:
    """The engine may finish making a container after its asker was killed."""
    inputs = room.inputs()
    late: list[str] = []

    def make(event: EngineEvent) -> None:
        if event.kind == "prelude" and not late:
            late.append(_create(room, inputs))

    outcome = (await room.up(inputs, make)).check()

    assert outcome.recovered[-1] == f"removed the unrecorded container {inputs.container}"
    assert (await room.inspect(inputs))["Id"] != late[0]


async def test_a_limit_is_not_set_on_a_container_of_somebody_else(room: Room) -> None:
    """What follows a good end begins before the CLI is gone, and so before its exit code is known."""
    inputs = room.inputs()
    late: list[str] = []

    def make(event: EngineEvent) -> None:
        if event.kind == "prelude" and not late:
            late.append(_create(room, inputs, labelled=False))

    outcome = await room.up(inputs, make)

    assert isinstance(outcome.error, NameTakenError)
    found = await room.inspect(inputs)
    assert found["Id"] == late[0]
    assert not found["HostConfig"]["PidsLimit"]


def _create(room: Room, inputs: WorkspaceInputs, *, labelled: bool = True) -> str:
    """Make a container at once, without the event loop."""
    labels = [f"--label={key}={value}" for key, value in inputs.identity.items() if labelled]
    argv = ["docker", "create", "--name", inputs.container, *labels, room.image]
    with os.popen(" ".join(argv)) as answer:
        return answer.read().strip()


async def test_a_name_taken_meanwhile_by_somebody_else_stays(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs, policies=False, program=f"{BAD}:UNLABELLED")).check()
    other = replace(inputs, id=f"{inputs.id}x")
    data = other.to_json()
    operation = Operation(
        kind=Kind.UP, stack="other", program=f"{BAD}:UNLABELLED", inputs=data, policies=False
    )
    taken = await room.engine.run(replace(operation, inputs=inputs.to_json()))
    assert isinstance(taken.error, NameTakenError)
    assert await room.power.named("container", inputs.container) is not None


async def test_a_missing_network_is_told_at_the_start_not_made(room: Room) -> None:
    """The engine takes any network's name when a container is made, and refuses to start it."""
    inputs = room.inputs(network=f"{room.prefix}gone")
    (await room.up(inputs)).check()
    with pytest.raises(aiodocker.DockerError, match="not found"):
        await room.docker.containers.container(inputs.container).start()
    assert NetworkMissingError.reason == "NETWORK_MISSING"


async def test_a_program_that_raises(room: Room) -> None:
    outcome = await room.up(room.inputs(), program=f"{BAD}:RAISING")
    assert isinstance(outcome.error, ProgramError)
    assert "a bug in the program" in outcome.error.message


@pytest.mark.parametrize("name", ["BROKEN", "ABSENT"])
async def test_a_program_that_is_none_ends_the_worker(room: Room, name: str) -> None:
    outcome = await room.up(room.inputs(), program=f"{BAD}:{name}")
    assert isinstance(outcome.error, OperationKilledError)


async def test_an_engine_that_does_not_answer(room: Room, tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/nobody.sock"
    config = replace(room.config, docker_host=host, state=tmp_path / "s2", work=tmp_path / "w2")
    inputs = room.inputs()
    async with Engine(config, leftovers=room.power) as engine:
        up = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
        outcome = await engine.run(up)
    assert isinstance(outcome.error, EngineUnavailableError)


ASKED = """#!/bin/sh
trap 'echo asked >> {asked}; exit 1' INT
while :; do sleep 0.05; done
"""
"""A CLI that goes on until it is asked to end."""


async def test_an_operation_that_takes_too_long_is_asked_to_end(room: Room, tmp_path: Path) -> None:
    asked, pulumi = tmp_path / "asked", tmp_path / "pulumi"
    pulumi.write_text(ASKED.format(asked=asked))
    pulumi.chmod(0o755)
    inputs = room.inputs()
    async with Engine(replace(room.config, pulumi=pulumi), leftovers=room.power) as engine:
        up = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json(), timeout=0.5)
        outcome = await engine.run(up)
    assert isinstance(outcome.error, OperationTimeoutError)
    assert "0.5 s" in outcome.error.message
    assert asked.read_text() == "asked\n"


async def test_after_an_operation_that_took_too_long_the_next_goes_on(room: Room) -> None:
    inputs = room.inputs()
    outcome = await room.up(inputs, timeout=0.2)
    assert isinstance(outcome.error, OperationTimeoutError)
    assert find_cli(inputs.id, room.config.work) == 0
    assert (await room.up(inputs)).check().ok


async def test_an_operation_that_does_not_end_in_order_is_ended_by_force(room: Room) -> None:
    inputs = room.inputs()
    sessions: list[int] = []

    def freeze(event: EngineEvent) -> None:
        if not sessions:
            cli = find_cli(inputs.id, room.config.work)
            sessions.append(os.getsid(cli))
            os.kill(cli, signal.SIGSTOP)

    engine = Engine(replace(room.config, grace=0.2), leftovers=room.power)
    async with engine:
        up = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json(), timeout=2)
        outcome = await engine.run(up, on_event=freeze)

    assert isinstance(outcome.error, OperationTimeoutError)
    assert session_members(sessions[0]) == []
    assert (await room.up(inputs)).check().ok


async def test_cancelling_ends_the_operation(room: Room) -> None:
    inputs = room.inputs()
    begun = asyncio.Event()
    session: list[int] = []

    def see(event: EngineEvent) -> None:
        if not begun.is_set():
            session.append(os.getsid(find_cli(inputs.id, room.config.work)))
            begun.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.up(inputs, see))
        await begun.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert session_members(session[0]) == []
    assert (await room.up(inputs)).check().ok


async def test_operations_on_several_stacks_run_at_the_same_time(room: Room) -> None:
    several = [room.inputs() for _ in range(3)]
    outcomes = await asyncio.gather(*(room.up(inputs) for inputs in several))
    for inputs, outcome in zip(several, outcomes, strict=True):
        assert outcome.check().outputs["home"] == inputs.volume


async def test_what_a_dead_runner_left_running_is_ended_first(room: Room) -> None:
    """Its session is recorded beside the settings; a successor ends it before anything else."""
    inputs = room.inputs()
    record = room.config.work / f"{inputs.id}.session"
    frozen: list[str] = []

    def freeze(event: EngineEvent) -> None:
        if event.resource == "home" and not frozen:
            frozen.append(record.read_text())
            for process in session_members(os.getsid(find_cli(inputs.id, room.config.work))):
                os.kill(process.pid, signal.SIGSTOP)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.up(inputs, freeze))
        await until(lambda: _any(frozen))
        successor = Engine(room.config, leftovers=room.power)
        async with successor:
            operation = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
            outcome = (await successor.run(operation)).check()
        left = await task
    assert isinstance(left.error, OperationKilledError)
    assert "ended" in outcome.recovered[0]
    assert (await room.inspect(inputs))["Id"] == outcome.outputs["container"]


async def _any(items: list[str]) -> bool:
    return bool(items)


async def test_the_state_holds_no_secret_and_only_we_can_read_it(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    for folder in (room.config.state, room.config.work):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    passphrase = room.config.work / "passphrase"
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    text = "".join(path.read_text() for path in room.config.state.rglob("*") if path.is_file())
    assert passphrase.read_text() not in text
    assert not list((room.config.state / ".pulumi").rglob("*.attrs"))


async def test_history_is_not_kept_and_locks_are_gone(room: Room) -> None:
    inputs = room.inputs()
    (await room.up(inputs)).check()
    files = room.files(inputs)
    assert list(files.history.iterdir()) == []
    assert list(files.locks.iterdir()) == []
    state, _ = read(files)
    assert state is not None
    assert state.identities("docker:index/volume:Volume") == {inputs.volume}


async def test_the_passphrase_of_a_data_tree_is_made_once(room: Room) -> None:
    path = room.config.work / "passphrase"
    before = path.read_text()
    async with Engine(room.config, leftovers=room.power):
        assert path.read_text() == before


async def test_without_a_cli_nothing_starts(room: Room, tmp_path: Path) -> None:
    engine = Engine(replace(room.config, pulumi=tmp_path / "no"), leftovers=room.power)
    with pytest.raises(ToolchainError, match="no Pulumi CLI"):
        await engine.__aenter__()


async def test_without_a_plugin_the_operation_says_so(room: Room, tmp_path: Path) -> None:
    config = replace(room.config, pulumi_home=tmp_path / "empty")
    inputs = room.inputs()
    async with Engine(config, leftovers=room.power) as engine:
        up = Operation(kind=Kind.UP, stack=inputs.id, inputs=inputs.to_json())
        outcome = await engine.run(up)
    assert isinstance(outcome.error, ToolchainError)
    assert LABEL_HOME not in outcome.error.message
