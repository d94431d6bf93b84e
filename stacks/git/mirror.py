"""A bare copy of one branch, in the data tree. What was fetched stays readable whatever comes after.

Git itself moves the ref last, when all objects of the new commit are there and checked, so a fetch
that is cut leaves the former commit. A copy that can't be read is set aside and made anew, by a fetch
only, which holds the lock; until that succeeds nothing of it is told. One fetch runs at a time, also
of a runner that was killed: its git holds the lock with it.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from stacks.errors import GitError, GitRefError, SourceError, ToolchainError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.remote import Login, Remote
from stacks.git.transfer import transfer
from telemetry.logs import get_logger

REF = "refs/heads/followed"
"""Where the branch is here: one name, whatever it is called there."""

LOCK_EVERY = 0.1
"""Seconds between two tries for the lock."""

MOST_PACKS = 50
"""Packs that fetches may leave before they are put into one."""

_LEFT = ("**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/**/tmp_obj_*")
"""What a git leaves behind that was killed; none runs while we hold the lock."""

_NO_BRANCH = ("couldn't find remote ref", "no such ref was fetched")

_log = get_logger(__name__)


class Mirror:
    """The copy."""

    def __init__(self, folder: Path, remote: Remote, *, timeout: float) -> None:
        """Prepare; nothing is touched.

        Args:
            folder: Where it is; its parent is there.
            remote: What it is a copy of.
            timeout: Seconds that one fetch may take.
        """
        self._folder = folder
        self._remote = remote
        self._timeout = timeout
        self.git = Git(folder=folder, bare=True)
        self._doubt: Callable[[Git], object] | None = None

    def head(self) -> str:
        """Give the commit that was fetched last, "" when there is none.

        Raises:
            GitError: What there is can't be read.
        """
        if not (self._folder / "HEAD").exists() or not self._is_of_remote():
            return ""
        try:
            return tree.resolve(self.git, REF)
        except GitRefError:
            if self._is_empty():
                return ""
            raise GitError("the copy of the repository can't be read", step="read") from None

    def comes_after(self, commit: str, base: str) -> bool:
        """Whether a commit has another one among its ancestors, or is it."""
        return comes_after(self.git, commit, base)

    async def fetch(self) -> str:
        """Bring it up to date, and give the branch's commit.

        Raises:
            GitAccessError: How to log in can't be read, or is refused here.
            GitRefError: The repository has no such branch.
            GitError: It does not answer, refuses, or broke off; what was there stays.
        """
        login = await asyncio.to_thread(self._remote.login)
        async with self._locked() as lock:
            try:
                await asyncio.to_thread(self._prepare)
                await self._fetch(login, lock)
            except GitError:
                if await asyncio.to_thread(self._is_sound):
                    raise
                await asyncio.to_thread(self._set_aside)
                await asyncio.to_thread(self._make)
                await self._fetch(login, lock)
            await asyncio.to_thread(self._tidy)
            return await asyncio.to_thread(self.head)

    def doubt(self, reading: Callable[[Git], object]) -> None:
        """Say that it could not be read: the next fetch tries that again, and makes it anew if need be.

        Args:
            reading: What failed.
        """
        self._doubt = reading

    def _prepare(self) -> None:
        """Make what the fetch writes into; a copy that was doubted, and rightly, is made anew."""
        for pattern in _LEFT:
            for left in self._folder.glob(pattern):
                left.unlink(missing_ok=True)
        if self._doubt is not None and not self._is_sound(self._doubt):
            self._set_aside()
        self._doubt = None
        self._make()

    def _set_aside(self) -> None:
        """Put a copy that can't be read out of the way; the one before it goes."""
        if self._folder.exists():
            _log.warning("the copy of the repository is set aside", folder=str(self._folder))
            aside = self._folder.with_name(f"{self._folder.name}.broken")
            shutil.rmtree(aside, ignore_errors=True)
            self._folder.rename(aside)

    async def _fetch(self, login: Login, lock: int) -> None:
        try:
            await transfer(
                self.git,
                *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc"),
                *("--no-write-fetch-head", "--end-of-options", self._remote.url),
                f"+refs/heads/{self._remote.branch}:{REF}",
                within=self._timeout,
                environment={**login.environment, "HOME": str(self._folder)},  # no .netrc there
                protocol=self._remote.scheme,
                folder=self._folder,
                kept=(lock,),
                hide=login.hidden,
            )
        except GitError as error:
            told = error.message
            if any(words in told for words in _NO_BRANCH):
                # Also what git says of an answer that was cut at the right byte.
                missing = f"the repository shows no branch {self._remote.branch}"
                raise GitRefError(missing, step="fetch") from None
            raise GitError(told, step="fetch") from None

    def _tidy(self) -> None:
        """Put many small packs into one; what no branch has any more stays, for it tells of history."""
        packs = sum(1 for _ in self._folder.glob("objects/pack/*.pack"))
        if packs > MOST_PACKS:
            with suppress(GitError, ToolchainError):  # then the next fetch tries it again
                self.git.run("repack", "-a", "-d", "-k", "--quiet", timeout=self._timeout)

    def _make(self) -> None:
        """Make an empty copy where there is none, or one of another repository."""
        if (self._folder / "HEAD").exists() and self._is_of_remote():
            return
        self._set_aside()
        draft = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        made = Git(folder=draft, bare=True)
        made.run("init", "--quiet", "--bare", "--template=", "--initial-branch=followed")
        made.run("config", "codehub.of", self._name)
        draft.rename(self._folder)

    @property
    def _name(self) -> str:
        return f"{self._remote.url} {self._remote.branch}"

    def _is_of_remote(self) -> bool:
        """Whether it is of our branch, and not of another one; that can't be read is no answer."""
        told = self.git.run("config", "--local", "--default", "", "--get", "codehub.of")
        return told.decode("utf-8", "replace").rstrip("\n") == self._name

    def _is_empty(self) -> bool:
        """Whether nothing was ever fetched: no ref, in a copy that is none the worse for it."""
        try:
            return not self.git.run("for-each-ref", "--format=%(refname)").strip()
        except GitError:
            return False

    def _is_sound(self, reading: Callable[[Git], object] | None = None) -> bool:
        """Whether what was fetched last is all there, and can be read; nothing at all is."""
        try:
            if head := self.head():
                self.git.run("rev-list", "--objects", "--quiet", "--max-count=1", head)
            if head and reading is not None:
                reading(self.git)
        except GitError:
            return False
        except SourceError:  # no fault of the copy
            return True
        return True

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[int]:
        path = self._folder.with_name(f"{self._folder.name}.lock")
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._taken(lock)
            yield lock
        finally:
            os.close(lock)

    async def _taken(self, lock: int) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                while not _take(lock):  # noqa: ASYNC110 - no event tells of another process's lock
                    await asyncio.sleep(LOCK_EVERY)
        except TimeoutError:
            told = "another git is at the copy of the repository"
            raise GitError(told, step="fetch") from None


def comes_after(git: Git, commit: str, base: str) -> bool:
    """Whether a commit has another one among its ancestors, or is it; False where one is unknown."""
    if commit == base:
        return True
    try:
        git.run("merge-base", "--is-ancestor", "--end-of-options", base, commit)
    except GitError:
        return False
    return True


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
