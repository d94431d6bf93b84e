"""What can be asked of a runner, whether it is this process or a daemon behind its socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import spec
from stacks.asking import Revision
from stacks.changes import WorkspaceChange
from stacks.edits.operator import FileOperator
from stacks.errors import BadRequestError, UnknownWorkspaceError
from stacks.steps import OnStep, Result

if TYPE_CHECKING:
    from stacks.gc.model import Item
    from stacks.looks import Comparison, TouchingCommit
    from stacks.streams.model import Streams

LOG_TAIL = 200
"""Lines of a log that are given when nobody says how many."""

MAX_LOG_TAIL = 5000
"""Most lines of a log that are given in one piece; more are streamed."""

REQUEST_ID = "X-Request-Id"
"""Header that carries a request's id over the daemon's socket."""


def check_tail(tail: int) -> None:
    """Refuse what is no number of lines that can be given.

    Raises:
        BadRequestError: It is not.
    """
    if not 1 <= tail <= MAX_LOG_TAIL:
        raise BadRequestError(f"tail must be 1 to {MAX_LOG_TAIL} lines")


def no_workspace(ids: str) -> UnknownWorkspaceError:
    """Give the error of workspaces that nothing is known of."""
    return UnknownWorkspaceError(f"there is no workspace {ids}")


def check_id(workspace_id: str) -> None:
    """Keep what is no id out of the engine's URLs.

    Raises:
        UnknownWorkspaceError: It is none.
    """
    try:
        spec.check_id(workspace_id)
    except spec.InvalidIdError:
        raise no_workspace(workspace_id) from None


class Operator(FileOperator, Protocol):
    """What can be asked of a runner, here or behind the daemon's socket."""

    @property
    def streams(self) -> Streams:
        """Logs as they come, and commands in workspaces."""

    async def preview(self, ids: Iterable[str] | None = None) -> list[WorkspaceChange]:
        """Tell what `up` would do, and refuse; destructive first. Nothing is changed.

        Args:
            ids: Which; all by default. One that nothing is known of is told as blocked.
        """

    async def up(
        self,
        ids: Iterable[str] | None = None,
        *,
        on_step: OnStep | None = None,
        prune: bool | None = None,
        max_delete: int | None = None,
        revision: Revision | None = None,
        now: bool = False,
        actor: str = "",
        request_id: str = "",
    ) -> list[Result]:
        """Bring workspaces to what their files say.

        Args:
            ids: Which; all by default.
            on_step: Called for each step of any workspace.
            prune: Whether those whose file is gone are removed; default: the setting.
            max_delete: Most of these that may be removed, with those of the last hour; default:
                the cap of `stacks.pruning`.
            revision: A commit of the repository that counts from now on; it is for all workspaces.
            now: Whether sync windows are not waited for.
            actor: Who asks, for the history.
            request_id: For the logs and the index; default: that of the context.

        Returns:
            One result for each, also for those that nothing is known of.

        Raises:
            RevisionRefusedError: The commit may not count.
        """

    async def destroy(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove a workspace whose file is gone; its home is kept. The arguments are those of `start`.

        Raises:
            FileStandsError: Its file is there.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def start(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Start a workspace and wait until its IDE answers.

        Args:
            workspace_id: Which.
            actor: Who asks, for the history.
            on_step: Called for each of its steps.
            request_id: For the logs and the index.

        Raises:
            PinnedError: Its file says `state: warm`.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def stop(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Stop a workspace; its home is kept. The arguments are those of `start`.

        Raises:
            PinnedError: Its file says `state: running`.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def retry(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Try again now what failed, and forget how often it did.

        Args:
            workspace_id: Which.
            actor: Who asks, for the history.
            on_step: Called for each of its steps.
            request_id: For the logs and the index.

        Raises:
            NothingToRetryError: It did not fail, or its file is gone.
            InvalidFileError: Its file has errors.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def purge(
        self,
        workspace_id: str,
        *,
        confirm: str,
        forget_missing: bool = False,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove the home of a removed workspace for good, now.

        Args:
            workspace_id: Which.
            confirm: Its id once more, as someone typed it.
            forget_missing: Whether a home that is not on this engine is taken for gone.
            actor: Who asks, for the history.
            on_step: Called for each of its steps.
            request_id: For the logs and the index.

        Raises:
            NotConfirmedError: `confirm` is another word.
            FileStandsError: Its file is there.
            NotRemovedError: Something else of it still stands.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def adopt(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        owner: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Let a home that was found again go to the owner whom its file names.

        Args:
            workspace_id: Which.
            confirm: Its id once more, as someone typed it.
            owner: Who gets it, as someone was told before; "" where nothing was told.
            actor: Who asks, for the history.
            on_step: Called for each of its steps.
            request_id: For the logs and the index.

        Raises:
            NotConfirmedError: `confirm` is another word, or the file names another owner by now; it
                says who gives and who gets.
            NothingToAdoptError: Its owner is not in question.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def new_home(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Make a new, empty home for a workspace whose home is gone.

        Args:
            workspace_id: Which.
            confirm: Its id once more, as someone typed it.
            actor: Who asks, for the history.
            on_step: Called for each of its steps.
            request_id: For the logs and the index.

        Raises:
            NotConfirmedError: `confirm` is another word; it says what is gone and what is made.
            HomeThereError: It is not missed, or may be found elsewhere.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def rebuild(
        self, *, actor: str = "", on_step: OnStep | None = None, request_id: str = ""
    ) -> list[Result]:
        """Fill an index that was lost from labels and Pulumi's state; see `stacks.rebuild`."""

    async def gc(
        self, *, remove: bool = False, only: Iterable[str] | None = None, actor: str = ""
    ) -> list[Item]:
        """Tell what is left over on the engine and in the data tree, or remove it.

        Args:
            remove: Whether it is removed. Homes never are.
            only: Keys of those that are meant, as they were told; all by default.
            actor: Who asks, for the log.

        Returns:
            Each leftover, with what became of it.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """

    async def diff(self, workspace_id: str) -> Comparison:
        """Tell what its file says, what was applied and what the engine has. Nothing is changed.

        Raises:
            SourceError: The files can't be read.
            EngineUnavailableError: The engine does not answer.
            UnknownWorkspaceError: Nothing is known of it.
        """

    async def file_commits(
        self, workspace_id: str, *, limit: int = 20, diff: bool = False
    ) -> list[TouchingCommit]:
        """Tell which commits of the followed branch touched its file, newest first; none of a folder.

        Args:
            workspace_id: Which.
            limit: Most commits.
            diff: Whether their diffs are told too.

        Raises:
            BadRequestError: So many are not told.
            GitError: The copy of the repository can't be read.
            UnknownWorkspaceError: That is no id.
        """

    async def logs(self, workspace_id: str, *, tail: int = LOG_TAIL) -> str:
        """Give the last lines that its container printed, at most `log_tail.MOST_BYTES` of them.

        Raises:
            BadRequestError: `tail` is not one of 1 to `MAX_LOG_TAIL`.
            UnknownWorkspaceError: It has no container.
        """
