"""Logs of containers of the real engine."""

import asyncio
import time

import pytest

from stacks.errors import UnknownWorkspaceError
from stacks.streams.model import LogOptions
from tests.stacks.streams.box import Box, whole_log

pytestmark = pytest.mark.engine


async def test_the_last_lines_all_and_with_times(box: Box) -> None:
    await box.make("alice", "for n in 1 2 3; do echo out $n; echo err $n >&2; done")
    await box.until_ended("alice")
    assert sorted((await whole_log(box.streams, "alice", tail=None)).splitlines()) == [
        b"err 1", b"err 2", b"err 3", b"out 1", b"out 2", b"out 3",
    ]  # fmt: skip
    assert len((await whole_log(box.streams, "alice", tail=2)).splitlines()) == 2
    (line,) = (await whole_log(box.streams, "alice", tail=1, timestamps=True)).splitlines()
    assert line.startswith(b"20")
    assert line.split()[0].endswith(b"Z")


async def test_a_log_with_a_terminal_is_not_taken_apart(box: Box) -> None:
    await box.make("alice", "echo plain", Tty=True)
    await box.until_ended("alice")
    assert await whole_log(box.streams, "alice") == b"plain\r\n"


async def test_only_what_was_written_since(box: Box) -> None:
    await box.make("alice", "echo early; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo late")
    async with box.streams.logs("alice", LogOptions(follow=True)) as pieces:
        assert await anext(pieces) == b"early\n"
        between = time.time()
        made = await box.docker.containers.container(f"{box.prefix}alice").exec(
            ["touch", "/tmp/go"]
        )
        await made.start(detach=True)
        assert await anext(pieces) == b"late\n"
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)
    assert await whole_log(box.streams, "alice", tail=None, since=between) == b"late\n"
    assert await whole_log(box.streams, "alice", tail=None, since=time.time() + 60) == b""


async def test_following_ends_with_the_container_also_when_it_is_started_again(box: Box) -> None:
    await box.make("alice", "echo here; exec sleep 300")
    container = box.docker.containers.container(f"{box.prefix}alice")
    async with (
        asyncio.TaskGroup() as group,
        box.streams.logs("alice", LogOptions(follow=True)) as pieces,
    ):
        assert await anext(pieces) == b"here\n"
        group.create_task(container.restart(timeout=0))
        assert [piece async for piece in pieces] == []
    assert await whole_log(box.streams, "alice", tail=1) == b"here\n"


async def test_what_is_not_taken_waits_at_the_engine(box: Box) -> None:
    """A log of 10 MB is read by a piece at a time, and comes whole."""
    await box.make("alice", "yes 0123456789abcdef0123456789abcdef012345 | head -n 250000")
    await box.until_ended("alice")
    size = most = 0
    async with box.streams.logs("alice", LogOptions(tail=None)) as pieces:
        async for piece in pieces:
            size += len(piece)
            most = max(most, len(piece))
    assert size == 39 * 250_000
    assert most <= 1 << 19


async def test_of_a_workspace_without_a_container_there_is_none(box: Box) -> None:
    with pytest.raises(UnknownWorkspaceError):
        await whole_log(box.streams, "nobody")
