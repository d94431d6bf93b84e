"""Commands in containers of the real engine."""

import asyncio
import hashlib
import os
from contextlib import AsyncExitStack
from pathlib import Path

import aiodocker
import pytest
from aiodocker.execs import Exec

from stacks.errors import (
    BadRequestError,
    EngineUnavailableError,
    NotRunningError,
    StreamIdleError,
    TooManyStreamsError,
    UnknownWorkspaceError,
)
from stacks.power_docker import DockerPower
from stacks.streams.docker import DockerStreams
from stacks.streams.frames import Channel, Size
from stacks.streams.hangup import hang_up
from stacks.streams.left import DETACH_KEYS, SERVED_KEYS
from stacks.streams.model import ExecOptions, LogOptions, Process
from tests.stacks.streams.box import Box, Done, boxes, done, read_until, run, shell
from tests.waiting import until

pytestmark = pytest.mark.engine

MIB = 1 << 20


async def test_it_runs_as_the_user_in_the_home_and_gives_output_apart_and_the_code(
    box: Box,
) -> None:
    await box.make("alice")
    said = await run(box.streams, "alice", *shell("id -u; pwd; echo $HOME; echo err >&2; exit 7"))
    assert said == Done(code=7, out=b"1000\n/home/coder\n/home/coder\n", err=b"err\n")
    assert await run(box.streams, "alice", "true") == Done(code=0)


async def test_a_home_that_the_file_names_stays(box: Box) -> None:
    await box.make("alice", Env=["HOME=/tmp"])
    assert (await run(box.streams, "alice", *shell("echo $HOME"))).out == b"/tmp\n"


async def test_what_is_no_program_is_said_on_standard_error(box: Box) -> None:
    await box.make("alice")
    said = await run(box.streams, "alice", "no-such-program")
    assert said.code in {126, 127}
    assert said.out == b""
    assert b"no-such-program" in said.err


async def feed(process: Process, data: bytes) -> None:
    for begin in range(0, len(data), 1 << 16):
        await process.write(data[begin : begin + (1 << 16)])
    await process.close_stdin()


async def test_input_comes_back_whole_and_ends(box: Box) -> None:
    await box.make("alice")
    data = os.urandom(4 * MIB)
    wanted = ExecOptions(command=("cat",), stdin=True)
    async with box.streams.exec("alice", wanted) as process, asyncio.TaskGroup() as group:
        group.create_task(feed(process, data))
        said = await done(process)
    assert said.code == 0
    assert hashlib.sha256(said.out).digest() == hashlib.sha256(data).digest()


async def test_input_after_the_end_is_dropped(box: Box) -> None:
    await box.make("alice")
    wanted = ExecOptions(command=("true",), stdin=True)
    async with box.streams.exec("alice", wanted) as process:
        assert await done(process) == Done(code=0)
        await process.write(b"too late")
        await process.close_stdin()


async def test_a_command_waits_for_who_does_not_read(box: Box) -> None:
    """What it wrote beyond what pipes and sockets hold is not in our memory."""
    await box.make("alice")
    script = "dd if=/dev/zero bs=1M count=64 status=none; echo end >&2"
    async with box.streams.exec("alice", ExecOptions(command=tuple(shell(script)))) as process:
        piece = await process.read()
        assert piece is not None

        async def blocked() -> bool:
            return any(
                "dd if=" in line and "sh -c" not in line for line in await box.running("alice")
            )

        assert await blocked()
        said = await done(process)
        assert len(piece[1]) + len(said.out) == 64 * MIB
        assert said.err == b"end\n"


