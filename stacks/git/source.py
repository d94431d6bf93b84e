"""A branch of a git repository as the source of workspace files.

What was fetched last stays in force whatever happens to the repository; and nothing is removed by a
reading that is not the newest, is empty, or whose commit does not come after the one before. Why:
docs/explanation/gitops.md. It fetches, reads and judges; what is removed is decided by `stacks.plan`.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from stacks.asking import Revision, not_ours
from stacks.board import Board
from stacks.errors import (
    EngineUnavailableError,
    GitError,
    NotLeadingError,
    PublishFailedError,
    SourceError,
    StacksError,
    ToolchainError,
)
from stacks.git import guarded
from stacks.git.asked import NOT_ASKED, taken
from stacks.git.command import NOT_NOW, not_now
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.reading import Readings
from stacks.git.row import Row
from stacks.power import Inventory
from stacks.source import Snapshot
from state_index.nudge import listen
from state_index.repository import LISTENER, Followed, Wishes
from telemetry.logs import get_logger

JITTER = 0.1
"""Part of the interval by which a look comes sooner or later, so that runners are spread."""

ASK_POLL = 1.0
"""Seconds between two looks for what was asked in the index: nudges reach one machine only."""

BETWEEN = 1.0
"""Seconds at least between the begins of two fetches that were asked for."""

NOT_YET = "the repository was not asked yet"

_log = get_logger(__name__)


class GitSource:
    """The branch's workspace files."""

    def __init__(
        self,
        mirror: Mirror,
        board: Board,
        *,
        place: Place,
        poll: float,
        look_every: float,
        nudges: Path,
        there: Callable[[], Awaitable[Inventory]],
        by_asking: bool = False,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            mirror: The copy of the repository.
            board: Where it is kept what was applied, and asked.
            place: Which files.
            poll: Seconds between two fetches.
            look_every: Seconds between two looks at the engine.
            nudges: Folder of the sockets by which it is nudged.
            there: Lists what the engine has: an index that was lost says nothing of it.
            by_asking: Whether a commit counts only once someone asked for it.
        """
        self._mirror = mirror
        self._board = board
        self._place = place
        self._poll = poll
        self._look_every = look_every
        self._nudges = nudges
        self._there = there
        self._by_asking = by_asking
        self._row = Row(board, place)
        self._readings = Readings(place.path)
        self._fetching = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._begun = self._ended = 0
        self._error = NOT_YET
        self._broken = False
        self._last: Snapshot | None = None
        """The newest reading, whether or not it may remove anything."""
        self._changed = asyncio.Event()

    async def read(self) -> Snapshot:
        """Ask the repository, and read the commit that counts; a damaged copy is made anew first."""
        await self._fetch()
        found = await self.glance()
        if not self._broken:
            return found
        await self._fetch()
        return await self.glance()

    async def glance(self) -> Snapshot:
        """Read the commit that counts of what was fetched; nobody is asked, but the first time."""
        async with self._reading:
            wishes, followed = await self._row.known()
            commit, told = await asyncio.to_thread(self._commit, wishes, followed)
            if not commit and not self._begun:
                await self._fetch()
                commit, told = await asyncio.to_thread(self._commit, wishes, followed)
            snapshot = await asyncio.to_thread(self._read, commit, followed, told)
            return await self._guarded(snapshot, followed)

    async def allow(self) -> None:
        """Let the branch as it is now remove workspaces, whatever came before it."""
        snapshot = await self.read()
        if not snapshot.stale and self._last is not None and self._last.complete:
            await self._row.base(self._last.commit)

    async def ask(self, revision: Revision) -> str:
        """Have a commit count from now on; see `Source`."""
        if not self._by_asking:
            raise not_ours(revision, self._place.branch)
        await self._fetch()
        async with self._reading:
            if self._error:
                raise GitError(f"whether the branch has it is not known: {self._error}")
            wishes, followed = await self._row.known()
            took = partial(taken, self._mirror, self._readings, branch=self._place.branch)
            before = self._before(followed)
            commit, ids = await asyncio.to_thread(took, revision, wishes=wishes, before=before)
            await self._row.asked(commit, ids)
        self._changed.set()
        return commit

    async def changes(self) -> AsyncIterator[None]:
        """Yield when a fetch brought something else, and when the engine is to be looked at."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await self._changed.wait()
            self._changed.clear()
            yield

    async def keep(self) -> None:
        """Fetch at once, then at each interval and whenever that is asked for."""
        async with listen(self._nudges, LISTENER) as nudged:
            wishes = Wishes()
            while True:
                nudged.clear()  # whoever nudges while it fetches means what came after
                try:
                    wishes = await self._look(wishes, nudged)
                except NotLeadingError:
                    raise
                except StacksError as error:
                    _log.warning("the repository's row not read", message=error.message)
                    await asyncio.sleep(ASK_POLL)

    async def _look(self, before: Wishes, nudged: asyncio.Event) -> Wishes:
        """Fetch, and wait until the next look is due; what was asked when it began."""
        began = time.monotonic()
        wishes, _ = await self._row.known()
        if wishes.paused != before.paused:
            self._changed.set()
        await self._fetch()
        await self._until_due(began, nudged, wishes)
        return wishes

    async def _until_due(self, began: float, nudged: asyncio.Event, wishes: Wishes) -> None:
        """Wait for the next look; of many who ask meanwhile, one look is for all."""
        spread = self._poll * JITTER
        due = began + self._poll + random.uniform(-spread, spread)  # noqa: S311 - spreads load only
        while time.monotonic() < due:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(ASK_POLL, max(0.0, due - time.monotonic()))):
                    await nudged.wait()
            now, _ = await self._row.known()
            asked = nudged.is_set() or now.asked != wishes.asked
            if asked or self._broken or now.paused != wishes.paused:
                await asyncio.sleep(max(0.0, began + BETWEEN - time.monotonic()))
                return

    async def _fetch(self) -> None:
        """Fetch, unless a fetch that began after this call does; errors are kept, to be told."""
        ticket = self._begun
        async with self._fetching:
            if self._ended > ticket:
                return
            self._begun = number = self._begun + 1
            self._broken = False
            before = self._error
            self._error = await self._fetched()
            self._ended = number
        if self._error and self._error != before:
            _log.warning("the repository is not had", problem=self._error)

    async def _fetched(self) -> str:
        try:
            head = await self._mirror.fetch()
            await self._row.head(head)
        except (GitError, SourceError, ToolchainError, PublishFailedError) as error:
            self._changed.set()
            return error.message
        except OSError as error:
            self._changed.set()
            return f"the copy of the repository can't be written: {(error.strerror or '').lower()}"
        if self._last is None or self._last.commit != head or self._error:
            self._changed.set()
        return ""

    def _commit(self, wishes: Wishes, followed: Followed) -> tuple[str, str]:
        """Give the commit that counts, "" when there is none here, and what is the matter."""
        if (wishes.paused or self._by_asking) and self._before(followed):
            return followed.attempted, self._error
        if self._by_asking:
            return "", NOT_ASKED
        try:
            return self._mirror.head(), self._error
        except GitError as error:
            self._doubt(error)
            return "", self._error
        except NOT_NOW as error:
            return "", not_now(error)

    def _before(self, followed: Followed) -> str:
        """Give the commit that counted last, "" when there is none of these files."""
        return followed.attempted if self._row.is_of_place(followed) else ""

    def _doubt(self, error: GitError, commit: str = "") -> None:
        """Have the next fetch, which is due at once, look whether the copy is damaged."""
        fresh = partial(Readings(self._place.path).workspaces, commit=commit)
        self._mirror.doubt(fresh if commit else lambda _: None)
        self._error = f"{error.message}; what is damaged is copied anew"
        self._broken = True

    def _read(self, commit: str, followed: Followed, told: str) -> Snapshot:
        """Read a commit; where that can't be, what counted before still does."""
        if commit:
            try:
                self._last = self._readings.read(self._mirror.git, commit)
                return self._stale(self._last, told) if told else self._last
            except SourceError as error:
                told = error.message
            except GitError as error:
                told = error.message
                if commit == followed.head:  # another one may have gone with a history
                    self._doubt(error, commit)
                    told = self._error
            except NOT_NOW as error:
                told = not_now(error)
        if self._last is None and (before := self._before(followed)):
            with suppress(StacksError, OSError):
                self._last = self._readings.read(self._mirror.git, before)
        if self._last is None:
            return Snapshot(complete=False, unreadable=True, error=told or NOT_YET)
        return self._stale(self._last, told)

    def _stale(self, snapshot: Snapshot, told: str) -> Snapshot:
        return replace(snapshot, complete=False, stale=True, error=told)

    async def _guarded(self, snapshot: Snapshot, followed: Followed) -> Snapshot:
        """Keep a commit whose history does not say what it removes from removing anything."""
        try:
            told = await self._objection(snapshot, followed) if snapshot.complete else ""
        except NOT_NOW as error:
            told, snapshot = "", self._stale(snapshot, not_now(error))
        if told:
            snapshot = replace(snapshot, complete=False, error=told)
        is_news = snapshot.error not in {followed.error, NOT_YET}
        if is_news or not self._row.is_of_place(followed):
            await self._row.error(snapshot.error)
        return snapshot

    async def _objection(self, snapshot: Snapshot, followed: Followed) -> str:
        """Say what is against a commit's removing what there is, by index and engine; or ""."""
        if await asyncio.to_thread(self._follows, snapshot, followed):
            return ""
        try:
            inventory = await self._there()
        except EngineUnavailableError as error:
            return guarded.unseen(snapshot.commit, followed.base, error)
        lacking = guarded.lacking(snapshot, await self._board.rows(), inventory)
        return guarded.rewritten(snapshot.commit, followed.base, len(lacking)) if lacking else ""

    def _follows(self, snapshot: Snapshot, followed: Followed) -> bool:
        if not followed.base or not self._row.is_of_place(followed):
            return False
        return self._mirror.comes_after(snapshot.commit, followed.base)
