"""Looks at the open pull requests of the branch, and at what is held back of the branch itself.

One round at each poll, and at each nudge: a webhook's, or an approval's. What the forge does not take now
is tried again later, with growing pauses; the queue never waits for it. Whatever is the matter with one pull
request, which strangers may bring about, holds up no other one.
"""

import asyncio
import math
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC

from forges.errors import (
    CredentialsRefusedError,
    ForgeAddressError,
    ForgeError,
    ForgeUnreachableError,
    RateLimitedError,
)
from forges.forge import Forge, PullRequest, State
from stacks.board import translated
from stacks.errors import NotLeadingError, PublishFailedError, StacksError
from stacks.git.mirror import comes_after
from stacks.pulls import authors, live, posting, reviewing, saying, trailers
from stacks.pulls.desk import Desk
from stacks.pulls.facts import changed
from stacks.pulls.pauses import FORGES, LEAST, LONGEST, pause, rest
from stacks.pulls.reporting import Reports
from stacks.pulls.reviewing import Made, Shelf
from stacks.pulls.seen import Seen
from stacks.pulls.settling import Settling
from state_index.nudge import listen
from telemetry.logs import get_logger

LISTENER = "repository-pulls"
"""Nudged by whoever nudges the follower of the repository: its name begins like that one's."""

BREATH = 2.0
"""Most seconds that are rested after a review; as long as that took, so that it has half a core at most."""

KEEP_EVERY = 24 * 3600.0
"""Seconds after which what was said of open ones is marked as in use once more; it is kept for months."""

WHOLE = (RateLimitedError, ForgeAddressError)
"""What is the forge's matter rather than one pull request's."""

EITHER = (ForgeUnreachableError, CredentialsRefusedError)
"""What is either's: a stranger may bring it about at what is theirs, such as by blocking our account."""

_log = get_logger(__name__)


