"""Signals that end: none is lost, however busy the loop is."""

import asyncio
import os
import signal
import threading

import pytest

from stacks.signals import ENDING, setting

MANY = 100_000
"""More wakeups than any pipe's buffer takes."""


@pytest.mark.parametrize("number", ENDING)
async def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    event = asyncio.Event()
    with setting(event):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await event.wait()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_none_is_lost_while_the_loop_s_pipe_is_full() -> None:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    with setting(event):

        def fill() -> None:
            for _ in range(MANY):
                loop.call_soon_threadsafe(lambda: None)

        thread = threading.Thread(target=fill)
        thread.start()
        thread.join()  # meanwhile the loop stands still: its pipe fills
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(30):
            await event.wait()
