"""Holds what a commit does to the reviews of the pull requests that brought it.

Reading a commit asks nobody: what is harmless goes on at once, and what might have been reviewed waits
until the forge said by which pull request it came (`settle`). What is held is kept in the index with the
commit from which on it is judged, so that neither a restart nor a further commit forgets it.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from forges.errors import ForgeError
from stacks.board import Board, translated
from stacks.errors import GitError
from stacks.git.command import NOT_NOW, not_now
from stacks.git.place import Place, place_of
from stacks.planned import GONE
from stacks.pulls import judge
from stacks.pulls.approving import refusal
from stacks.pulls.brought import Asked, NotYetError, Origins
from stacks.pulls.fleets import Fleets, stood
from stacks.pulls.hold import Hold
from stacks.pulls.judge import Brought
from stacks.review import changeset, compare
from stacks.review.changeset import ChangeSet
from stacks.review.model import Fleet, Review
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase
from state_index.repository import Followed
from state_index.reviews import Approval, Held
from telemetry.logs import get_logger

STANDS = "0" * 40
"""In place of a commit: what stands, where nobody knows of which commit it is."""

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What a judgement was made of: as long as it is the same, so is the judgement."""

    snapshot: Snapshot
    stored: tuple[str, str]
    base: str
    held: tuple[Held, ...]
    approvals: tuple[Approval, ...]
    answers: int


