"""Reads what the files of commits say, each commit once. Synchronous; one thread at a time."""

import threading
from collections.abc import Mapping

from pydantic import ValidationError

from spec import WorkspaceSpec
from spec.files import FolderRead
from spec.rule_files import RuleFiles
from stacks.errors import GitError, SourceError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import comes_after
from stacks.git.reading import Readings
from stacks.planned import GONE
from stacks.review.commits import fleet
from stacks.review.model import Fleet
from state_index.models import Published

KEPT = 8
"""Commits whose files are kept."""


class Fleets:
    """The commits of one copy of a repository."""

    def __init__(self, git: Git, path: str) -> None:
        """Prepare.

        Args:
            git: The copy.
            path: The folder of workspace files.
        """
        self._git = git
        self._path = path
        self._readings = Readings(path)
        self._known: dict[str, FolderRead] = {}
        self._reading = threading.Lock()

    def at(self, commit: str) -> Fleet | None:
        """Give what a commit's files say; None of one that is not here any more, or has no folder.

        Raises:
            GitError: The copy can't be read.
        """
        try:
            return fleet(self._read(commit)) if self.has(commit) else None
        except SourceError:
            return None

    def rules(self, commit: str) -> RuleFiles:
        """Give what a commit's files of owners and rules say; none, where it is not here any more."""
        try:
            return self._read(commit).rules if self.has(commit) else RuleFiles()
        except SourceError:
            return RuleFiles()

    def has(self, commit: str) -> bool:
        """Whether the copy has a commit."""
        try:
            self._git.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    def since(self, base: str, commit: str, *, most: int) -> list[str]:
        """Name the commits that changed the folder after another one, the newest first.

        Those of merged branches are left out: their merge stands for them.
        """
        after = (f"^{base}",) if self.has(base) else ()
        limit = most if after else 1
        words = ("rev-list", "--first-parent", f"--max-count={limit}", commit, *after, "--")
        folder = (self._path.strip("/"),) if self._path.strip("/") else ()
        return self._git.run("--literal-pathspecs", *words, *folder).decode("ascii").split()

    def parent(self, commit: str) -> str:
        """Name the commit that the branch had before one; "" for none."""
        return next(iter(self._parents(commit)), "")

    def joined(self, commit: str) -> str:
        """Name the commit that a merge of two brought into the branch; "" where it is no such merge."""
        parents = self._parents(commit)
        return parents[1] if len(parents) == len(("branch", "merged")) else ""

    def _parents(self, commit: str) -> list[str]:
        return self._git.run("rev-list", "--parents", "-1", commit).decode("ascii").split()[1:]

    def is_between(self, base: str, commit: str, other: str) -> bool:
        """Whether a commit came after a base, up to another one or as that itself."""
        return comes_after(self._git, commit, other) and not comes_after(self._git, base, other)

    def message(self, commit: str) -> str:
        """Give a commit's message."""
        return self._git.run("log", "-1", "--format=%B", commit).decode("utf-8", "replace")

    def merged(self, commit: str) -> str | None:
        """Give the messages of what a merge brought; None where a commit is no merge of two."""
        parents = self._parents(commit)
        if len(parents) != len(("branch", "merged")):
            return None
        before, merged = parents
        words = ("log", "--format=%B", f"--max-count={tree.MAX_ENTRIES}", merged, f"^{before}")
        return self._git.run(*words).decode("utf-8", "replace")

    def _read(self, commit: str) -> FolderRead:
        with self._reading:
            if commit not in self._known:
                while len(self._known) >= KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[commit] = self._readings.workspaces(self._git, commit)
            return self._known[commit]


def stood(rows: Mapping[str, Published]) -> Fleet:
    """Give what stands as one side of a review. Pure."""
    found: dict[str, WorkspaceSpec] = {}
    for id_, row in rows.items():
        if row.phase not in GONE and row.spec_json:
            try:
                found[id_] = WorkspaceSpec.model_validate_json(row.spec_json)
            except ValidationError:  # of an older or newer release
                continue
    return Fleet(specs=found)
