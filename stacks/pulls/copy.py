"""What pull requests bring, beside the copy of the branch: a bare repository that may be thrown away.

It borrows the branch's objects and has none but those of pull requests. So whatever strangers send, the
copy that counts neither grows nor gets a ref of theirs. Nothing of it is checked out or run.
"""

import asyncio
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.remote import Remote
from stacks.git.transfer import size_of, transfer
from telemetry.logs import get_logger

REFS = {
    "github": "refs/pull/{number}/head",
    "gitea": "refs/pull/{number}/head",
    "gitlab": "refs/merge-requests/{number}/head",
}
"""Where a forge keeps the newest commit of a pull request."""
PLACE = "refs/pulls/"
MOST_ONE = 64 << 20
"""Bytes that one pull request may bring."""
MOST = 512 << 20
"""Bytes of all; then it is begun anew."""

PACKS = "objects/pack/pack-*"

_LEFT = ("**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/**/tmp_obj_*")


_log = get_logger(__name__)


class _State(NamedTuple):
    head: str
    packs: frozenset[Path]


class PullCopy:
    """The copy. Only the leading runner writes it, one fetch at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        branch: Path,
        remote: Remote,
        kind: str,
        timeout: float,
        most: int = MOST_ONE,
    ) -> None:
        """Prepare; nothing is touched.

        Args:
            folder: Where it is.
            branch: The copy of the branch, whose objects it borrows.
            remote: The repository.
            kind: Its forge.
            timeout: Seconds that one fetch may take.
            most: Bytes that one pull request may bring.
        """
        self._most = most
        self._folder = folder
        self._branch = branch
        self._remote = remote
        self._kind = kind
        self._timeout = timeout
        self.git = Git(folder=folder, bare=True)

    async def fetch(self, number: int) -> str:
        """Bring a pull request up to date, and give its newest commit.

        Raises:
            GitAccessError: How to log in can't be read, or is refused here.
            GitRefError: The repository shows no such pull request.
            GitError: It does not answer, refuses, broke off, or sent too much.
            ToolchainError: Git can't be started.
        """
        login = await asyncio.to_thread(self._remote.login)
        size = await asyncio.to_thread(self._prepare)
        ours, before = f"{PLACE}{number}", await asyncio.to_thread(self._state, number)
        theirs = REFS[self._kind].format(number=number)
        try:
            await transfer(
                self.git,
                *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc"),
                *("--no-write-fetch-head", "--end-of-options", self._remote.url),
                f"+{theirs}:{ours}",
                within=self._timeout,
                environment={**login.environment, "HOME": str(self._folder)},  # no .netrc there
                protocol=self._remote.scheme,
                folder=self._folder,
                most=size + self._most,
                hide=login.hidden,
            )
            await asyncio.to_thread(self._check, number, size)
        except GitError as error:
            await asyncio.to_thread(self._undo, number, before)
            if "couldn't find remote ref" in error.message:
                raise GitRefError(f"the repository shows no #{number}", step="fetch") from None
            raise
        return await asyncio.to_thread(tree.resolve, self.git, ours)

    def _check(self, number: int, before: int) -> None:
        """Refuse what came faster than its size was looked at."""
        if size_of(self._folder) > before + self._most:
            told = f"#{number} brings more than {self._most >> 20} MiB"
            raise GitError(told, step="fetch")

    def _state(self, number: int) -> _State:
        return _State(self.known(number), frozenset(self._folder.glob(PACKS)))

    def _undo(self, number: int, before: _State) -> None:
        """Throw away what a fetch brought that is refused, and nothing that others brought."""
        with suppress(GitError):
            self._clean()
            named = f"{PLACE}{number}"
            words = (named, before.head) if before.head else ("-d", named)
            self.git.run("update-ref", *words)
        for pack in set(self._folder.glob(PACKS)) - before.packs:
            pack.unlink(missing_ok=True)

    def known(self, number: int) -> str:
        """Give the commit of a pull request that was fetched last; "" for none."""
        try:
            return tree.resolve(self.git, f"{PLACE}{number}") if self._is_ours() else ""
        except GitRefError:
            return ""

    def keep(self, numbers: Collection[int]) -> None:
        """Drop the refs of all other pull requests; a copy that is damaged is thrown away.

        Raises:
            ToolchainError: Git can't be started.
        """
        if not (self._folder / "HEAD").exists():
            return
        self._clean()
        try:
            self._drop_others(numbers)
        except GitError as error:
            _log.warning("the copy of pull requests is begun anew", message=error.message)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _drop_others(self, numbers: Collection[int]) -> None:
        found = self.git.run("for-each-ref", "--format=%(refname)", PLACE).decode(
            "ascii", "replace"
        )
        kept = {f"{PLACE}{number}" for number in numbers}
        gone = [ref for ref in found.split() if ref not in kept]
        if gone:
            self.git.run(
                "update-ref", "--stdin", stdin="".join(f"delete {ref}\n" for ref in gone).encode()
            )

    def _prepare(self) -> int:
        """Make it where it is not, or is too large or not ours; give its bytes."""
        self._clean()
        size = size_of(self._folder) if self._folder.exists() else 0
        if size > MOST or not self._is_ours():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._make()
            size = size_of(self._folder)
        return size

    def _clean(self) -> None:
        """Remove what a git that was killed left: locks, and halves of what it received."""
        for pattern in _LEFT:
            for left in self._folder.glob(pattern):
                left.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        if not (self._folder / "HEAD").exists():
            return False
        try:
            told = self.git.run("config", "--local", "--default", "", "--get", "codehub.of")
        except GitError:
            return False
        return told.decode("utf-8", "replace").rstrip("\n") == self._remote.url

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True)
        self.git.run("init", "--quiet", "--bare", "--template=", "--initial-branch=none")
        borrowed = self._folder / "objects" / "info" / "alternates"
        borrowed.parent.mkdir(exist_ok=True)
        borrowed.write_text(f"{self._branch.absolute()}/objects\n", encoding="utf-8")
        self.git.run("config", "codehub.of", self._remote.url)
