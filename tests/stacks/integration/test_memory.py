"""Less memory than is in use: the engine refuses it, and what runs goes on."""

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stacks.errors import MemoryInUseError
from stacks.programs.inputs import WorkspaceInputs
from stacks.rundir import SOCKET_NAME
from state_index.phases import Phase
from tests.stacks.house import House
from tests.stacks.room import Room
from tests.waiting import until

pytestmark = [pytest.mark.engine]

MIB = 1 << 20
HELD = 96 * MIB
UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A WebSocket frame that the light image holds in its memory until the last byte comes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def finish(self) -> bytes:
        """Send the last byte; gives the end of what comes back."""
        self.writer.write(b"!")
        await self.reader.readexactly(10 + HELD)
        return await self.reader.readexactly(1)


@asynccontextmanager
async def holding(socket: Path) -> AsyncIterator[Conversation]:
    """Make the process behind an IDE's socket hold `HELD` bytes."""
    reader, writer = await asyncio.open_unix_connection(socket, limit=1 << 20)
    try:
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        # Binary, whole, masked with zeros, one byte longer than what is sent now.
        writer.write(b"\x82\xff" + struct.pack(">Q", HELD + 1) + bytes(4))
        for _ in range(HELD // MIB):
            writer.write(b"x" * MIB)
            await writer.drain()
        yield Conversation(reader=reader, writer=writer)
    finally:
        writer.close()


async def memory(house: House, workspace: str) -> int:
    return int((await house.inspect(workspace))["HostConfig"]["Memory"])


def limits(memory: str) -> dict[str, str]:
    return {"resources": f"{{cpu: 1, memory: {memory}, pids: 128}}"}


async def test_a_running_workspace_keeps_what_it_uses(house: House) -> None:
    socket = house.settings.paths.run / "alice" / SOCKET_NAME
    house.write("alice", **limits("512Mi"))
    await house.up()
    before = await house.started("alice")
    async with holding(socket) as conversation:
        house.write("alice", **limits("64Mi"))
        assert await previewed(house) == MemoryInUseError.reason
        for _ in range(2):
            (alice,) = await house.up()
            assert (alice.reason, alice.phase) == (MemoryInUseError.reason, Phase.ERROR)
            assert not alice.retryable, "it waits for a change"
            used = re.fullmatch(r"alice uses (\d+) MiB now, .* asks for 64 MiB", alice.message)
            assert used, alice.message
            assert HELD <= int(used[1]) * MIB < 512 * MIB
            assert "stop it first" in alice.remedy
            assert (await house.started("alice"), await memory(house, "alice")) == (
                before,
                512 * MIB,
            )
        house.write("alice", **limits("512Mi"))
        (alice,) = await house.up()
        assert (alice.phase, alice.message) == (Phase.RUNNING, "")
        assert (await house.up())[0].action == "nothing"
        house.write("alice", **limits("600Mi"))
        assert await previewed(house) == ""
        (alice,) = await house.up()
        assert (alice.action, alice.phase) == ("update", Phase.RUNNING)
        assert (await house.started("alice"), await memory(house, "alice")) == (before, 600 * MIB)
        assert await conversation.finish() == b"!"


async def previewed(house: House) -> str:
    """What a preview says that `up` would refuse alice's change for."""
    async with house.runner() as runner:
        (change,) = await runner.preview()
    return str(change.error["reason"]) if change.error else ""


async def test_it_is_applied_once_the_workspace_is_stopped(house: House) -> None:
    socket = house.settings.paths.run / "alice" / SOCKET_NAME
    house.write("alice", **limits("512Mi"))
    await house.up()
    made, _ = await house.started("alice")
    async with holding(socket), house.runner() as runner:
        house.write("alice", **limits("64Mi"))
        assert (await runner.up())[0].reason == MemoryInUseError.reason
        assert (await runner.stop("alice")).phase == Phase.WARM
        assert (await runner.start("alice")).phase == Phase.RUNNING
    assert ((await house.started("alice"))[0], await memory(house, "alice")) == (made, 64 * MIB)
    assert (await house.up())[0].action == "nothing"


async def test_what_is_only_cached_stands_in_no_ones_way(house: House) -> None:
    house.write("alice", **limits("512Mi"))
    await house.up()
    before = await house.started("alice")
    await upload(house.settings.paths.run / "alice" / SOCKET_NAME, HELD)
    house.write("alice", **limits("64Mi"))
    (alice,) = await house.up()
    assert (alice.message, alice.action, alice.phase) == ("", "update", Phase.RUNNING)
    assert (await house.started("alice"), await memory(house, "alice")) == (before, 64 * MIB)


async def upload(socket: Path, size: int) -> None:
    """Have the light image write a file into the home: it stays in the kernel's cache."""
    reader, writer = await asyncio.open_unix_connection(socket)
    head = (
        f"PUT /files/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    )
    writer.write(head.encode())
    for _ in range(size // MIB):
        writer.write(b"x" * MIB)
        await writer.drain()
    assert b" 20" in await reader.readline()
    writer.close()


async def test_only_what_runs_uses_memory(
    room: Room, held: tuple[WorkspaceInputs, Conversation]
) -> None:
    inputs, _ = held
    with pytest.raises(MemoryInUseError, match=f"{inputs.id} uses"):
        await room.power.check_memory(inputs.id, 64 * MIB)
    await room.power.check_memory(inputs.id, 256 * MIB)
    await room.power.stop(inputs.id, grace=1)
    await room.power.check_memory(inputs.id, 64 * MIB)
    await room.power.remove_container((await room.inspect(inputs))["Id"])
    await room.power.check_memory(inputs.id, 64 * MIB)


@pytest.fixture
async def held(room: Room) -> AsyncIterator[tuple[WorkspaceInputs, Conversation]]:
    """A workspace that was made without a runner, runs and holds memory."""
    inputs = replace(room.inputs(), memory=512 * MIB)
    (await room.up(inputs)).check()
    await room.docker.containers.container(inputs.container).start()
    socket = room.run / inputs.id / SOCKET_NAME

    async def serving() -> bool:
        return socket.exists()

    await until(serving)
    async with holding(socket) as conversation:
        yield inputs, conversation


@pytest.mark.parametrize("then", ["the same again", "the old one", "more"])
async def test_a_change_that_failed_makes_nothing_anew(
    room: Room, held: tuple[WorkspaceInputs, Conversation], then: str
) -> None:
    inputs, conversation = held
    before = (await room.inspect(inputs))["State"]
    less = replace(inputs, memory=64 * MIB)
    failed = (await room.up(less)).error
    assert isinstance(failed, MemoryInUseError)
    assert "unable to set memory limit" in failed.message

    wanted = {"the same again": less, "the old one": inputs}.get(then)
    wanted = wanted or replace(inputs, memory=600 * MIB)
    outcome = await room.up(wanted)

    assert "its change failed: container" in outcome.recovered
    if then == "the same again":
        assert isinstance(outcome.error, MemoryInUseError)
    else:
        changed = [(item.name, item.op) for item in outcome.check().changed]
        assert changed == ([("container", "update")] if then == "more" else [])
        assert (await room.inspect(inputs))["HostConfig"]["Memory"] == wanted.memory
        assert (await room.up(wanted)).check().changed == ()
    assert (await room.inspect(inputs))["State"] == before
    assert await conversation.finish() == b"!"