async def test_a_terminal_has_the_size_that_it_is_told(box: Box) -> None:
    await box.make("alice")
    script = "echo ready; until [ \"$(stty size)\" = '%s' ]; do sleep 0.05; done; echo is %s;"
    wanted = ExecOptions(
        command=tuple(
            shell(script % ("33 91", "first") + script % ("40 120", "second") + "exit 3")
        ),
        tty=True,
        size=Size(cols=91, rows=33),
    )
    async with box.streams.exec("alice", wanted) as process:
        await read_until(process, b"is first")
        await process.resize(Size(cols=120, rows=40))
        said = await done(process)
    assert said.code == 3
    assert said.out.endswith(b"is second\r\n")
    assert said.err == b""


async def test_keys_of_a_terminal_come_through_at_once(box: Box) -> None:
    """Ctrl-P too, which the engine would hold back; Ctrl-C is a signal there."""
    await box.make("alice")
    script = "stty -echo -icanon; echo ready; head -c 2 | od -An -tx1; exec sleep 300"
    wanted = ExecOptions(command=tuple(shell(script)), tty=True, stdin=True)
    async with box.streams.exec("alice", wanted) as process:
        await read_until(process, b"ready")
        await process.write(b"\x10")
        await process.write(b"\x10")
        assert b"10 10" in await read_until(process, b"10 10")
        await process.write(b"\x03")
        assert (await done(process)).code == 130


async def test_who_leaves_before_the_end_hangs_the_command_up(box: Box) -> None:
    await box.make("alice")
    script = "trap 'echo hung up > ~/told; exit' HUP; echo ready; while :; do sleep 0.05; done"
    async with box.streams.exec("alice", ExecOptions(command=("bash", "-c", script))) as process:
        await read_until(process, b"ready")

    async def told() -> bool:
        return (await run(box.streams, "alice", "cat", "/home/coder/told")).out == b"hung up\n"

    await until(told)


async def test_only_a_process_of_the_container_is_hung_up(box: Box) -> None:
    id_ = await box.make("alice")
    assert not await hang_up(0, container_id=id_)
    assert not await hang_up(os.getpid(), container_id=id_)
    assert not await hang_up((1 << 22) + 1, container_id=id_), "there are no such numbers"


@pytest.mark.parametrize(("keys", "ends"), [(SERVED_KEYS, True), (DETACH_KEYS, False), ("", False)])
async def test_what_a_killed_daemon_left_is_hung_up_and_nothing_else(
    box: Box, keys: str, ends: bool
) -> None:
    """Whom nobody reads any more, as after a SIGKILL; `codehub exec` and `docker exec` go on."""
    id_ = await box.make("alice")
    asked = {"Cmd": ["sleep", "501"], "AttachStdout": True} | ({"DetachKeys": keys} if keys else {})
    made = await box.docker._query_json(f"containers/{id_}/exec", method="POST", data=asked)
    await Exec(box.docker, made["Id"], tty=False).start(detach=True)

    async def runs() -> bool:
        return "sleep 501" in await box.running("alice")

    async def ended() -> bool:
        return not await runs()

    await until(runs)
    await box.streams.end_left()
    if ends:
        await until(ended)
    else:
        assert await runs()


async def test_a_command_that_closes_its_output_is_waited_for(box: Box) -> None:
    await box.make("alice")
    said = await run(box.streams, "alice", *shell("exec >&- 2>&-; sleep 0.7; exit 4"))
    assert said.code == 4


async def test_the_code_can_be_waited_for_and_a_size_comes_too_late(box: Box) -> None:
    await box.make("alice")
    wanted = ExecOptions(command=tuple(shell("sleep 0.3; exit 6")), tty=True)
    async with box.streams.exec("alice", wanted) as process:
        assert await process.exit_code() == 6
        await process.resize(Size(cols=80, rows=24))


async def test_who_leaves_a_container_that_was_removed_leaves_quietly(box: Box) -> None:
    id_ = await box.make("alice")
    async with box.streams.exec("alice", ExecOptions(command=("sleep", "300"))):
        await box.docker.containers.container(id_).delete(force=True)


