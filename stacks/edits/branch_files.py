"""Files of a branch as who edits them sees them, from the runner's copy. Reads only, and blocks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from spec.named import Origin
from stacks.edits import decide, drafts
from stacks.edits.model import MOST_TEMPLATES, TEMPLATES, FileView, Template
from stacks.edits.views import is_template, templates_of, unreadable, view
from stacks.errors import GitError, GitRefError, NoVersionError, UnknownWorkspaceError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import Mirror
from stacks.git.tree import TreeEntry
from stacks.source import SUFFIX

Origins = Callable[[], Mapping[str, Origin]]
"""Gives where each workspace was written when the runner last read the files."""


def path_of(folder: str, workspace_id: str) -> str:
    """Give the path of a workspace's file, from the top of the repository."""
    return f"{folder}/{workspace_id}{SUFFIX}" if folder else workspace_id + SUFFIX


class BranchFiles:
    """The files of the newest commit that is here, and earlier versions of them."""

    def __init__(self, mirror: Mirror, path: str, *, off: str, origins: Origins) -> None:
        """Prepare; nothing is touched.

        Args:
            mirror: The copy of the branch.
            path: The folder of workspace files, from the top.
            off: Why no file at all can be edited here; "" when they can.
            origins: Knows generated workspaces. Reading all files for an id that somebody made up
                would cost too much.
        """
        self._mirror = mirror
        self._folder = path
        self._off = off
        self._origins = origins

    def file(self, workspace_id: str, at: str) -> FileView:
        """Read a file; see `model.Place`."""
        git, head = self._mirror.git, self._head()
        path = path_of(self._folder, workspace_id)
        commit, content = drafts.version(git, head, path, at) if at else (head, "")
        if not content:
            found = self._entry(git, commit, workspace_id, at)
            if found is None:
                return self._generated(workspace_id, head, path)
            if found.refusal is not None:
                told = decide.unfit(workspace_id, found.refusal[0]).message
                return self._told(FileView(id=workspace_id, commit=commit, path=path, reason=told))
            content = found.sha
        raw = tree.blobs(git, [content])[content]
        return self._told(view(workspace_id, raw, label=self._folder, path=path, commit=commit))

    def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited; see `model.Place`."""
        git = self._mirror.git
        named = {one.name: one for one in self._entries(git, self._head())}
        found = {id_: named[id_ + SUFFIX] for id_ in ids if id_ + SUFFIX in named}
        fair = {id_: one.sha for id_, one in found.items() if one.refusal is None}
        contents = tree.blobs(git, fair.values())
        told = {id_: made for id_ in ids if id_ not in found and (made := self._made(id_))}
        for id_, one in found.items():
            if one.refusal is not None:
                told[id_] = decide.unfit(id_, one.refusal[0]).message
            else:
                told[id_] = unreadable(contents[one.sha])
        return {id_: self._off or reason for id_, reason in told.items()}

    def templates(self) -> list[Template]:
        """Give what files may begin with, by name."""
        git, folder = self._mirror.git, f"{self._folder}/{TEMPLATES}".lstrip("/")
        try:
            found = tree.entries(git, self._head(), folder)
        except GitRefError:
            return []
        fair = [one for one in found if is_template(one.name) and one.refusal is None]
        contents = tree.blobs(git, [one.sha for one in fair[:MOST_TEMPLATES]])
        return templates_of({one.name: contents[one.sha] for one in fair[:MOST_TEMPLATES]})

    def _entries(self, git: Git, commit: str) -> list[TreeEntry]:
        try:
            return tree.entries(git, commit, self._folder)
        except GitRefError:
            return []

    def _entry(self, git: Git, commit: str, workspace_id: str, at: str) -> TreeEntry | None:
        name = workspace_id + SUFFIX
        found = next((one for one in self._entries(git, commit) if one.name == name), None)
        if found is None and at:
            raise NoVersionError(f"{workspace_id} had no file at {at}", step="read")
        return found

    def _made(self, workspace_id: str) -> str:
        """Say which generator makes a workspace; "" where none does."""
        return made_by(self._origins(), workspace_id)

    def _generated(self, workspace_id: str, head: str, path: str) -> FileView:
        if not (told := self._made(workspace_id)):
            raise UnknownWorkspaceError(f"{workspace_id} has no file", step="read")
        return FileView(id=workspace_id, commit=head, path=path, editable=False, reason=told)

    def _told(self, seen: FileView) -> FileView:
        """Say whether it can be edited, and why not."""
        reason = self._off or seen.reason
        return replace(seen, editable=not reason, reason=reason)

    def _head(self) -> str:
        head = self._mirror.head()
        if not head:
            raise GitError("the repository was not asked yet", step="read")
        return head


def made_by(origins: Mapping[str, Origin], workspace_id: str) -> str:
    """Say by which generator a workspace is made; "" where it is by none."""
    origin = origins.get(workspace_id)
    if origin is None or not origin.generated:
        return ""
    return decide.generated(workspace_id, origin.file).message
