"""Tells a pull request on the forge what merging it would do: one comment, and a status of its head.

Whoever may open a pull request may have this run. So head is data: it is read from the repository here,
and nothing of it is run. Where the token may only read, as for a fork's pull request, nothing is written.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cli.failures import CliError, InputError
from cli.output import talk

if TYPE_CHECKING:
    from forges.forge import Forge, PullRequest, State
    from stacks.review.model import Review

T = TypeVar("T")

CONTEXT = "codehub/preview"
"""Name of the status: what a protected branch asks for."""

MARKER = "preview"
"""Which comment of ours it is; the runner writes into the same one."""

WITHIN = 180.0
"""Seconds for all that the forge is asked; one request has bounds of its own."""


class Post:
    """One pull request that is told. Not for more than one thread."""

    def __init__(
        self,
        forge: "Forge",
        *,
        target_url: str = "",
        dry: bool = False,
        statuses: bool = True,
        within: float = WITHIN,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            forge: the repository on its forge.
            target_url: a page that says more, for the status.
            dry: whether nothing is written.
            statuses: whether statuses are set.
            within: seconds for all requests together.
        """
        self._forge = forge
        self._target_url = target_url
        self._silent = dry
        self._statuses = statuses
        self._deadline = time.monotonic() + within
        self.refused = ""
        """Why the forge took nothing from us; "" where it did, or nothing was written."""

    def told(
        self,
        number: int,
        review: "Callable[[PullRequest], Review]",
        *,
        failing: "Callable[[Review], bool]",
    ) -> "Review":
        """Review a pull request and tell it; the review.

        Args:
            number: as people write it.
            review: compares its head with its base.
            failing: whether it must not be merged like this.

        Raises:
            ForgeError: the forge did not do what was asked.
            StacksError: it can't be reviewed.
            CliError: the forge took too long, or it is merged already.
        """
        with asyncio.Runner() as loop:
            try:
                pull = self._run(loop, self._forge.pull(number))
                if pull.merged:
                    raise InputError(f"pull request {number} is merged already")
                return self._tell(loop, pull, review, failing)
            finally:
                loop.run(self._forge.close())

    def _tell(
        self,
        loop: asyncio.Runner,
        pull: "PullRequest",
        review: "Callable[[PullRequest], Review]",
        failing: "Callable[[Review], bool]",
    ) -> "Review":
        from forges.errors import ForgeError
        from forges.forge import State
        from stacks.review import markdown, verdict

        self._run(loop, self._status(pull, State.PENDING, "is being compared with its base"))
        try:
            found = review(pull)
            self._run(loop, self._comment(pull, markdown.markdown(found)))
        except Exception as error:
            with suppress(ForgeError, CliError):
                self._run(loop, self._status(pull, State.ERROR, _failed(error)))
            raise
        state = State.FAILURE if failing(found) else State.SUCCESS
        self._run(loop, self._status(pull, state, verdict.line(found)))
        return found

    def _run(self, loop: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                return await work

        try:
            return loop.run(bounded())
        except TimeoutError:
            hint = "trying again later may help"
            raise CliError("the forge takes too long: given up", hint=hint) from None

    async def _status(self, pull: "PullRequest", state: "State", line: str) -> None:
        if not self._statuses:
            return
        await self._write(
            pull,
            lambda: self._forge.status(
                pull.head_sha,
                state,
                context=CONTEXT,
                description=line,
                target_url=self._target_url,
            ),
        )

    async def _comment(self, pull: "PullRequest", body: str) -> None:
        if self._silent:
            return
        now = await self._forge.pull(pull.number)
        if now.head_sha != pull.head_sha:
            # Whoever was pushed meanwhile has a job of its own, whose words may be there already.
            talk(f"no comment: pull request {pull.number} was pushed to meanwhile")
            return
        await self._write(
            pull,
            lambda: self._forge.comment(
                pull.number, body, marker=MARKER, section="files", head=pull.head_sha
            ),
        )

    async def _write(
        self, pull: "PullRequest", write: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Write, unless nothing is to be; of a fork's pull request the token may be for reading only."""
        if self._silent:
            return
        from forges.errors import CredentialsRefusedError, ForgeNotFoundError

        try:
            await write()
        except (CredentialsRefusedError, ForgeNotFoundError) as error:
            if not pull.from_fork:
                raise
            self.refused, self._silent = error.message, True


def _failed(error: Exception) -> str:
    """What a status says of a failure: the kind of it only; what was said is in the job's log."""
    kind = getattr(error, "reason", "") or getattr(error, "code", "")
    return f"the review failed{f' ({kind})' if kind else ''}: see the job's log"


def summarize(file: Path, body: str) -> None:
    """Leave the comment's text where the forge shows it with the job; that it can't is no failure."""
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{body}\n")
    except OSError as error:
        talk(f"no summary of the job: {(error.strerror or '').lower()}")