class Binding:
    """The bound of one followed branch."""

    def __init__(
        self, *, board: Board, fleets: Fleets, origins: Origins, place: Place, mode: str
    ) -> None:
        """Prepare; nothing is asked.

        Args:
            board: The index.
            fleets: Reads commits.
            origins: Asks the forge how commits came.
            place: Which branch and folder.
            mode: `review_bound`.
        """
        self._board = board
        self._fleets = fleets
        self._origins = origins
        self._place = place
        self._words = f"{place.branch} {place.path} {place.url}"
        self._mode = mode
        self._brought: dict[tuple[str, str], Brought] = {}
        self._answers = 0
        self._wanted: frozenset[str] = frozenset()
        self._last: tuple[_Known, Snapshot] | None = None
        self._judging = asyncio.Lock()
        self.undecided = asyncio.Event()
        """Set while it is not known of something whether it was reviewed."""

    async def bound(self, snapshot: Snapshot, *, within: float = 0.0) -> Snapshot:
        """Give a reading with what is held back of it.

        Args:
            snapshot: What was read.
            within: Seconds that the forge gets to say what it must; 0: it is not asked now.

        Raises:
            PublishFailedError: The index can't be read or written.
        """
        if not snapshot.commit:
            return snapshot
        made = await self._bound(snapshot)
        if not within:
            return made
        try:
            async with asyncio.timeout(within):
                while self.undecided.is_set() and await self._asked(snapshot):  # noqa: ASYNC110
                    await asyncio.sleep(1.0)
        except TimeoutError:
            _log.warning("not known what was reviewed", message="the forge is slow to answer")
        return await self._bound(snapshot)

    async def settle(self, snapshot: Snapshot) -> bool:
        """Ask the forge how those commits came of which that must be known; whether it told of any.

        Raises:
            ForgeError: It does not say.
            PublishFailedError: The index can't be read or written.
        """
        before = self._answers
        await self._settle(snapshot)
        return self._answers > before

    async def _asked(self, snapshot: Snapshot) -> bool:
        """Ask the forge, which may not answer; whether it is too early to believe what it says."""
        try:
            return await self._settle(snapshot)
        except ForgeError as error:
            _log.warning("not known what was reviewed", message=error.message)
            return False

    async def _bound(self, snapshot: Snapshot) -> Snapshot:
        async with self._judging:  # never held while the forge is asked
            return await self._judge(snapshot)

    async def _judge(self, snapshot: Snapshot) -> Snapshot:
        known = await self._known(snapshot)
        if self._last is not None and self._last[0] == known:
            return self._last[1]
        rows = await self._board.rows()
        try:
            found, self._wanted = await asyncio.to_thread(self._judged, known, rows)
        except NOT_NOW as error:
            raise GitError(not_now(error), step="review") from None
        # What is missing in one that does not say which workspaces there are is not removed yet; it
        # is, unseen, by the next that says it.
        commit = snapshot.commit
        base = commit if _is_settled(snapshot) or not known.base else known.base
        if found != list(known.held) or known.stored != (self._words, base):
            with translated():
                tell = partial(self._board.reviews.hold, place=self._words, commit=base)
                await asyncio.to_thread(tell, found)
            _log.info(
                "held to the reviews",
                commit=snapshot.commit,
                held=[one.workspace_id for one in found],
            )
        if self._wanted:
            self.undecided.set()
        else:
            self.undecided.clear()
        holds = {each.workspace_id: _hold(each) for each in found}
        made = replace(snapshot, holds=holds) if holds else snapshot
        stored = (self._words, base)
        self._last = (replace(known, stored=stored, base=base, held=tuple(found)), made)
        return made

    async def _known(self, snapshot: Snapshot) -> _Known:
        def read() -> _Known:
            with translated():
                told, followed = self._board.reviews, self._board.repository.followed()
                place, base = stored = told.base()
                held = told.holds() if place == self._words else []
                if place != self._words:
                    is_ours = place_of(followed) == self._place
                    base = _first(followed, snapshot.commit) if is_ours else ""
                    # Of another place nothing that was said holds: what stands is what counts.
                    base = base or (STANDS if place else "")
                return _Known(
                    snapshot=snapshot,
                    stored=stored,
                    base=base,
                    held=tuple(held),
                    approvals=tuple(told.approvals()) if held else (),
                    answers=self._answers,
                )

        return await asyncio.to_thread(read)

    def _judged(
        self, known: _Known, rows: Mapping[str, Published]
    ) -> tuple[list[Held], frozenset[str]]:
        """Say what is held back of a commit, and from which commits on the forge is to be asked.

        Where it can't be compared, nothing is said at all.

        Raises:
            GitError: The copy can't be read.
        """
        commit = known.snapshot.commit
        names = {each: self._names(each, rows) for each in known.held}
        ranges = judge.ranges(commit, known.base, known.held, names.__getitem__)
        others = frozenset(id_ for ids in ranges.values() if ids for id_ in ids)
        before = {(each.workspace_id, each.base, each.hash): each for each in known.held}
        homes = _rewritten(known.snapshot, rows)
        found: dict[str, Held] = {}
        wanted: set[str] = set()
        judged: set[str] = set()
        # What was held stays so, also when its pull request is too old to be looked at.
        firm = {each.base for each in known.held if not each.passing} - {known.base}
        for base, ids in ranges.items():
            review = self._review(base, commit, rows)
            now = judge.chosen(judge.over_homes(changeset.of(review), homes), ids, others)
            judged |= judge.harmful(now)
            mode = "all" if base in firm else self._mode
            for each in self._held(review, now, base, commit, mode=mode):
                is_so = _is_so(known.snapshot, rows.get(each.workspace_id), each.workspace_id)
                if is_so or self._is_allowed(each, known.approvals):
                    continue
                told = _as_before(each, before) if each.passing else each
                wanted |= {base} if each.passing else set()
                found.setdefault(each.workspace_id, told)
        for each in self._beside(known, rows, names, judged):
            if not self._is_allowed(each, known.approvals):
                found.setdefault(each.workspace_id, each)
        for each in () if _is_settled(known.snapshot) else known.held:
            row = rows.get(each.workspace_id)
            if not (row is not None and row.phase in GONE) and not self._is_allowed(
                each, known.approvals
            ):
                found.setdefault(each.workspace_id, each)
        return [found[id_] for id_ in sorted(found)], frozenset(wanted)

    def _review(self, base: str, commit: str, rows: Mapping[str, Published]) -> Review:
        before = self._fleets.at(base) or stood(rows)
        after = self._fleets.at(commit) or stood(rows)
        return compare.review(before, after, commits=(base, commit))

    def _names(self, held: Held, rows: Mapping[str, Published]) -> frozenset[str]:
        was = self._review(held.base, held.commit, rows)
        return judge.names_of(held.workspace_id, changeset.of(was))

    def _beside(
        self,
        known: _Known,
        rows: Mapping[str, Published],
        names: Mapping[Held, frozenset[str]],
        judged: Collection[str],
    ) -> Iterable[Held]:
        """Hold what would be done to what stands, is no part of any range, and goes with what is held.

        A workspace that is younger than a hold, and took part in it, is in neither of the two.
        """
        if not known.held:
            return
        commit = known.snapshot.commit
        review = self._review(STANDS, commit, rows)
        now = changeset.of(review)
        for worse in changeset.worse(judge.NOTHING, now):
            mine = judge.names_of(worse.id, now)
            near = [each for each, theirs in names.items() if not mine.isdisjoint(theirs)]
            if near and worse.id not in judged:
                (entry,) = (each for each in review.workspaces if each.id == worse.id)
                yield Held(
                    workspace_id=worse.id,
                    base=near[0].base,
                    commit=commit,
                    hash=changeset.of(replace(review, workspaces=(entry,))).hash,
                    message=judge.beside(worse),
                    passing=False,
                )

    def _held(
        self, review: Review, now: ChangeSet, base: str, commit: str, *, mode: str
    ) -> Iterable[Held]:
        wanted = judge.harmful(now)
        if not wanted:
            return
        brought = self._brought.get((base, commit))
        for each in review.workspaces:
            if each.id in wanted:
                hash_ = changeset.of(replace(review, workspaces=(each,))).hash
                held = Held(
                    workspace_id=each.id,
                    base=base,
                    commit=commit,
                    hash=hash_,
                    message=judge.UNDECIDED,
                    passing=True,
                )
                yield from [held] if brought is None else self._exceeding(held, now, brought, mode)

    def _exceeding(self, held: Held, now: ChangeSet, brought: Brought, mode: str) -> Iterable[Held]:
        """Say it of one workspace, where more is done to it than was reviewed."""
        mine = replace(now, workspaces={held.workspace_id: now.workspaces[held.workspace_id]})
        for found in judge.exceeded(mine, brought, mode=mode, may=partial(self._may, held)):
            yield replace(held, message=judge.message(found), passing=False)

    def _may(self, held: Held, who: str) -> bool:
        """Whether the files of owners let somebody approve, as they were before the first commit."""
        return not refusal(self._fleets, who, held)

    def _is_allowed(self, held: Held, approvals: Iterable[Approval]) -> bool:
        is_of = partial(self._fleets.is_between, held.base, held.commit)
        found = judge.allowing(held, approvals, is_of=is_of)
        return any(self._may(held, each.who) for each in found)

    async def _settle(self, snapshot: Snapshot) -> bool:
        """Ask the forge; whether it is too early to believe what it says."""
        stands = stood(await self._board.rows()) if self._wanted else Fleet()
        # All that was told of this commit: what is forgotten would be asked again, for ever.
        kept = {key: told for key, told in self._brought.items() if key[1] == snapshot.commit}
        self._brought = kept
        for base in sorted(self._wanted):
            asked = Asked(base=base, commit=snapshot.commit, stands=stands)
            try:
                brought = await self._origins.of(asked)
            except NotYetError:
                return True
            self._brought[asked.base, asked.commit] = brought
            self._answers += 1
        return False


