"""Standard input and output on threads of their own."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from cli import terminal
from cli.pipes import AHEAD, PIECE, Reader, Writer
from tests.waiting import until


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """A pipe's two ends; a test takes out what it closed."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        os.close(end)


def waiting(fd: int) -> bool:
    """Whether a write into a pipe would wait."""
    os.set_blocking(fd, False)
    try:
        os.write(fd, b"x" * PIECE)
    except BlockingIOError:
        return True
    return False


async def test_what_comes_is_given_to_its_end(pipe: list[int]) -> None:
    os.write(pipe[1], b"one")
    pieces = Reader(pipe[0]).pieces()
    assert await anext(pieces) == b"one"
    os.write(pipe[1], b"two")
    os.close(pipe.pop())
    assert [piece async for piece in pieces] == [b"two"]


async def test_only_so_much_is_read_ahead(pipe: list[int]) -> None:
    pieces = Reader(pipe[0]).pieces()
    os.write(pipe[1], b"first")
    assert await anext(pieces) == b"first"
    await until(lambda: waiting(pipe[1]), "nothing more is taken")
    taken = 0
    os.set_blocking(pipe[1], True)
    os.close(pipe.pop())
    async for piece in pieces:
        taken += len(piece)
    assert 0 < taken <= (AHEAD + 3) * PIECE


async def test_what_cannot_be_read_is_at_its_end(pipe: list[int]) -> None:
    assert [piece async for piece in Reader(pipe[1]).pieces()] == []


async def test_all_is_written_and_waited_for(pipe: list[int]) -> None:
    data = b"x" * (1 << 20)
    writer = Writer(pipe[1])
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(writer.write(data))
        got = len(await asyncio.to_thread(os.read, pipe[0], 1))
        assert not writing.done(), "a pipe does not hold so much"
        while got < len(data):
            got += len(await asyncio.to_thread(os.read, pipe[0], 1 << 20))
    await writer.write(b"end")
    assert os.read(pipe[0], 9) == b"end"


async def test_a_reader_who_went_away_is_told(pipe: list[int]) -> None:
    os.close(pipe.pop(0))
    with pytest.raises(BrokenPipeError):
        await Writer(pipe[0]).write(b"x")


async def test_who_waits_may_be_cancelled(pipe: list[int]) -> None:
    writer = Writer(pipe[1])
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(writer.write(b"x" * (1 << 20)))
        assert await asyncio.to_thread(os.read, pipe[0], 1) == b"x"
        writing.cancel()
    assert writing.cancelled()
    os.close(pipe.pop(0))  # the thread is told, and nobody waits for it


def test_threads_that_wait_outlive_the_loop_without_a_word(pipe: list[int]) -> None:
    async def begin() -> None:
        pieces = Reader(pipe[0]).pieces()
        os.write(pipe[1], b"x")
        assert await anext(pieces) == b"x"

    asyncio.run(begin())
    os.write(pipe[1], b"late")


def test_what_is_no_terminal_has_no_size(pipe: list[int]) -> None:
    assert not terminal.is_terminal(pipe[0])
    assert not terminal.is_terminal(-1)
    assert terminal.size(pipe[0]) is None