class Watcher:
    """The watcher of one branch's pull requests."""

    def __init__(self, desk: Desk) -> None:
        """Prepare; nothing is asked."""
        self._desk = desk
        self._seen: dict[int, Seen] = {}
        self._shelf = Shelf()
        self._reports = Reports(desk.board)
        self._failures = 0
        self._keep_again = -math.inf
        self._doubted = False

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            if self._desk.source is not None:
                settling = Settling(self._desk, self._desk.source, self._reports)
                group.create_task(settling.run())

    async def _watch(self) -> None:
        async with listen(self._desk.nudges, LISTENER) as nudged:
            while True:
                nudged.clear()
                began = time.monotonic()
                left = rest(await self._round(), took=time.monotonic() - began)
                if self._failures:  # a nudge makes no forge answer sooner
                    await asyncio.sleep(left)
                    continue
                await asyncio.sleep(LEAST)
                with suppress(TimeoutError):
                    async with asyncio.timeout(left - LEAST):
                        await nudged.wait()
                await self._look_again()

    async def _look_again(self) -> None:
        """Have the runner look, where something is held: it may be approved by now."""
        try:
            if await self._reports.held():
                await self._desk.sweep("the reviews may say otherwise")
        except NotLeadingError:
            raise
        except StacksError as error:
            _log.warning("what is held not read", message=error.message)

    async def _round(self) -> float:
        """Look at all once; the seconds until the next look."""
        try:
            async with self._desk.forge() as forge:
                await self.once(forge)
        except NotLeadingError:
            raise
        except (ForgeError, StacksError) as error:
            return self._later(error)
        except Exception as error:  # noqa: BLE001 - a bug here must not end the runner
            _log.exception("bug")
            return self._later(error)
        self._failures = 0
        return self._desk.poll

    def _later(self, error: Exception) -> float:
        self._failures += 1
        _log.warning("pull requests not looked at", message=str(error))
        return pause(error, self._failures)

    async def once(self, forge: Forge) -> None:
        """Look at all open pull requests, and tell what is held.

        Raises:
            ForgeError: The forge did not answer, or not take something.
            StacksError: The index or the copy can't be used.
        """
        try:
            await self._all(forge)
        except ForgeError:  # it may fail at one of them alone
            await self._reports.guarded(forge)
            raise
        await self._reports.guarded(forge)

    async def _all(self, forge: Forge) -> None:
        pulls = await forge.open_pulls(self._desk.place.branch)
        self._doubted = False
        self._seen = {pull.number: self._seen.get(pull.number, Seen()) for pull in pulls}
        await self._note(pulls)
        await asyncio.to_thread(self._desk.copy.keep, [pull.number for pull in pulls])
        with translated():
            followed = await asyncio.to_thread(self._desk.board.repository.followed)
        # One at which the forge failed may be the only one at which it does.
        pulls.sort(key=lambda pull: self._seen[pull.number].last)
        for pull in pulls if followed.attempted else ():
            if not self._seen[pull.number].rests(pull.head_sha, self._desk.ticks()):
                await self._guarded(forge, pull, followed.attempted)

    async def _note(self, pulls: Collection[PullRequest]) -> None:
        """Keep what is known of open ones, whatever becomes of their reviews."""
        if self._desk.ticks() >= self._keep_again:
            with translated():
                keep = self._desk.board.reviews.keep
                await asyncio.to_thread(keep, [pull.number for pull in pulls])
            self._keep_again = self._desk.ticks() + KEEP_EVERY
        for pull in pulls:
            seen = self._seen[pull.number]
            if not seen.trailer and trailers.is_in(pull.text):
                await saying.saw_trailer(self._desk.board, pull.number)
                seen.trailer = True

    async def _guarded(self, forge: Forge, pull: PullRequest, base: str) -> None:
        """Look at one; what is the matter with it alone is told, and the others are looked at."""
        seen = self._seen[pull.number]
        try:
            await self._one(forge, pull, base)
        except (NotLeadingError, PublishFailedError):
            raise
        except WHOLE:
            seen.last = True
            raise
        except EITHER as error:
            await self._unread(forge, pull, error.message, doubt=error)
        except (ForgeError, StacksError) as error:
            await self._unread(forge, pull, error.message)
        except Exception as error:  # noqa: BLE001 - what one holds may be a stranger's
            _log.exception("bug", number=pull.number)
            await self._unread(forge, pull, str(error))
        else:
            seen.goes_well()

    async def _unread(
        self, forge: Forge, pull: PullRequest, why: str, *, doubt: ForgeError | None = None
    ) -> None:
        """Have one that can't be read or told rest, and say so once for each commit.

        Args:
            forge: The forge.
            pull: The pull request.
            why: What is the matter.
            doubt: What may be the forge's matter.

        Raises:
            ForgeError: It is, by how others fared.
            PublishFailedError: The index can't be read.
        """
        seen = self._seen[pull.number]
        most = LONGEST if doubt is None else FORGES
        seen.fails(pull.head_sha, self._desk.ticks(), most=most)
        seen.last = seen.last or doubt is not None
        if seen.marked != pull.head_sha:
            _log.warning("pull request not read", number=pull.number, message=why)
            try:
                if await self._mark(forge, pull):
                    doubt = None
                seen.marked = pull.head_sha
            except (*WHOLE, *EITHER) as error:
                seen.last = True
                if isinstance(error, WHOLE):
                    raise
                doubt = doubt or error
        if doubt is not None:
            self._doubt(doubt)

    def _doubt(self, error: ForgeError) -> None:
        """Take what failed at one for the forge's matter where it did at another, and nothing went well since."""
        if self._doubted:
            raise error
        self._doubted = True

    async def _mark(self, forge: Forge, pull: PullRequest) -> bool:
        """Say by the status that a commit can't be read; whether the forge answered.

        What was said of it before still holds.
        """
        with translated():
            said = await asyncio.to_thread(self._desk.board.reviews.said, pull.number)
        if said is not None and said.head == pull.head_sha:
            return False
        try:
            told = posting.UNREADABLE
            await forge.status(
                pull.head_sha, State.ERROR, context=posting.PREVIEW, description=told
            )
        except (*WHOLE, *EITHER):
            raise
        except ForgeError as error:
            _log.warning("status not set", number=pull.number, message=error.message)
        self._doubted = False
        return True

    async def _one(self, forge: Forge, pull: PullRequest, base: str) -> None:
        seen, looker = self._seen[pull.number], self._desk.looker
        made = await self._news(pull, base, seen)
        review = made.review if made else seen.review
        if review is None:
            return  # the branch has it already
        print_ = f"{review.base} {review.head} {review.hash} {seen.trailer}"
        if looker is not None:
            print_ += f"\n{await looker.print_of(review)}"
        if seen.print == print_:
            return
        made = made or await self._made(pull, base=base, head=review.head)
        told = ""
        if looker is not None:
            facts = await looker.look(made.review, made.snapshot)
            told = live.body(made.review, facts, of=len(changed(made.review)))
        board, number = self._desk.board, pull.number
        kept = await saying.say(board, forge, number, made, told, trailer=seen.trailer)
        # It may be pushed to and back between two looks: what was not kept, or replaced, is said again.
        seen.print = print_ if kept else ""
        self._doubted = False

    async def _news(self, pull: PullRequest, base: str, seen: Seen) -> Made | None:
        """Review it, unless neither side has changed since, or the branch has it.

        A forge may call one open for a while that was merged: that nothing is left to do says nothing of
        what its merge did.
        """
        if (seen.head, seen.base) == (pull.head_sha, base):
            return None
        copy = self._desk.copy
        head = await asyncio.to_thread(copy.known, pull.number)
        if head != pull.head_sha:
            head = await copy.fetch(pull.number)
        is_in = await asyncio.to_thread(comes_after, copy.git, base, head)
        made = None if is_in else await self._made(pull, base=base, head=head)
        # Of one that was pushed to meanwhile, the next look tells more.
        seen.head, seen.base, seen.review = head, base, made.review if made else None
        return made

    async def _made(self, pull: PullRequest, *, base: str, head: str) -> Made:
        author = await authors.author(pull, kind=self._desk.kind, board=self._desk.board)
        began = time.monotonic()
        made = await asyncio.to_thread(
            reviewing.made,
            self._desk.copy.git,
            base=base,
            head=head,
            path=self._desk.place.path,
            author=author,
            today=self._desk.clock().astimezone(UTC).date(),
            reader=self._shelf,
        )
        await asyncio.sleep(min(time.monotonic() - began, BREATH))
        return made
