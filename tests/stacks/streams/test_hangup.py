"""Hanging up processes: here those of this machine, whose control group stands for a container's."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from stacks.streams import hangup
from stacks.streams.hangup import hang_up

ANY = "/"
"""In every process's list of groups."""


@contextmanager
def process(code: str, *, leads: bool = True) -> Iterator["subprocess.Popen[bytes]"]:
    """Run Python that says when it is ready."""
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import os, signal, time\n{code}\nprint(flush=True)\ntime.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        start_new_session=leads,
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("leads", [True, False])
async def test_it_ends_what_does_not_mind(leads: bool) -> None:
    with process("pass", leads=leads) as one:
        assert await hang_up(one.pid, container_id=ANY)
        assert await asyncio.to_thread(one.wait, 10) == -signal.SIGHUP


async def test_it_ends_the_children_too_and_wakes_what_is_stopped() -> None:
    fork = "child = os.fork()\nif child == 0: os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)"
    with process(f"{fork}\nos.waitpid(child, os.WUNTRACED)\nprint(child, end='')") as one:
        assert await hang_up(one.pid, container_id=ANY)
        assert await asyncio.to_thread(one.wait, 10) == -signal.SIGHUP
        assert one.stdout is not None
        assert one.stdout.read() == b"", "nobody is left who holds the pipe"


async def test_who_ignores_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hangup, "AGAIN", 0.1)
    with process("signal.signal(signal.SIGHUP, signal.SIG_IGN)") as one:
        assert await hang_up(one.pid, container_id=ANY)
        assert one.poll() is None


async def test_the_second_comes_where_the_first_was_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hangup, "AGAIN", 0.3)
    handler = "lambda *_: signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    with process(f"signal.signal(signal.SIGHUP, {handler})") as one:
        assert await hang_up(one.pid, container_id=ANY)
        assert await asyncio.to_thread(one.wait, 10) == -signal.SIGHUP


async def test_nobody_else_is_touched() -> None:
    with process("pass") as one:
        assert not await hang_up(one.pid, container_id="a" * 64)
        assert one.poll() is None
        one.kill()
        await asyncio.to_thread(os.waitid, os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        await hang_up(one.pid, container_id=ANY)  # a process that is no more, but for its parent
    assert not await hang_up(one.pid, container_id=ANY)
    assert not await hang_up(0, container_id=ANY)


async def test_many_at_once_wait_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """By threads, forty would wait for each other: asyncio has few."""
    monkeypatch.setattr(hangup, "AGAIN", 0.5)
    with ExitStack() as stack:
        ignore = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
        many = [stack.enter_context(process(ignore)) for _ in range(12)]
        waiting = asyncio.gather(*(hang_up(one.pid, container_id=ANY) for one in many))
        assert await asyncio.to_thread(lambda: "a thread is free")
        assert not waiting.done(), "they wait, and hold no thread"
        assert all(await waiting)