async def test_a_container_that_ends_ends_the_command(box: Box) -> None:
    await box.make("alice")
    async with box.streams.exec("alice", ExecOptions(command=tuple(shell("echo; sleep 300")))) as p:
        await p.read()
        await box.docker.containers.container(f"{box.prefix}alice").stop(t=0)
        assert (await done(p)).code == 137


async def test_it_is_refused_where_nothing_runs(box: Box) -> None:
    with pytest.raises(UnknownWorkspaceError):
        await run(box.streams, "nobody", "true")
    await box.make("alice", "exit 0")
    await box.until_ended("alice")
    with pytest.raises(NotRunningError, match="alice is not running") as refused:
        await run(box.streams, "alice", "true")
    assert "codehub start alice" in refused.value.remedy
    await box.make("bob")
    paused = box.docker.containers.container(f"{box.prefix}bob")
    await paused.pause()
    with pytest.raises(NotRunningError, match="paused"):
        await run(box.streams, "bob", "true")
    await paused.unpause()


async def test_what_cannot_be_run_is_refused(box: Box) -> None:
    for command in ((), ("",), ("echo", "a\0b"), ("echo", "x" * 40_000), ("echo", "\udcff")):
        with pytest.raises(BadRequestError):
            await run(box.streams, "alice", *command)


async def test_a_silent_one_is_ended_and_input_counts(
    docker: aiodocker.Docker, prefix: str, tmp_path: Path
) -> None:
    async with boxes(docker, prefix, tmp_path, idle=1.5) as box:
        await box.make("alice")
        async with box.streams.exec("alice", ExecOptions(command=("sleep", "300"))) as process:
            with pytest.raises(StreamIdleError):
                await process.read()
        wanted = ExecOptions(command=tuple(shell("read a; echo $a")), stdin=True)
        async with box.streams.exec("alice", wanted) as process:
            loop = asyncio.get_running_loop()
            began = loop.time()

            async def typing() -> None:
                while loop.time() < began + 2.0:  # longer than silence may last
                    await process.write(b"x")
                    await asyncio.sleep(0.05)
                await process.write(b"\n")

            async with asyncio.TaskGroup() as group:
                group.create_task(typing())
                piece = await process.read()
            assert piece is not None
            assert piece[0] is Channel.STDOUT
            assert set(piece[1]) == set(b"x\n")


async def test_only_so_many_are_open_at_once(
    docker: aiodocker.Docker, prefix: str, tmp_path: Path
) -> None:
    async with boxes(docker, prefix, tmp_path, most=1) as box:
        await box.make("alice")
        async with box.streams.exec("alice", ExecOptions(command=("sleep", "300"))):
            with pytest.raises(TooManyStreamsError):
                await run(box.streams, "alice", "true")
        assert (await run(box.streams, "alice", "true")).code == 0


async def test_many_logs_that_are_followed_leave_room_for_a_command(
    docker: aiodocker.Docker, prefix: str, tmp_path: Path
) -> None:
    """A client's pool holds 100 connections, and each stream keeps one."""
    async with boxes(docker, prefix, tmp_path, most=120) as box, AsyncExitStack() as followed:
        await box.make("alice")
        for _ in range(110):
            wanted = LogOptions(follow=True)
            await followed.enter_async_context(box.streams.logs("alice", wanted))
        assert (await run(box.streams, "alice", "true")).code == 0


async def test_an_engine_that_is_not_there_is_told(box: Box, tmp_path: Path) -> None:
    await box.make("alice")
    gone = f"unix://{tmp_path / 'none.sock'}"
    async with DockerStreams(box.power, host=gone, idle=9) as streams:
        with pytest.raises(EngineUnavailableError):
            await run(streams, "alice", "true")
    async with (
        DockerPower(name_prefix=box.prefix, run=tmp_path, docker_host=gone) as power,
        DockerStreams(power, host=gone, idle=9) as streams,
    ):
        with pytest.raises(EngineUnavailableError):
            await run(streams, "alice", "true")
