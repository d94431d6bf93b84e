"""Following the state index: what it says now, and again after each change.

An index that is moved away and made anew, or rebuilt, is followed from when it is there.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cli import garbage
from cli.index import published_here
from cli.output import talk

if TYPE_CHECKING:
    from settings.model import Settings
    from state_index.index import Index

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Pace:
    """When to look without a change, and when to end.

    Attributes:
        every: seconds between two looks; None waits for a change.
        end: the end, by the monotonic clock; None never ends.
    """

    every: float | None
    end: float | None

    def pause(self) -> float | None:
        left = None if self.end is None else max(0.0, self.end - time.monotonic())
        return min((it for it in (self.every, left) if it is not None), default=None)

    def is_over(self) -> bool:
        return self.end is not None and time.monotonic() >= self.end


def looks(
    settings: "Settings",
    read: "Callable[[Index], T]",
    *,
    every: float | None = None,
    within: float | None = None,
) -> Generator[T]:
    """What is read of the index now, and after each change of it.

    Args:
        settings: say where it is; one is made where there is none at first.
        read: reads it.
        every: seconds after which it is read again, changed or not.
        within: seconds after which this ends; None never ends.

    Raises:
        IndexUnavailableError: it can't be read.
    """
    from state_index.errors import IndexReplacedError
    from state_index.index import Index

    if not published_here(settings):
        Index.migrate(settings.index_url)
    pace = _Pace(every, None if within is None else time.monotonic() + within)
    with asyncio.Runner() as loop:
        while True:
            try:
                yield from _of_one(settings.index_url, read, loop, pace)
            except IndexReplacedError:
                _await_another(settings, pace)
            if pace.is_over():
                return


def _of_one(
    url: str, read: "Callable[[Index], T]", loop: asyncio.Runner, pace: _Pace
) -> Generator[T]:
    """The looks at one file; it ends with the time."""
    from state_index.index import Index
    from state_index.readonly import looking
    from state_index.watch import Watcher

    Index.look(url).close()  # waits for whoever makes it just now
    # Watched before it is opened: neither a change nor another file falls between.
    with closing(Watcher(url, database=looking)) as watcher, Index.look(url) as opened:
        garbage.loaded()
        while True:
            yield read(opened)
            if not loop.run(watcher.wait(pace.pause())) and pace.is_over():
                return


def _await_another(settings: "Settings", pace: _Pace) -> None:
    """Wait until there is an index again, or the time is over."""
    from state_index.watch import INTERVAL

    if not published_here(settings):
        talk(f"the state index in {settings.data} was moved away: waiting for another one")
    while not published_here(settings) and not pace.is_over():
        time.sleep(INTERVAL)
