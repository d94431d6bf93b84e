"""The ledger of graces: the runner's second memory of what it removed, beside the index.

A home expires only when the index and this file speak of the very same removal, known by a random
id, and both say that its time is over. Each counts for itself. So either one alone, restored from a
backup, begins a grace anew and never ends one early. It also says which volume the engine is being
told to remove: one that is still there afterwards may be half empty.

One file in the data tree, written whole, synced and renamed; read strictly. Nothing here knows index
or engine. One runner leads, so one writes.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from stacks.errors import LedgerError
from stacks.fence import Fence
from stacks.ledger_entries import Entries, Entry, dump, parse
from telemetry.logs import get_logger

SAME_MOMENT = 60.0
"""Seconds between a write and the file's change time that are one moment: a copy is later."""

ID_BYTES = 16

_log = get_logger(__name__)

Print = tuple[int, int, int]
"""By what a file is known again: inode, modification time and size."""


class Ledger:
    """The file. Its calls wait for the disk; safe from several threads."""

    def __init__(
        self, path: Path, *, fence: Fence | None = None, now: Callable[[], float] | None = None
    ) -> None:
        """Prepare; the file is read when it is first needed.

        Args:
            path: The file.
            fence: Says whether anything may be written; asked right before. None: always.
            now: The clock that files are dated by, a seam for tests; default: the file's own.
        """
        self._path = path
        self._fence = fence or Fence.always()
        self._now = now
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._seen: Print | None = None
        self._read_once = False

    def entries(self) -> Entries:
        """Give all of it.

        Raises:
            LedgerError: It cannot be read.
        """
        with self._lock:
            return dict(self._fresh())

    def begin(self, workspace_id: str, *, left: int, volumes: Iterable[str]) -> str:
        """Write that a whole grace begins; gives the id of this removal.

        Raises:
            LedgerError: It cannot be read or written; nothing begins.
        """
        with self._lock:
            known, names = self._fresh(), tuple(sorted(volumes))
            before = known.get(workspace_id, Entry())
            removing = tuple(name for name in before.removing if name in names)
            new = Entry(
                removal=secrets.token_hex(ID_BYTES),
                left=left,
                volumes=names,
                removing=removing,
                engine=before.engine if removing else "",
            )
            self._write({**known, workspace_id: new})
            return new.removal

    def revive(self, ids: Iterable[str]) -> frozenset[str]:
        """End the graces of workspaces that are wanted again, before anything is done for them.

        That the removal of a home began stays known. Gives those whose grace ended by it.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            ended = frozenset(id_ for id_ in ids if id_ in known and known[id_].removal)
            if ended:
                others = {id_: entry for id_, entry in known.items() if id_ not in ended}
                self._write(others | _without_graces({id_: known[id_] for id_ in ended}))
            return ended

    def count(self, milliseconds: int) -> None:
        """Count time that was watched.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            if not milliseconds or not any(entry.left for entry in known.values()):
                return
            self._write(
                {
                    id_: replace(entry, left=max(0, entry.left - milliseconds))
                    for id_, entry in known.items()
                }
            )

    def removing(
        self, workspace_id: str, volume: str, *, volumes: Iterable[str], engine: str = ""
    ) -> bool:
        """Write that the engine is about to remove a home: from here on it may be half empty.

        Gives whether that is news.

        Raises:
            LedgerError: It cannot be read or written; the engine must not be told.
        """
        with self._lock:
            known, names = self._fresh(), frozenset(volumes)
            entry = known.get(workspace_id, Entry())
            others = frozenset(entry.removing) - {volume}
            told = replace(
                entry,
                # Of two engines, none can prove that all are gone.
                engine=engine if not others or entry.engine == engine else "",
                volumes=tuple(sorted({*entry.volumes, *names})),
                removing=tuple(sorted({*entry.removing, volume})),
                removed=tuple(name for name in entry.removed if name not in names),
            )
            self._write({**known, workspace_id: told})
            return volume not in entry.removing

    def removed(self, workspace_id: str, volume: str) -> None:
        """Write that the engine has removed a home.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            entry = known.get(workspace_id, Entry())
            told = replace(
                entry,
                removing=tuple(name for name in entry.removing if name != volume),
                removed=tuple(sorted({*entry.removed, volume})),
            )
            self._write({**known, workspace_id: told})

    def accept(self, volume: str) -> None:
        """Write that someone takes a home as it is, though its removal had begun.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = {
                id_: replace(entry, removing=tuple(it for it in entry.removing if it != volume))
                for id_, entry in self._fresh().items()
            }
            self._write({id_: each for id_, each in known.items() if each.removal or each.begun})

    def begin_anew(self) -> None:
        """End all graces: nobody knows any more what they were of. Each look then begins one.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            if any(entry.removal for entry in known.values()):
                self._write(_without_graces(known))

    def renew(self, workspace_id: str, volume: str) -> None:
        """Forget what was of a workspace that gets a new home, but which other homes are torn.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            before = known.get(workspace_id, Entry())
            torn = tuple(it for it in before.removing if it != volume)
            others = {id_: each for id_, each in known.items() if id_ != workspace_id}
            left = Entry(volumes=torn, removing=torn, engine=before.engine)
            new = {workspace_id: left} if torn else {}
            if others | new != known:
                self._write(others | new)

    def drop(self, workspace_id: str) -> None:
        """Forget a workspace of which nothing is left.

        Raises:
            LedgerError: It cannot be read or written.
        """
        with self._lock:
            known = self._fresh()
            if workspace_id in known:
                self._write({id_: each for id_, each in known.items() if id_ != workspace_id})

    def _fresh(self) -> dict[str, Entry]:
        """Read the file, unless it is as it was left here."""
        found = self._print()
        if self._read_once and found == self._seen:
            return self._entries
        entries, is_copy = self._load() if found else ({}, False)
        if is_copy or (self._read_once and self._seen):
            # Restored under a running runner, or before this one began: what it says was so once.
            _log.warning(
                "the ledger of graces was replaced: all graces begin anew", file=self._file
            )
            self._write(_without_graces(entries))
        else:
            self._entries, self._seen, self._read_once = entries, found, True
        return self._entries

    def _load(self) -> tuple[dict[str, Entry], bool]:
        """Read entries, and whether the file was put there by another hand than ours."""
        try:
            for half in self._path.parent.glob(f".{self._path.name}.*"):
                # Also one that a former leader stands still with: it cannot put it in place then.
                half.unlink(missing_ok=True)
            entries, written = parse(self._path.read_bytes())
            changed = self._path.stat().st_ctime
        except (OSError, ValueError) as error:
            raise self._failed("read", error) from error
        return entries, abs(changed - written) > SAME_MOMENT

    def _write(self, entries: dict[str, Entry]) -> None:
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                at = self._now() if self._now else os.fstat(stream.fileno()).st_ctime
                stream.write(dump(entries, at=at))
                stream.flush()
                os.fsync(stream.fileno())
            self._fence.check("ledger")
            beside.rename(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._failed("written", error) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        self._entries, self._seen, self._read_once = entries, self._print(), True

    def _print(self) -> Print | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    @property
    def _file(self) -> str:
        return str(self._path)

    def _failed(self, done: str, error: Exception) -> LedgerError:
        told = (isinstance(error, OSError) and error.strerror) or str(error)
        return LedgerError(f"{self._path} can't be {done}: {told}", step="ledger")


def _without_graces(entries: Entries) -> dict[str, Entry]:
    """Give what stays true of a ledger however old it is: that the removal of a home began."""
    return {
        id_: replace(entry, removal="", left=0) for id_, entry in entries.items() if entry.begun
    }
