"""The values of edits, and what both places of files have in common. Plain and frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from state_index.edits import Edit

MOST_TEMPLATES = 100
"""Templates that are told; more of them nobody chooses from."""

TEMPLATES_MAX = 1 << 20
"""Bytes of all templates together."""

TEMPLATES = "_templates"
"""Folder of templates beside the workspace files."""


@dataclass(frozen=True, kw_only=True)
class FileView:
    """A workspace file as who edits it sees it.

    Attributes:
        id: The workspace.
        text: The whole file; "" where it is no text.
        revision: Its content, as git names it: the base of an edit.
        commit: The commit that it was read from; "" for a folder.
        path: Where it is, from the top of the repository, or in the folder.
        owner: Whom it names as the owner; "" where that can't be read.
        editable: Whether it can be edited here.
        reason: Why not, for a person; "" when it can.
    """

    id: str
    text: str = ""
    revision: str = ""
    commit: str = ""
    path: str = ""
    owner: str = ""
    editable: bool = True
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A file to begin with.

    Attributes:
        name: Its file's name without the suffix.
        text: The whole file.
    """

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an edit.

    Attributes:
        commit: The commit that holds it; "" in a folder.
        url: The page of its pull request; "" without one.
    """

    commit: str = ""
    url: str = ""


class Place(Protocol):
    """Where workspace files are, and can be written."""

    async def refresh(self) -> None:
        """Have the newest files here.

        Raises:
            GitError: The repository can't be asked now.
            SourceError: How to log in can't be read, or there is no such branch.
        """

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a file.

        Args:
            workspace_id: Whose.
            at: A commit, or a content of this very file as git names it; "" for the newest.

        Raises:
            UnknownWorkspaceError: It has no file.
            NoVersionError: There is no such version of it.
            GitError: It can't be read now.
        """

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited, by id; "" for one that can, nothing of one that is not there.

        Args:
            ids: Workspaces; well-formed.

        Raises:
            GitError: They can't be read now.
            SourceError: The folder can't be.
        """

    async def templates(self) -> list[Template]:
        """Give what files may begin with, by name."""

    async def make(self, edit: Edit) -> Outcome:
        """Make an edit, or find that it is made already.

        Raises:
            EditRefusedError: It is not made, and trying again does not help.
            TemporaryError: It may be made later.
            NotLeadingError: This runner may not act any more.
        """
