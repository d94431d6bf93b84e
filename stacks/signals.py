"""SIGTERM and SIGINT as an event of the event loop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def setting(event: asyncio.Event) -> Iterator[None]:
    """Set an event on each of `ENDING` while the block runs; in the main thread, with a loop.

    The loop hears of a signal by a byte in a pipe, which it shares with threads that end. When hundreds
    of these end while it is at work, the pipe is full and the byte is dropped, and with it the signal.
    So Python's own handler, which needs no pipe, sets the event too; the pipe only wakes the loop.
    """
    loop = asyncio.get_running_loop()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        loop.call_soon_threadsafe(event.set)

    for number in ENDING:
        loop.add_signal_handler(number, event.set)
        signal.signal(number, ask)
    _be_quiet_when_full()
    try:
        yield
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)


def _be_quiet_when_full() -> None:
    """Keep the interpreter from printing that the pipe is full: nothing is lost by it any more."""
    pipe = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(pipe, warn_on_full_buffer=False)
