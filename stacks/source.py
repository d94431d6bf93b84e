"""Reads the folder of workspace files, and tells when it changed.

A read never says "gone" on thin ground: a folder that is missing, unreadable or empty gives a
snapshot that is not `complete`, by which nothing may be deleted, and a file that is still being
written is `pending`: its workspace keeps what it has. It does not decide what happens to a
workspace whose file is gone; `stacks.plan` does.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import spec
from spec import Origin, Problem, RuleFiles, WorkspaceSpec
from spec.rule_folder import is_rule_file
from spec.shared import GENERATORS, is_shared
from stacks.asking import Revision, not_here
from stacks.errors import SourceError
from stacks.folder_events import Fingerprint, FolderEvents
from stacks.folder_scan import ABSENCE, Vanished, pending_of, problem_of, scan, settle_delay, why
from stacks.pulls.hold import Hold
from telemetry.logs import get_logger

SUFFIX = ".yaml"

_log = get_logger(__name__)

FINGERPRINT_TRIES = 10
"""Reads in a row that may be overtaken by a change before the changing files are left out."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What the folder said at one moment.

    Attributes:
        specs: The valid files, by workspace id.
        invalid: The problems of the others, by workspace id.
        owners: Whom those others name as the owner, where that can be read.
        formerly: Which former ids files name, by workspace id; invalid files too, where that can
            be read.
        revisions: The content of each file that could be read, as git names it, by workspace id.
        origins: Where each workspace is written, by id: its own file, or a generator's entry.
        rules: What the files of owners and rules say; broken ones let nothing new be applied.
        pending: Ids of files that are still being written.
        complete: Whether an id that is not here is truly gone.
        unreadable: Whether the folder itself could not be read.
        doubt: Why a workspace that is not here may have a file all the same: a generator that can't be
            read, or what files say together; "" when it is not.
        error: Why it is not complete, or "".
        commit: The commit that it is of; "" for a folder.
        stale: Whether it is an earlier one, as the newest can't be had.
        holds: Workspaces that stay as they are, as it does more to them than was reviewed.
    """

    specs: Mapping[str, WorkspaceSpec] = field(default_factory=dict)
    invalid: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    formerly: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    rules: RuleFiles = field(default_factory=RuleFiles)
    pending: frozenset[str] = frozenset()
    complete: bool = True
    unreadable: bool = False
    doubt: str = ""
    error: str = ""
    commit: str = ""
    stale: bool = False
    holds: Mapping[str, Hold] = field(default_factory=dict)

    @property
    def blind(self) -> bool:
        """Whether of no workspace that is not here it can be told that its file is gone."""
        return self.unreadable or bool(self.doubt)

    @cached_property
    def ids(self) -> frozenset[str]:
        """All workspaces that have a file."""
        return frozenset(self.specs) | frozenset(self.invalid) | self.pending

    def lacks(self, workspace_id: str) -> bool:
        """Whether it is known that a workspace has no file, right or wrong."""
        return workspace_id not in self.ids and not self.blind

    @cached_property
    def heirs(self) -> Mapping[str, str]:
        """Which workspace is which one now, by former id; what valid files say comes first."""
        valid = {id_: found.formerly for id_, found in self.specs.items() if found.formerly}
        claims = {**self.formerly, **valid}
        ordered = sorted(claims, key=lambda id_: (id_ in valid, id_))
        return {claims[id_]: id_ for id_ in ordered}


class Source(Protocol):
    """Where workspace files come from: a folder, or a git repository."""

    async def read(self) -> Snapshot:
        """Read what is so now; that may take as long as a server does."""

    async def glance(self) -> Snapshot:
        """Read what is known here; nobody is asked for it."""

    def changes(self) -> AsyncIterator[None]:
        """Yield when it may have changed, and when the engine is to be looked at anyhow."""

    async def keep(self) -> None:
        """Keep looking for changes, beside `changes`; may end at once."""

    async def allow(self) -> None:
        """Let what is there now remove workspaces, whatever came before: someone said so."""

    async def ask(self, revision: Revision) -> str:
        """Have a commit of the repository count from now on; its whole id.

        Raises:
            RevisionRefusedError: It may not count, or none may be asked for here.
            GitRefError: It has no such folder.
            GitError: The repository does not answer, or can't be read.
        """


def check_folder(folder: Path) -> None:
    """Make sure that a folder of workspace files can be read.

    Raises:
        SourceError: It cannot.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise SourceError(_unreadable(folder, error), step="read") from error


