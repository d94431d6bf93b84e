"""Reads the workspace files of commits, each file once as long as its name and content are the same.

Synchronous; one thread at a time. What can't be read raises: whether something else counts instead is
for `stacks.git.source`.
"""

from collections.abc import Iterable
from dataclasses import replace

from spec.files import File, FolderRead, Named, is_meant, read_one, together
from spec.rule_folder import MAX_BYTES, is_rule_file, rules_in
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
        self._files: dict[tuple[str, str], Named] = {}
        self._last: Snapshot | None = None

    def read(self, git: Git, commit: str) -> Snapshot:
        """Read a commit.

        Raises:
            GitRefError: It has no such folder.
            GitContentError: It is more than is read.
            GitError: The repository lacks something of it, or can't be read.
        """
        if self._last is None or self._last.commit != commit:
            self._last = snapshot_of(self.files(git, commit), commit=commit)
        return self._last

    def files(self, git: Git, commit: str) -> FolderRead:
        """Give what a commit's files say, with all that is wrong with them; raises as `read`."""
        found = tree.entries(git, commit, self._path)
        meant = [entry for entry in found if is_meant(entry.name, folder=not entry.is_file)]
        known = {key: self._files[key] for key in map(_key, meant) if key in self._files}
        news = [entry for entry in meant if _key(entry) not in known]
        fresh = zip(news, tree.files(git, news), strict=True)
        self._files = known | {_key(entry): self._read_one(file) for entry, file in fresh}
        rules = rules_in(_rule_files(git, found), label=self._path)
        return replace(together(self._files.values()), rules=rules)

    def _read_one(self, file: File) -> Named:
        return read_one(file, label=self._path)


def _rule_files(git: Git, found: Iterable[TreeEntry]) -> list[File]:
    """Read the files of owners and rules, which may be larger than a workspace's."""
    meant = [entry for entry in found if is_rule_file(entry.name)]
    fair = [entry.sha for entry in meant if entry.is_file and entry.size <= MAX_BYTES]
    contents = tree.blobs(git, fair)
    return [
        File(name=entry.name, raw=contents[entry.sha])
        if entry.sha in contents
        else File(name=entry.name, refusal=entry.refusal or tree.TOO_LONG)
        for entry in meant
    ]


def _key(entry: TreeEntry) -> tuple[str, str]:
    # The mode counts too: a link's content is a file's in git.
    return entry.name, f"{entry.mode} {entry.sha}"
