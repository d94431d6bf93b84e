"""Asks the forge by which pull requests commits came, and looks up what was said of them.

The forge is believed about that, as it could as well push; no text of a commit or a pull request is.
What each commit did is put beside it, so that nobody answers for what another commit did.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from forges.forge import Forge, PullRequest
from stacks.board import Board, translated
from stacks.pulls import steps, trailers
from stacks.pulls.fleets import Fleets
from stacks.pulls.judge import Brought, Shown, Step
from stacks.pulls.steps import Commit
from stacks.review.changeset import ChangeSet
from stacks.review.model import Fleet

MOST_COMMITS = 50
"""Commits of one range that are looked at one by one; what is older counts as brought by nobody."""
MOST_REMEMBERED = 500
GRACE = 5.0
"""Seconds in which a forge may not know yet of a merge whose push it told us of."""


class NotYetError(Exception):
    """The forge names no pull request of a commit, and it is too early to believe that."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The commits after one, up to another.

    Attributes:
        base: The one.
        commit: The other.
        stands: What stands, where base is not here any more.
    """

    base: str
    commit: str
    stands: Fleet = field(default_factory=Fleet)


class Origins:
    """How commits of one branch came."""

    def __init__(
        self,
        *,
        connect: Callable[[], Forge],
        kind: str,
        branch: str,
        board: Board,
        fleets: Fleets,
        grace: float = GRACE,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            connect: Makes a way to the forge, which is closed again.
            kind: Which forge, as logins are named after it.
            branch: The branch.
            board: The index.
            fleets: Reads commits.
            grace: Seconds until it is believed that a commit came by no pull request.
        """
        self._grace = grace
        self._first: dict[str, float] = {}
        self._connect = connect
        self._kind = kind
        self._branch = branch
        self._board = board
        self._fleets = fleets
        self._known: dict[str, tuple[PullRequest, ...]] = {}

    async def of(self, asked: Asked) -> Brought:
        """Say how commits came.

        Raises:
            ForgeError: The forge does not say.
            NotYetError: It names no pull request, and may do so in a moment.
            GitError: The copy can't be read.
            PublishFailedError: The index can't be read.
        """
        commits = await asyncio.to_thread(
            self._fleets.since, asked.base, asked.commit, most=MOST_COMMITS
        )
        found: dict[str, tuple[PullRequest, ...]] = {}
        forge = self._connect()
        try:
            for commit in reversed(commits):
                found[commit] = await self._merged(forge, commit)
        finally:
            await forge.close()
        edited = await asyncio.to_thread(self._edited, commits)
        pushed = [each for each in commits if not found[each] and each not in edited]
        if pushed and self._is_early(asked.commit):
            raise NotYetError
        return await asyncio.to_thread(self._brought, asked, found, edited)

    def _edited(self, commits: Collection[str]) -> dict[str, frozenset[str]]:
        with translated():
            return self._board.reviews.edited(commits)

    def _is_early(self, commit: str) -> bool:
        now = time.monotonic()
        if commit not in self._first:
            self._first = {commit: now}  # the newest alone is asked of
        return now - self._first[commit] < self._grace

    async def _merged(self, forge: Forge, commit: str) -> tuple[PullRequest, ...]:
        """Give the merged pull requests of a commit into the branch; what is merged stays so."""
        if commit not in self._known:
            told = await forge.pulls_of_commit(commit)
            kept = tuple(each for each in told if each.merged and each.base_ref == self._branch)
            if not kept:
                return ()  # it may say so a moment later
            while len(self._known) >= MOST_REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[commit] = kept
        return self._known[commit]

    def _brought(
        self,
        asked: Asked,
        pulls: Mapping[str, tuple[PullRequest, ...]],
        edited: Mapping[str, frozenset[str]],
    ) -> Brought:
        """Tell what each commit did, and before them what can't be told of single ones."""
        commits = [
            Commit(
                id=id_,
                pulls=tuple(self._shown(each, id_) for each in told),
                edited=edited.get(id_, frozenset()),
            )
            for id_, told in pulls.items()
        ]
        first = self._fleets.parent(commits[0].id) if commits else asked.commit
        fleets = [self._at(each) for each in (first, *pulls)]
        before = self._fleets.at(asked.base) or asked.stands
        found = [Step(commit="", changes=steps.done(before, fleets[0]))]
        for run in steps.runs(commits, fleets):
            mine = commits[run.first : run.end]
            last = mine[-1]
            # Of a file that was wrong before, it can't be told what the edit changed.
            edited_well = last.edited - fleets[run.first].invalid.keys()
            found.append(
                Step(
                    commit=last.id,
                    changes=steps.done(fleets[run.first], fleets[run.end]),
                    pulls=run.pulls,
                    vouched=edited_well if len(mine) == 1 else frozenset(),
                    approved=self._approvals(pulls[last.id], last.id) if len(mine) == 1 else (),
                )
            )
        return Brought(steps=tuple(each for each in found if each.changes.workspaces))

    def _at(self, commit: str) -> Fleet:
        """Give what the files of a commit between said; where it can't be read, that all went."""
        return (self._fleets.at(commit) if commit else None) or Fleet()

    def _approvals(
        self, pulls: Collection[PullRequest], commit: str
    ) -> tuple[tuple[str, frozenset[str]], ...]:
        found = (self._approved(each) for each in pulls if each.merge_sha == commit)
        return tuple(each for each in found if each is not None)

    def _shown(self, pull: PullRequest, commit: str) -> Shown:
        """Give what was said of what a commit brought.

        A merge names itself what it merged; what a forge calls the head may have been pushed to since.
        """
        with translated():
            said = self._board.reviews.said(pull.number)
        head = (self._fleets.joined(commit) if commit == pull.merge_sha else "") or pull.head_sha
        known = None
        if said is not None and said.head == head:
            try:
                known = ChangeSet.from_json(said.change_set)
            except ValueError:  # of another release
                known = None
        return Shown(number=pull.number, head=head, change_set=known)

    def _approved(self, pull: PullRequest) -> tuple[str, frozenset[str]] | None:
        """Give whom the forge names as the merger, and what the merge's trailer allows."""
        if not pull.merged_by or pull.merge_sha is None:
            return None
        with translated():
            said = self._board.reviews.said(pull.number)
        if said is None or said.trailer:
            return None  # what it said while it was open is not known, or was the trailer
        theirs = self._fleets.merged(pull.merge_sha)
        if theirs is None:
            return None  # of a squash, which words are whose can't be told
        message = self._fleets.message(pull.merge_sha)
        found = trailers.approved(message, theirs=f"{pull.text}\n{theirs}")
        return (f"{self._kind}:{pull.merged_by}", found) if found else None
