"""Makes this package's parts from the settings and a runner."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from settings.model import RunnerSettings
from stacks.bench import Bench
from stacks.board import Board, translated
from stacks.errors import ReviewExceededError
from stacks.forge import connected
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.remote import Remote
from stacks.notices.matters import Matter
from stacks.notices.model import Kind as NoticeKind
from stacks.notices.model import Notice
from stacks.pulls import judge
from stacks.pulls.binding import Binding
from stacks.pulls.brought import Origins
from stacks.pulls.copy import PullCopy
from stacks.pulls.desk import Desk, Sweep
from stacks.pulls.facts import Looker
from stacks.pulls.fleets import Fleets
from stacks.pulls.source import BoundSource
from stacks.pulls.watch import Watcher
from stacks.source import Source
from state_index.models import utc_now
from state_index.reviews import Held

if TYPE_CHECKING:
    from forges.forge import Forge
    from stacks.runner import Runner


def connect(settings: RunnerSettings) -> "Forge":
    """Make a way to the forge; its token is read anew each time, so that it can be renewed.

    Raises:
        ForgeError: Address, repository or token can't be used.
    """
    from forges.errors import CredentialsRefusedError  # noqa: PLC0415 - brings an HTTP client
    from settings.errors import SettingsError  # noqa: PLC0415

    try:
        return connected(settings)
    except SettingsError as error:
        raise CredentialsRefusedError(str(error)) from None


def place(settings: RunnerSettings) -> Place:
    """Name what is followed."""
    assert settings.repo is not None, "asked only where a repository is followed"
    return Place(settings.repo, settings.repo_branch, settings.repo_path)


def bound(settings: RunnerSettings, inner: Source, mirror: Mirror, board: Board) -> Source:
    """Hold a followed branch to its reviews, as the settings want."""
    fleets = Fleets(mirror.git, settings.repo_path)
    assert settings.forge is not None, "bound only with a forge"
    origins = Origins(
        connect=lambda: connect(settings),
        kind=settings.forge,
        branch=settings.repo_branch,
        board=board,
        fleets=fleets,
    )
    binding = Binding(
        board=board, fleets=fleets, origins=origins, place=place(settings), mode=settings.bound
    )
    return BoundSource(inner, binding)


def watcher(runner: "Runner", sweep: Sweep) -> Watcher:
    """Make what watches the pull requests of the branch that a runner follows."""
    settings = runner.settings
    assert settings.forge is not None, "asked only where pull requests are reviewed"
    source = runner.source
    return Watcher(
        Desk(
            connect=lambda: connect(settings),
            kind=settings.forge,
            place=place(settings),
            copy=PullCopy(
                settings.paths.pulls,
                branch=settings.paths.mirror,
                remote=Remote.of(settings),
                kind=settings.forge,
                timeout=settings.repo_timeout,
            ),
            board=runner.board,
            looker=_looker(runner) if settings.reviews == "live" else None,
            source=source if isinstance(source, BoundSource) else None,
            sweep=sweep,
            poll=settings.repo_poll,
            nudges=settings.paths.nudge,
        )
    )


def _looker(runner: "Runner") -> Looker:
    return Looker(
        board=runner.board,
        sight=runner.sight,
        work=runner.work,
        bench=Bench(runner.board, utc_now),
        gaps=runner.queue.gaps,
        facts=runner.facts,
        prunes=runner.settings.prunes,
    )


def wanted(board: Board) -> Callable[[], Awaitable[Iterable[Matter]]]:
    """Give what asks which approvals are wanted, for notices."""

    async def extra() -> Iterable[Matter]:
        with translated():
            return [_matter(each) for each in await asyncio.to_thread(board.reviews.holds)]

    return extra


def _matter(held: Held) -> Matter:
    notice = Notice(
        kind=NoticeKind.APPROVAL,
        workspace=held.workspace_id,
        reason=ReviewExceededError.reason,
        message=held.message,
        remedy=judge.remedy(held),
        since=held.since or utc_now(),
    )
    return Matter(notice=notice.cut(), fingerprint=held.hash, passing=held.passing)
