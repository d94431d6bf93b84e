"""Follows the events of one folder: that it changed, and which files were renamed into place.

A kernel's clock may be too coarse for a file's times to tell a rename from a write; the event of a
rename tells it always. It reads no file and decides nothing; `stacks.source` does.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from asyncinotify import Event, Inotify, Mask

QUIET = 0.01
"""Seconds without an event that end a burst."""

LONGEST_BURST = 0.05
"""Seconds after which a burst is told though it goes on."""

CHANGED = Mask.CREATE | Mask.MODIFY | Mask.DELETE | Mask.MOVED_FROM
GONE = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.UNMOUNT | Mask.IGNORED
WATCHED = CHANGED | Mask.MOVED_TO | Mask.ATTRIB | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR


@dataclass(frozen=True)
class Fingerprint:
    """What tells one state of a file from another without reading it."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Fingerprint":
        """Take it from a stat."""
        return cls(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def sealed(self) -> bool:
        """Whether the file was renamed (or given its mode or times) after its last write.

        A write sets both times to one value; a rename moves only the change time on. Where a
        kernel's clock is too coarse to show it, this is False though it was renamed.
        """
        return self.ctime_ns > self.mtime_ns


class FolderEvents:
    """The events of a folder, as long as `bursts` is followed."""

    def __init__(self, folder: Path) -> None:
        """Prepare; nothing is watched yet."""
        self._folder = folder
        self._renamed: dict[str, Fingerprint] = {}

    def was_renamed(self, name: str, print_: Fingerprint) -> bool:
        """Whether this very state of the file came by a rename, and nobody wrote since."""
        return self._renamed.get(name) == print_

    async def bursts(self, *, at_least_every: float) -> AsyncIterator[None]:
        """Yield once it is watched, after each burst, and when none came for `at_least_every` seconds.

        It ends when the folder is not there (any more).

        Raises:
            OSError: Events can't be had here; the machine has no more watches, say.
        """
        self._renamed.clear()
        try:
            with Inotify() as inotify:
                inotify.add_watch(self._folder, WATCHED)
                yield  # what was changed before has no event
                async for burst in _bursts(inotify, at_least_every):
                    await asyncio.to_thread(self._note, burst)
                    yield
                    if any(event.mask & GONE for event in burst):
                        return
        except (FileNotFoundError, NotADirectoryError):
            return
        finally:
            self._renamed.clear()

    def _note(self, burst: list[Event]) -> None:
        for event in burst:
            if event.mask & Mask.Q_OVERFLOW:
                self._renamed.clear()
            elif event.name is not None and event.mask & Mask.MOVED_TO:
                self._note_rename(str(event.name))
            elif event.name is not None and event.mask & CHANGED:
                self._renamed.pop(str(event.name), None)

    def _note_rename(self, name: str) -> None:
        # A write after the rename changes the state, and has an event of its own behind this one.
        try:
            self._renamed[name] = Fingerprint.of((self._folder / name).lstat())
        except OSError:
            self._renamed.pop(name, None)


async def _bursts(inotify: Inotify, at_least_every: float) -> AsyncIterator[list[Event]]:
    """Give the events that came closely together; none when the time is over."""
    # One task that is never cancelled while it could hold an event: that one would be lost.
    coming = asyncio.ensure_future(inotify.get())
    try:
        while True:
            burst: list[Event] = []
            loop = asyncio.get_running_loop()
            await asyncio.wait({coming}, timeout=at_least_every)
            latest = loop.time() + LONGEST_BURST
            while coming.done() and loop.time() < latest:
                burst.append(coming.result())
                coming = asyncio.ensure_future(inotify.get())
                await asyncio.wait({coming}, timeout=QUIET)
            yield burst
    finally:
        coming.cancel()
