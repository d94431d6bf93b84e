"""What can be asked of a runner about files; part of `stacks.operator.Operator`."""

from collections.abc import Sequence
from typing import Protocol

from stacks.edits.model import FileView, Outcome, Template


class FileOperator(Protocol):
    """Reads workspace files, and brings an earlier version of one back."""

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a workspace file as it is on the newest commit that is here, or in the folder.

        Args:
            workspace_id: Whose.
            at: A commit of the branch, or a content of this file; "" for the newest.

        Raises:
            UnknownWorkspaceError: It has no file.
            NoVersionError: There is no such version of it.
            GitError: The repository can't be read now.
            SourceError: The folder can't be read.
        """

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited, by id; "" for one that can, nothing of one that is not there.

        Args:
            ids: Workspaces.

        Raises:
            GitError: They can't be read now.
            SourceError: The folder can't be.
        """

    async def templates(self) -> list[Template]:
        """Give what files may begin with, by name; errors as `file`."""

    async def rollback(
        self,
        workspace_id: str,
        *,
        to: str,
        message: str = "",
        actor: str = "",
        request_id: str = "",
    ) -> Outcome:
        """Give a file the content that it had, also one that is gone, and wait for that.

        Args:
            workspace_id: Whose.
            to: When: as `at` of `file`.
            message: Why, for the commit.
            actor: Who asks.
            request_id: For the logs and the index.

        Returns:
            Its commit or pull request; empty when the file is so already.

        Raises:
            NoVersionError: It had no file then.
            EditRefusedError: It is not made; the kind says why.
        """
