"""Errors of the state index.

    StateIndexError
    ├── IllegalTransitionError     the phase table refuses this event in this phase
    ├── StaleRowError              the row changed since the caller read it
    ├── LeaseLostError             another runner took the lease: this one must not write any more
    ├── UnknownOperationError      no intent or edit has this id
    ├── RequestRefusedError        a user's request that the index does not take
    │   ├── UnknownWorkspaceError  no such workspace is published
    │   ├── InvalidStateError      the workspace's phase does not allow it
    │   ├── EditWaitsError         another change of its file is asked for or under way
    │   ├── EditsManyError         the user has as many changes of files under way as one may
    │   └── PinnedInGitError       the file's `state:` decides, not the user
    └── IndexUnavailableError      the database can't be used now (`retryable` says if soon)
        ├── IndexBusyError         another writer holds it: try again
        ├── IndexFullError         no room left on its disk
        ├── IndexCorruptError      the file is not a sound database
        ├── IndexClosedError       it can't be read by this user, or not without writing beside it
        ├── IndexReplacedError     the file that was open is not the one that is there now
        ├── IndexSchemaError       it was written by a newer CodeHub, or is not an index
        └── IndexUrlError          the URL names no database that an index can live in

Errors of SQLAlchemy and of the driver never leave this room: `state_index.database` translates them.
"""

import os
from pathlib import Path
from typing import ClassVar


class StateIndexError(Exception):
    """Base of everything this room raises."""


class IllegalTransitionError(StateIndexError):
    """The phase table refuses an event.

    Attributes:
        phase: the phase the workspace is in.
        event: what was to happen to it.
    """

    def __init__(self, phase: str, event: str) -> None:
        super().__init__(f"{event} is not possible in phase {phase}")
        self.phase = phase
        self.event = event


class StaleRowError(StateIndexError):
    """A guarded publish found a newer row than the caller had read."""

    def __init__(self, workspace_id: str, *, expected: int, found: int) -> None:
        super().__init__(f"{workspace_id}: read at generation {expected}, now at {found}")
        self.workspace_id = workspace_id
        self.expected = expected
        self.found = found


class LeaseLostError(StateIndexError):
    """Whoever writes holds the lease no more; nothing was written.

    Attributes:
        token: the token that it held.
        found: the newest token.
        holder: who holds the lease now, or empty.
    """

    def __init__(self, token: int, *, found: int, holder: str) -> None:
        now = f"{holder} holds it with token {found}" if holder else f"nobody holds it (at {found})"
        super().__init__(f"the lease with token {token} is lost: {now}")
        self.token = token
        self.found = found
        self.holder = holder


class UnknownOperationError(StateIndexError):
    """No intent and no edit has this operation id."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"no operation {operation_id}")
        self.operation_id = operation_id


class RequestRefusedError(StateIndexError):
    """A request that is not taken; `code` is the stable code of the answer."""

    code: ClassVar[str] = "REFUSED"


class UnknownWorkspaceError(RequestRefusedError):
    """No workspace with this id is published."""

    code = "NOT_FOUND"

    def __init__(self, workspace_id: str) -> None:
        super().__init__(f"no workspace {workspace_id}")
        self.workspace_id = workspace_id


class InvalidStateError(RequestRefusedError):
    """The workspace's phase does not allow the request."""

    code = "INVALID_STATE"

    def __init__(self, phase: str, message: str) -> None:
        super().__init__(message)
        self.phase = phase


class EditWaitsError(RequestRefusedError):
    """Another change of the same file is asked for or under way.

    Attributes:
        workspace_id: whose file.
        edit_id: the other one, or empty where it came just now.
    """

    code = "EDIT_WAITS"

    def __init__(self, workspace_id: str, edit_id: str) -> None:
        super().__init__(f"{workspace_id}: another change of its file is under way; wait for it")
        self.workspace_id = workspace_id
        self.edit_id = edit_id


class EditsManyError(RequestRefusedError):
    """A user has as many changes of files open or taken as one may have at once."""

    code = "TOO_MANY_EDITS"

    def __init__(self, actor: str, number: int) -> None:
        super().__init__(f"{actor} has {number} changes under way; wait until one is done")


class PinnedInGitError(RequestRefusedError):
    """The workspace file pins the state, so a user's request does not change it."""

    code = "PINNED_IN_GIT"

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class IndexUnavailableError(StateIndexError):
    """The index can't be read or written.

    Attributes:
        retryable: True when the same call may well succeed in a moment.
    """

    retryable: ClassVar[bool] = False


class IndexBusyError(IndexUnavailableError):
    """Another writer held the database for longer than the busy timeout."""

    retryable = True


class IndexFullError(IndexUnavailableError):
    """The disk (or the quota) that the database lives on is full."""


class IndexCorruptError(IndexUnavailableError):
    """The file is no sound database; it can be rebuilt, so move it away."""


class IndexClosedError(IndexUnavailableError):
    """This process can't read the file, or not without what SQLite would have to write beside it.

    Attributes:
        hint: what helps.
    """

    def __init__(self, file: Path) -> None:
        if os.access(file, os.R_OK, effective_ids=True):
            what = (
                f"{file.name}-shm is missing or closed, and can't be made: the folder is read-only"
            )
            self.hint = f"copy {file} with its -wal to a folder that you may write, or run it there"
        else:
            what = "this user may not read it"
            self.hint = f"run the command as the user that {file} belongs to"
        super().__init__(f"the state index {file} can't be read: {what}")


class IndexReplacedError(IndexUnavailableError):
    """The file was removed, or another one is in its place; the next call opens what is there."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("the state index is not available: its file was removed or replaced")


class IndexSchemaError(IndexUnavailableError):
    """The database was written by a newer CodeHub, or belongs to something else."""


class IndexUrlError(IndexUnavailableError):
    """The URL names no database that an index can live in."""
