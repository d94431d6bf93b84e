"""The files of a branch: read from the runner's copy, written by a commit and a push.

A commit is made on what was fetched right before, judged as a whole, and pushed only if the branch is
still there. When it is not, all of that is done again: so what others push is never undone, and an
edit is always judged by what it really comes after.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Literal

from spec.files import FolderRead, blob
from stacks.edits import decide, drafts, words
from stacks.edits.branch_files import BranchFiles, Origins, path_of
from stacks.edits.decide import Present
from stacks.edits.model import FileView, Outcome, Template
from stacks.edits.pulls import Pulls
from stacks.edits.pushing import is_there, push
from stacks.edits.reads import Reads
from stacks.errors import EditsOffError, GitError, GitRefError
from stacks.fence import Fence
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import Mirror
from stacks.git.reading import Readings
from stacks.git.remote import Remote
from stacks.git.tree import TreeEntry
from stacks.source import SUFFIX
from state_index.edits import Edit

Mode = Literal["off", "commit", "pull"]

PUSHES = 20
"""As many, unless a test wants fewer."""

STILL = 2
"""Pushes in a row that are refused as overtaken though nobody was faster: a lock of a moment, or for ever."""

OFF = "files are not edited here: CODEHUB_REPO_EDITS is off"
NO_FORGE = (
    "an edit is to become a pull request, and the forge is not set: CODEHUB_FORGE, "
    "CODEHUB_FORGE_REPOSITORY and CODEHUB_FORGE_TOKEN_FILE"
)

Generators = Callable[[FolderRead, str], str]
"""Gives the file that makes a workspace, "" where it has one of its own."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How edits are written.

    Attributes:
        mode: What becomes of them.
        domain: What follows the @ in an author's address.
        path: The folder of workspace files, from the top.
        timeout: Seconds that one push may take.
        drafts: Folder in which commits are made.
        pulls: Opens pull requests; None where no forge is set.
        generators: Knows generated workspaces.
        origins: Knows those of them that the runner read last.
        pushes: Pushes in a row that others may overtake before a pause is made.
    """

    mode: Mode
    domain: str
    path: str
    timeout: float
    drafts: Path
    pulls: Pulls | None = None
    generators: Generators = FolderRead.generator
    origins: Origins = dict
    pushes: int = PUSHES

    @property
    def off(self) -> str:
        """Why no file can be edited; "" when they can."""
        if self.mode == "off":
            return OFF
        return NO_FORGE if self.mode == "pull" and self.pulls is None else ""


class Branch:
    """The files of the branch that is followed; a `model.Place`."""

    def __init__(
        self,
        mirror: Mirror,
        remote: Remote,
        ways: Ways,
        *,
        fence: Fence,
        pushed: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare; nothing is touched.

        Args:
            mirror: The copy of the branch.
            remote: What it is a copy of.
            ways: How edits are written.
            fence: Says whether this runner may act.
            pushed: Called when the branch has a commit of ours: has it looked at.
        """
        self._mirror = mirror
        self._remote = remote
        self._ways = ways
        self._fence = fence
        self._pushed = pushed
        self._readings = Readings(ways.path)
        self._reading = Lock()
        self._files = BranchFiles(mirror, ways.path, off=ways.off, origins=ways.origins)
        self._reads = Reads()

    async def refresh(self) -> None:
        """Fetch; see `Place`."""
        await self._mirror.fetch()

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a file of the newest commit that is here, or of an earlier one; see `Place`."""
        read = partial(self._files.file, workspace_id, at)
        return await self._reads.run(read, earlier=bool(at))

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited; see `Place`."""
        return await self._reads.run(partial(self._files.reasons, ids))

    async def templates(self) -> list[Template]:
        """Give what files may begin with, by name."""
        return await self._reads.run(self._files.templates)

    async def make(self, edit: Edit) -> Outcome:
        """Make an edit; see `Place`."""
        if self._ways.off:
            raise EditsOffError(self._ways.off, step="edit")
        if self._ways.pulls is None or self._ways.mode == "commit":
            return await self._on_branch(edit)
        return await self._by_pull(edit, self._ways.pulls)

    async def _on_branch(self, edit: Edit) -> Outcome:
        told, onto, still = "", "", 0
        for _ in range(self._ways.pushes):
            head = await self._mirror.fetch()
            if commit := await self._made(edit, head):
                return Outcome(commit=commit)
            still = still + 1 if head == onto else 0
            if told and still >= STILL:
                raise GitError(told, step="push")
            told, onto = await self._attempt(edit, head, self._remote.branch, onto=head), head
            if not told:
                await self._pushed()
            # Fetched once more either way: whether it is there is told by the branch, not by us.
        raise GitError("others push faster than an edit can be put on top", step="push")

    async def _made(self, edit: Edit, head: str) -> str:
        """Give the commit that holds an edit already, or that made it needless; "" for none."""
        return await asyncio.to_thread(self._made_in, edit, head)

    def _made_in(self, edit: Edit, head: str) -> str:
        git = self._mirror.git
        if commit := drafts.made_by(git, head, edit.id):
            return commit
        # Who removes means a file: where a generator makes it, there is none, and it is not gone.
        read = self._read(git, head) if edit.text is None else None
        if not decide.is_made(edit, self._present(git, head, edit.workspace_id, read)):
            return ""
        return drafts.last_change(git, head, self._path(edit.workspace_id))[0] or head

    async def _by_pull(self, edit: Edit, pulls: Pulls) -> Outcome:
        branch, base = words.pull_branch(edit), self._remote.branch
        if (found := await pulls.find(base=base, head=branch)) is not None:
            return found
        head = await self._mirror.fetch()
        if commit := await self._made(edit, head):
            return Outcome(commit=commit)
        told = await self._attempt(edit, head, branch, onto="")
        # Where its branch is there already, an earlier attempt of ours came so far.
        if told and not is_there(told):
            raise GitError(told, step="push")
        self._fence.check("pull request")
        return await pulls.open(edit, base=base, head=branch)

    async def _attempt(self, edit: Edit, head: str, branch: str, *, onto: str) -> str:
        place = self._ways.drafts
        with drafts.drafting(self._mirror.git, place) as git:
            commit = await asyncio.to_thread(self._drafted, git, edit, head)
            self._fence.check("push")
            return await push(
                git,
                self._remote,
                commit,
                branch,
                onto=onto,
                within=self._ways.timeout,
                folder=place,
            )

    def _drafted(self, git: Git, edit: Edit, head: str) -> str:
        """Write the commit, and judge the files by that very commit."""
        before = self._read(git, head)
        present = self._present(git, head, edit.workspace_id, before)
        if edit.base != present.revision:
            sha, by = drafts.last_change(git, head, self._path(edit.workspace_id))
            present = replace(present, changed_by=by, commit=sha)
        decide.check_base(edit, present)
        commit = drafts.commit_file(
            git,
            head,
            self._path(edit.workspace_id),
            decide.wanted(edit),
            message=words.message(edit),
            author=words.author(edit.actor, domain=self._ways.domain),
            committer=words.committer(domain=self._ways.domain),
            asked=edit.created_at,
        )
        after = self._after(git, commit, before)
        decide.check(edit, before, after, today=datetime.now(UTC).date())
        return commit

    def _after(self, git: Git, commit: str, before: FolderRead) -> FolderRead:
        try:
            return self._read(git, commit)
        except GitRefError:  # the last file went, and the folder with it
            return FolderRead(rules=before.rules)

    def _read(self, git: Git, commit: str) -> FolderRead:
        with self._reading:
            return self._readings.workspaces(git, commit)

    def _present(
        self, git: Git, head: str, workspace_id: str, read: FolderRead | None = None
    ) -> Present:
        found = self._entry(git, head, workspace_id + SUFFIX)
        if found is None:
            return Present(generator=self._ways.generators(read, workspace_id) if read else "")
        if found.refusal is not None:
            raise decide.unfit(workspace_id, found.refusal[0])
        content = tree.blobs(git, [found.sha])[found.sha]
        return Present(revision=blob(content))

    def _entry(self, git: Git, commit: str, name: str) -> TreeEntry | None:
        return drafts.entry(git, commit, self._ways.path, name)

    def _path(self, workspace_id: str) -> str:
        return path_of(self._ways.path, workspace_id)
