"""Follows the events of one folder: that it changed, and which files were renamed into place.

Folders within it that are named are followed with it.

A kernel's clock may be too coarse for a file's times to tell a rename from a write; the event of a
rename tells it always. It reads no file and decides nothing; `stacks.source` does.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
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

    def __init__(self, folder: Path, *, inner: Sequence[str] = ()) -> None:
        """Prepare; nothing is watched yet.

        Args:
            folder: The folder.
            inner: Names of folders within it that are followed too, as far as they are there; names of
                files in them have theirs before them.
        """
        self._folder = folder
        self._inner = inner
        self._prefixes: dict[int, str] = {}
        """What stands before names, by watch; the folder's own has ""."""
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
        self._prefixes.clear()
        try:
            with Inotify() as inotify:
                top = inotify.add_watch(self._folder, WATCHED).wd
                self._watch_inner(inotify, top)
                yield  # what was changed before has no event
                async for burst in _bursts(inotify, at_least_every):
                    await asyncio.to_thread(self._note, burst)
                    self._watch_inner(inotify, top)
                    yield
                    if any(event.mask & GONE and self._prefix(event) == "" for event in burst):
                        return
        except (FileNotFoundError, NotADirectoryError):
            return
        finally:
            self._renamed.clear()

    def _watch_inner(self, inotify: Inotify, top: int) -> None:
        """Follow the folders within that are there now: what is in them then is read after this."""
        self._prefixes = {top: ""}  # one that went is not the next of its name
        for name in self._inner:
            with suppress(OSError):  # then it is looked at as often as is said
                watch = inotify.add_watch(self._folder / name, WATCHED | Mask.DONT_FOLLOW)
                self._prefixes[watch.wd] = f"{name}/"

    def _prefix(self, event: Event) -> str | None:
        """What stands before an event's name; None for no folder's."""
        return self._prefixes.get(event.watch.wd) if event.watch is not None else None

    def _note(self, burst: list[Event]) -> None:
        for event in burst:
            if event.mask & Mask.Q_OVERFLOW:
                self._renamed.clear()
                continue
            prefix = self._prefix(event)
            if event.name is None or prefix is None:
                continue
            name = f"{prefix}{event.name}"
            if event.mask & Mask.MOVED_TO:
                self._note_rename(name)
            elif event.mask & CHANGED:
                self._renamed.pop(name, None)

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
