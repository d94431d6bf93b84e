"""Errors of what was asked for, by files or by people."""

from datetime import datetime
from typing import Any

from stacks.errors.base import PermanentError, TemporaryError


class GitError(TemporaryError):
    """Git failed: the remote does not answer, refuses, or the copy of it can't be used."""

    reason = "GIT_FAILED"
    default_remedy = "See whether `git ls-remote` of the repository answers with these credentials."


class SourceError(PermanentError):
    """The folder of workspace files is missing or unreadable."""

    reason = "SOURCE_UNREADABLE"
    default_remedy = "Give an existing folder in CODEHUB_WORKSPACES."


class GitAccessError(SourceError):
    """What a repository wants to know of who reads it can't be read, or must not be used."""

    reason = "GIT_ACCESS_REFUSED"
    default_remedy = "Mend the files that CODEHUB_REPO_... name."


class GitRefError(SourceError):
    """The repository has no such commit, branch or folder."""

    reason = "GIT_REF_UNKNOWN"
    default_remedy = "Name a commit, branch or folder that the repository has."


class GitContentError(SourceError):
    """A commit's folder is more than is read: too many files, or too much in them."""

    reason = "GIT_CONTENT_REFUSED"
    default_remedy = "Keep other files out of the folder of workspace files."


class ReviewExceededError(PermanentError):
    """A commit does more to a workspace than the reviews of its pull requests said."""

    reason = "REVIEW_EXCEEDED"
    default_remedy = "Have it approved by `codehub approve`, or change it by another commit."


class RevisionRefusedError(PermanentError):
    """Someone asked for a commit that may not count, or where none may be asked for."""

    reason = "REVISION_REFUSED"


class UnknownWorkspaceError(PermanentError):
    """No file, published row or object has that id."""

    reason = "UNKNOWN_WORKSPACE"
    default_remedy = "`codehub list` shows the workspaces there are."


class NotRunningError(PermanentError):
    """A command was to run in a workspace that is not running."""

    reason = "NOT_RUNNING"

    @classmethod
    def of(cls, workspace_id: str, state: str) -> "NotRunningError":
        """Say in which state its container is, and what helps."""
        told = f"{workspace_id} is not running" + (f": its container is {state}" if state else "")
        return cls(told, step="exec", remedy=f"Run `codehub start {workspace_id}`, then try again.")


class FileStandsError(PermanentError):
    """A workspace was to be destroyed while its file still asks for it."""

    reason = "FILE_STANDS"
    default_remedy = "Remove the file first."


class PinnedError(PermanentError):
    """The file pins the power state, so nobody else may change it."""

    reason = "PINNED_IN_GIT"
    default_remedy = "Set `state: auto` in the file."


class NothingToRetryError(PermanentError):
    """Someone asked to try again what did not fail, or what no file asks for."""

    reason = "NOTHING_TO_RETRY"
    default_remedy = (
        "`codehub status` shows what failed; `codehub up` applies the files as they are."
    )


class InvalidFileError(PermanentError):
    """The workspace's file has errors, so there is nothing to apply."""

    reason = "INVALID_FILE"
    default_remedy = "`codehub validate` shows each error with its line."


class SyncWindowError(PermanentError):
    """What the files say may not be applied now, by the sync windows.

    Attributes:
        until: When it may; None where that is not known.
    """

    reason = "SYNC_WINDOW"
    default_remedy = "It is applied by itself then; `codehub up --now ID` does not wait."
    until: datetime | None = None

    def __init__(
        self, message: str, *, step: str = "", remedy: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(message, step=step, remedy=remedy)
        self.until = until


class BadRequestError(PermanentError):
    """A call to the daemon that it does not understand."""

    reason = "BAD_REQUEST"


class NotConfirmedError(BadRequestError):
    """A home was to be purged, or adopted, by who did not give its workspace's name a second time.

    Attributes:
        owner: Who would get it, as the message says; "" where that is not the question.
    """

    reason = "NOT_CONFIRMED"
    default_remedy = "Nothing was removed. Give the id again: `codehub purge ID --confirm ID`."
    owner = ""

    def to_json(self) -> dict[str, Any]:
        """Give the error as plain values, with the owner."""
        return {**super().to_json(), "owner": self.owner}
