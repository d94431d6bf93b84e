"""The fork server: started once, started again when it died, gone with its runner."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from stacks.engine import launcher
from stacks.engine.launcher import ForkServer
from stacks.engine.processes import read_process
from stacks.errors import OperationKilledError, ToolchainError
from tests.waiting import until

LIMIT = 1 << 16


@pytest.fixture
async def server() -> AsyncIterator[ForkServer]:
    found = ForkServer()
    await found.start()
    yield found
    await found.stop()


async def _gone(pid: int) -> bool:
    found = read_process(pid)
    return found is None or found.state == "Z"


async def test_a_worker_leads_a_session_and_ends_when_its_socket_closes(server: ForkServer) -> None:
    worker = await server.worker(limit=LIMIT)
    found = read_process(worker.pid)
    assert found is not None
    worker.writer.close()
    await until(lambda: _gone(worker.pid))
    assert worker.pid == found.pid


async def test_workers_are_processes_of_their_own(server: ForkServer) -> None:
    workers = await asyncio.gather(*(server.worker(limit=LIMIT) for _ in range(3)))
    assert len({worker.pid for worker in workers}) == 3
    for worker in workers:
        worker.writer.close()


async def test_what_a_worker_cannot_read_ends_it_without_an_answer(server: ForkServer) -> None:
    worker = await server.worker(limit=LIMIT)
    worker.writer.write(b"not json\n")
    assert await worker.reader.read() == b""
    worker.writer.close()


async def test_a_fork_server_that_died_is_started_again(server: ForkServer) -> None:
    first = await server.worker(limit=LIMIT)
    found = read_process(first.pid)
    assert found is not None
    os.kill(found.parent, signal.SIGKILL)
    await until(lambda: _gone(found.parent))
    try:
        second = await server.worker(limit=LIMIT)
    except OperationKilledError:  # seen while dying; the next one is served
        second = await server.worker(limit=LIMIT)
    again = read_process(second.pid)
    assert again is not None
    assert again.parent != found.parent
    for worker in (first, second):
        worker.writer.close()


async def test_a_fork_server_that_is_stuck_and_killed_is_told_as_killed(server: ForkServer) -> None:
    first = await server.worker(limit=LIMIT)
    found = read_process(first.pid)
    assert found is not None
    first.writer.close()
    os.kill(found.parent, signal.SIGSTOP)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(_refused(server))
        await asyncio.sleep(0)
        os.kill(found.parent, signal.SIGKILL)
    assert asking.result()


async def _refused(server: ForkServer) -> bool:
    with pytest.raises(OperationKilledError):
        await server.worker(limit=LIMIT)
    return True


async def test_an_sdk_that_cannot_be_loaded_is_a_toolchain_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")  # the interpreter itself does not start
    server = ForkServer()
    with pytest.raises(ToolchainError, match="cannot be loaded"):
        await server.start()
    await server.stop()


async def test_a_start_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "START_SECONDS", 0.001)
    server = ForkServer()
    with pytest.raises(ToolchainError):
        await server.start()


RUNNER = """
import asyncio, sys
from stacks.engine.launcher import ForkServer
async def main():
    server = ForkServer()
    await server.start()
    worker = await server.worker(limit=1 << 16)
    print(worker.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_everything_dies_with_the_runner() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNNER, stdout=subprocess.PIPE, cwd=launcher.ROOT
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    worker = read_process(pid)
    assert worker is not None
    process.kill()
    await process.wait()
    await until(lambda: _gone(pid))
    await until(lambda: _gone(worker.parent))


async def test_one_whose_start_was_cut_off_is_started_again() -> None:
    """Or its first word would be taken for a worker's id."""
    server = ForkServer()
    try:
        start = asyncio.create_task(server.start())
        await until(lambda: server.pid, "its process")
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        worker = await server.worker(limit=LIMIT)
        await until(lambda: _leads(worker.pid), "a worker of that id")
        worker.writer.close()
    finally:
        await server.stop()


def _leads(pid: int) -> bool:
    found = read_process(pid)
    return found is not None and found.session == pid
