"""Nudges: who is reached, and what stands in the way without harm."""

import asyncio
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from state_index.nudge import Nudge, listen, send

DEADLINE = 10.0


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def leave_a_dead_socket(path: Path) -> None:
    program = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "s.bind(sys.argv[1]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)


async def nudged(event: asyncio.Event) -> None:
    async with asyncio.timeout(DEADLINE):
        await event.wait()
    event.clear()


async def test_a_nudge_reaches_the_listener(tmp_path: Path) -> None:
    nudge = Nudge(tmp_path / "nudge")
    async with nudge.listen("runner") as event:
        assert not event.is_set()
        assert nudge.send("runner") == 1
        await nudged(event)
        assert nudge.send("runner") == 1
        await nudged(event)
    assert names(tmp_path / "nudge") == []
    assert nudge.send("runner") == 0


async def test_it_reaches_all_of_a_prefix_and_no_other(tmp_path: Path) -> None:
    async with (
        listen(tmp_path, "gateway-1") as one,
        listen(tmp_path, "gateway-2") as two,
        listen(tmp_path, "runner") as other,
    ):
        assert send(tmp_path, "gateway") == 2
        await nudged(one)
        await nudged(two)
        assert not other.is_set()


async def test_many_under_one_name_are_all_reached(tmp_path: Path) -> None:
    async with listen(tmp_path, "gateway") as one, listen(tmp_path, "gateway") as two:
        assert send(tmp_path, "gateway") == 2
        await nudged(one)
        await nudged(two)
    assert names(tmp_path) == []


async def test_a_dead_process_s_socket_is_replaced(tmp_path: Path) -> None:
    for name in ("runner.sock", "runner-77-dead.sock"):
        leave_a_dead_socket(tmp_path / name)
    assert send(tmp_path, "runner") == 0
    async with listen(tmp_path, "runner") as event:
        assert names(tmp_path) == ["runner.sock"]
        assert send(tmp_path, "runner") == 1
        await nudged(event)


async def test_it_never_blocks_on_a_listener_that_does_not_read(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "gateway.sock"))
        assert {send(tmp_path, "gateway") for _ in range(2000)} == {1}


async def test_what_is_no_socket_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "runner.sock").write_text("not a socket")
    (tmp_path / "runner.txt").write_text("nor this")
    assert send(tmp_path, "runner") == 0
    assert send(tmp_path / "missing", "runner") == 0


async def test_deep_folders_are_no_matter(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    async with listen(deep, "runner") as event:
        assert stat.S_IMODE(deep.stat().st_mode) & 0o077 == 0
        assert send(deep, "runner") == 1
        await nudged(event)


async def test_it_leaves_no_descriptor_behind(tmp_path: Path) -> None:
    before = len(names(Path("/proc/self/fd")))
    async with listen(tmp_path, "runner"):
        for _ in range(10):
            send(tmp_path, "runner")
    assert len(names(Path("/proc/self/fd"))) == before


async def test_a_folder_that_can_not_be_used_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        async with listen(tmp_path / "file", "runner"):
            pass


async def test_a_name_that_can_not_be_bound_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"AF_UNIX path too long|File name too long"):
        async with listen(tmp_path, "n" * 200):
            pass
