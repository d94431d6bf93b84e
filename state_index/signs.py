"""Signs that a file's neighbours were written: the kernel's events of one folder (inotify).

A writer in WAL mode writes the log first and makes the commit visible a moment later in shared
memory, of which there is no event: a sign says "look, now and a few times more", never "it is
there". Whether signs come at all on this file system, `watch` finds out by use. The file itself is
never opened here: closing it would drop this process's locks on it.
"""

import os
from pathlib import Path

from asyncinotify import Inotify, Mask

_WRITTEN = Mask.MODIFY | Mask.CREATE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE
_GONE = Mask.IGNORED | Mask.UNMOUNT | Mask.MOVE_SELF
_WATCHED = _WRITTEN | Mask.MOVE_SELF | Mask.ONLYDIR


class Signs:
    """The events of the files beside one database file, whose names begin with its name.

    Args:
        file: the database file. The folder is watched, as the log comes and goes.

    Attributes:
        lost: whether no more will come, as the folder was moved or removed, or can't be watched.
    """

    def __init__(self, file: Path) -> None:
        self._name = file.name
        self.lost = False
        self._inotify: Inotify | None = None
        try:
            self._inotify = Inotify()
            os.set_blocking(
                self._inotify.fd, False
            )  # the library's own flag for this has no effect
            self._inotify.add_watch(file.absolute().parent, _WATCHED)
        except OSError:  # no watches left, say: the caller looks often instead
            self.lost = True

    def fileno(self) -> int | None:
        """What becomes readable when there are some; None when none will come."""
        return None if self.lost or self._inotify is None else self._inotify.fd

    def read(self) -> bool:
        """Whether something was written since the last call; never blocks."""
        if self.lost or self._inotify is None:
            return False
        seen = False
        try:
            while (event := self._inotify.sync_get()) is not None:
                self.lost = self.lost or bool(event.mask & _GONE)
                seen = seen or self._ours(event.name) or bool(event.mask & Mask.Q_OVERFLOW)
        except BlockingIOError:
            pass
        return seen

    def _ours(self, name: Path | None) -> bool:
        return name is not None and name.name.startswith(self._name)

    def close(self) -> None:
        """Stop watching."""
        self.lost = True
        if self._inotify is not None:
            self._inotify.close()
