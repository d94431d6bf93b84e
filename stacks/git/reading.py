"""Reads the workspace files of commits, each file once as long as its name and content are the same.

Synchronous; one thread at a time. What can't be read raises: whether something else counts instead is
for `stacks.git.source`.
"""

from collections.abc import Sequence
from dataclasses import replace

from spec.files import FolderRead, Named, is_meant, read_one, together
from spec.rule_folder import rules_in
from spec.shared import is_template, shared_in
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.source import Snapshot, snapshot_of


class Readings:
    """The readings of one folder."""

    def __init__(self, path: str) -> None:
        """Prepare.

        Args:
            path: The folder within the repository; "" for its top.
        """
        self._path = path
        self._files: dict[tuple[str, str, str], Named] = {}
        self._last: Snapshot | None = None

    def read(self, git: Git, commit: str) -> Snapshot:
        """Read a commit.

        Raises:
            GitRefError: It has no such folder.
            GitContentError: It is more than is read.
            GitError: The repository lacks something of it, or can't be read.
        """
        if self._last is None or self._last.commit != commit:
            self._last = snapshot_of(self.workspaces(git, commit), commit=commit)
        return self._last

    def files(self, git: Git, commit: str) -> FolderRead:
        """Give what a commit's files say, with all that is wrong with them; raises as `read`."""
        return self._together(git, tree.listing(git, commit, self._path))

    def workspaces(self, git: Git, commit: str) -> FolderRead:
        """Give the same without templates, which are no workspaces: nobody waits for them."""
        found = tree.listing(git, commit, self._path)
        return self._together(git, [entry for entry in found if not is_template(entry.name)])

    def _together(self, git: Git, found: Sequence[TreeEntry]) -> FolderRead:
        shared = shared_in(tree.shared_files(git, found), label=self._path)
        meant = {
            _key(entry, shared.defaults.digest): entry
            for entry in found
            if is_meant(entry.name, folder=not entry.is_file)
        }
        known = {key: self._files[key] for key in meant if key in self._files}
        news = {key: entry for key, entry in meant.items() if key not in known}
        fresh = zip(news, tree.files(git, news.values()), strict=True)
        self._files = known | {
            key: read_one(file, label=self._path, defaults=shared.defaults) for key, file in fresh
        }
        rules = rules_in(tree.rule_files(git, found), label=self._path)
        return replace(together(self._files.values(), shared), rules=rules)


def _key(entry: TreeEntry, defaults: str) -> tuple[str, str, str]:
    # The mode counts too: a link's content is a file's in git. So does what the file was filled up with.
    return entry.name, f"{entry.mode} {entry.sha}", defaults
