"""The terminal at which a command runs: its size, and keys that go through as they are pressed."""

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDING = (
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
"""Signals that would end us with the terminal left as it is."""


def is_terminal(fd: int) -> bool:
    """Whether a descriptor is open and a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def size(fd: int) -> tuple[int, int] | None:
    """Columns and rows of the terminal, if it is one that has a size."""
    try:
        found = os.get_terminal_size(fd)
    except OSError:
        return None
    return (found.columns, found.lines) if found.columns and found.lines else None


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Let every key through, Ctrl-C too, until the block ends, whichever way."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        # What was typed ahead is not thrown away: it is for the shell that comes next.
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def on_resize(call: Callable[[], None]) -> Iterator[None]:
    """Call when the window's size changes, while the block runs."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, call)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


@contextmanager
def ended_by_signal() -> Iterator[list[int]]:
    """Have signals cancel this task, so that what must be put back is put back.

    Yields:
        The number of the signal that came, if one did.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # a loop runs
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        task.cancel()

    for number in ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        yield came
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