def _is_settled(snapshot: Snapshot) -> bool:
    """Whether a commit says which workspaces there are."""
    return bool(snapshot.specs) and not snapshot.doubt


def _rewritten(snapshot: Snapshot, rows: Mapping[str, Published]) -> frozenset[str]:
    """Name the removed workspaces, whose homes are kept, that are to come back as something else."""
    return frozenset(
        id_
        for id_, row in rows.items()
        if row.phase is Phase.TOMBSTONED
        and not (
            (spec := snapshot.specs.get(id_)) is not None
            and row.spec_json == spec.model_dump_json()
        )
    )


def _first(followed: Followed, commit: str) -> str:
    """Name the commit from which on a branch is judged that never was before.

    A commit that counts by being asked for counts by now, and nothing was done for it yet.
    """
    return followed.attempted if followed.attempted != commit else followed.applied or STANDS


def _is_so(snapshot: Snapshot, row: Published | None, workspace_id: str) -> bool:
    """Whether a workspace is as the files say already: then nothing is done to it."""
    if row is None:
        return False
    spec = snapshot.specs.get(workspace_id)
    if spec is None:
        return row.phase in GONE
    return bool(row.applied_hash) and row.spec_json == spec.model_dump_json()


def _as_before(held: Held, before: Mapping[tuple[str, str, str], Held]) -> Held:
    """Give what was said of the same, until the forge says how a further commit came."""
    same = before.get((held.workspace_id, held.base, held.hash))
    return replace(same, commit=held.commit) if same else held


def _hold(held: Held) -> Hold:
    return Hold(message=held.message, remedy=judge.remedy(held), passing=held.passing)
