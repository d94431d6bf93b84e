"""What the gateway asks the runner about workspace files: the seam, and nothing behind it.

The runner alone reads and writes the repository. It says what a file holds now and whether it may
be changed here; changes go to it as edits of the index (`state_index.edits`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSeen:
    """One workspace's file, as the runner sees it now.

    Attributes:
        id: the workspace.
        text: what it holds; None when there is no such file.
        revision: the git blob of that, "" when there is none.
        commit: the commit that it was read from, "" in a folder.
        path: where it is in the repository, or the folder.
        owner: whom this version names as the owner, "" where that can't be read.
        editable: whether it may be changed here.
        reason: why not, for a person.
    """

    id: str
    text: str | None
    revision: str = ""
    commit: str = ""
    path: str = ""
    owner: str = ""
    editable: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A file that new workspaces may begin with."""

    name: str
    text: str


class Files(Protocol):
    """Who knows the files."""

    async def file(self, workspace_id: str, *, at: str = "", request_id: str) -> FileSeen:
        """Return a workspace's file.

        Args:
            workspace_id: which; any well-formed id.
            at: a revision that it had, instead of the one that it has.
            request_id: the request that asks.

        Raises:
            NotFoundError: it never had that revision; not for a file that is not there now.
            RunnerUnavailableError: the runner does not answer.
        """

    async def reasons(self, ids: Sequence[str], *, request_id: str) -> Mapping[str, str]:
        """Return why files can't be changed here, "" for those that can, by id.

        One question for all of them; what is not there is left out.

        Args:
            ids: which; well-formed.
            request_id: the request that asks.

        Raises:
            RequestError: the runner does not answer, or not to this.
        """

    async def templates(self, *, request_id: str) -> Sequence[Template]:
        """Return what new workspaces may begin with, by name; raises RunnerUnavailableError."""