class FolderSource:
    """A folder of `<id>.yaml` files."""

    def __init__(
        self,
        folder: Path,
        *,
        settle: float = 0.3,
        poll_interval: float = 10.0,
        absence: float = ABSENCE,
    ) -> None:
        """Prepare.

        Args:
            folder: The folder; it may be missing for now.
            settle: Seconds that a file must be unchanged, unless it was renamed into place.
            poll_interval: Seconds between two looks where no event comes (network mounts).
            absence: Seconds that a file that counts for many must be gone to count as gone.
        """
        self._folder = folder
        self._settle = settle
        self._poll_interval = poll_interval
        self._events = FolderEvents(folder, inner=(GENERATORS,))
        self._seen: dict[str, tuple[Fingerprint, float]] = {}
        self._vanished = Vanished(absence)
        # The last reading, kept while no file changes: parsing is what a look would cost.
        self._last: tuple[dict[str, Fingerprint], Snapshot] | None = None

    async def read(self) -> Snapshot:
        """Read the folder, waiting at most a few times the settle time for files being written."""
        deadline = time.monotonic() + FINGERPRINT_TRIES * self._settle
        while True:
            patient = time.monotonic() < deadline
            outcome = await asyncio.to_thread(self._read_once, patient=patient)
            if isinstance(outcome, Snapshot):
                return outcome
            await asyncio.sleep(outcome)

    async def glance(self) -> Snapshot:
        """Read it: that costs next to nothing."""
        return await self.read()

    async def keep(self) -> None:
        """Do nothing: the folder tells by itself."""

    async def allow(self) -> None:
        """Do nothing: a folder has no history that could be broken."""

    async def ask(self, revision: Revision) -> str:  # noqa: ARG002 - sources are asked alike
        """Refuse: a folder has no commits."""
        raise not_here()

    async def changes(self) -> AsyncIterator[None]:
        """Yield when the folder may have changed: on events, and at each poll interval."""
        while True:
            if await asyncio.to_thread(self._folder.is_dir):
                async for _ in self._bursts():
                    yield
            else:
                await asyncio.sleep(self._poll_interval)
                yield

    async def _bursts(self) -> AsyncIterator[None]:
        try:
            async for _ in self._events.bursts(at_least_every=self._poll_interval):
                yield
        except OSError as error:
            _log.warning("no events of the folder, it is polled", problem=str(error))
            await asyncio.sleep(self._poll_interval)
            yield

    def _read_once(self, *, patient: bool) -> Snapshot | float:
        """Give the snapshot, or the seconds after which to try again."""
        try:
            before = scan(self._folder)
            gone = self._vanished.look(before, now=time.monotonic())
            delays = {name: delay for name, delay in self._delays(before).items() if delay > 0}
            if delays and patient:
                return max(delays.values())
            if self._last is not None and self._last[0] == before:
                return self._last[1]
            read = spec.read_folder(self._folder)
            after = scan(self._folder)
        except (OSError, spec.SourceUnreadableError) as error:
            return Snapshot(complete=False, unreadable=True, error=self._reason(error))
        overtaken = {name for name, _ in before.items() ^ after.items()}
        if overtaken and patient:
            return 0.0
        unsettled = delays.keys() | overtaken | gone
        label = self._folder.name
        snapshot = snapshot_of(read, frozenset(unsettled), gone=gone, folder=label)
        self._last = None if unsettled else (before, snapshot)
        return snapshot

    def _reason(self, error: Exception) -> str:
        if isinstance(error, spec.SourceUnreadableError):
            return f"{error.folder}: {error.message}"
        return _unreadable(self._folder, error)

    def _delays(self, prints: Mapping[str, Fingerprint]) -> dict[str, float]:
        now, now_ns = time.monotonic(), time.time_ns()
        seen = {
            name: self._seen[name]
            if name in self._seen and self._seen[name][0] == print_
            else (print_, now)
            for name, print_ in prints.items()
        }
        self._seen = seen
        return {
            name: settle_delay(print_, now_ns=now_ns, seen_for=now - since, settle=self._settle)
            for name, (print_, since) in seen.items()
            if not self._events.was_renamed(name, print_)
        }


def _unreadable(folder: Path, error: Exception) -> str:
    what = error.strerror if isinstance(error, OSError) else str(error)
    return f"{folder}: {(what or 'cannot be read').lower()}"


def snapshot_of(
    read: spec.FolderRead,
    unsettled: frozenset[str] = frozenset(),
    *,
    gone: frozenset[str] = frozenset(),
    folder: str = "",
    commit: str = "",
) -> Snapshot:
    """Give what was read, but for files of which it is not known what they will say.

    One without a valid file is no ground to remove anything, nor is one that was not read whole. Those of
    `unsettled` that were there a moment ago are in `gone` too.
    """
    pending = pending_of(read, unsettled, folder=folder)
    written = sorted(name for name in unsettled if is_rule_file(name))
    specs = {id_: found for id_, found in read.specs.items() if id_ not in pending}
    invalid = {id_: tuple(problems) for id_, problems in read.invalid.items() if id_ not in pending}
    # Something that only has the look of a file (a mount point's lost+found) is no ground to delete.
    problem = "" if specs else "the folder holds no valid workspace file"
    if not specs and not invalid and not pending:
        problem = "the folder holds no workspace file"
    shared = sorted(name for name in unsettled if is_shared(name))
    doubt = f"{folder}/{shared[0]} {why(shared[0], gone)}" if shared else read.doubt
    return Snapshot(
        specs=specs,
        invalid=invalid,
        owners=read.owners,
        formerly=read.formerly,
        revisions=read.revisions,
        origins=read.origins,
        rules=replace(
            read.rules,
            problems=(*read.rules.problems, *(problem_of(folder, name, gone) for name in written)),
        ),
        pending=pending,
        complete=not (doubt or problem),
        doubt=doubt,
        error=doubt or problem,
        commit=commit,
    )
