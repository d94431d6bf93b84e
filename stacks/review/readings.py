"""Reads many workspace files of commits fast: what was read before is kept by name and blob.

A file that was right is kept in the user's cache; one that was wrong is read again, for its problems
must be those of now. What is not kept is read by the quick way of `spec.quick`, and what that
leaves, when it is much, as YAML by two processes.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from spec.defaults import NONE, Defaults
from spec.files import File, Named, read_plain, read_whole
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.review.kept import Kept

WORTH_KEEPING = 100
"""Files from which on the cache is asked: fewer are read in no time."""
WORTH_SHARING = 600
"""Files to be read as YAML from which on a second process is quicker than one."""
PROCESSES = 2
CHUNK = 100


class Readings:
    """Reads entries of folders; a `stacks.review.commits.Read`."""

    def __init__(self, cache: Path | None = None) -> None:
        """Prepare.

        Args:
            cache: Folder of what is kept; None keeps nothing.
        """
        self._cache = cache

    def __call__(
        self,
        git: Git,
        entries: Collection[TreeEntry],
        label: str,
        defaults: Defaults = NONE,
    ) -> Sequence[Named]:
        """Read entries, in their order.

        Args:
            git: The repository.
            entries: What may be workspace files.
            label: What problems call the folder.
            defaults: What counts where files say nothing.
        """
        if self._cache is None or len(entries) < WORTH_KEEPING:
            return read(git, entries, label, defaults)
        kept = Kept.load(self._cache, defaults.digest)
        known = {entry: found for entry in entries if (found := kept.get(entry, label))}
        missing = [entry for entry in entries if entry not in known]
        fresh = dict(zip(missing, read(git, missing, label, defaults), strict=True))
        kept.put(fresh.items())
        return [known.get(entry) or fresh[entry] for entry in entries]


def read(
    git: Git, entries: Collection[TreeEntry], label: str, defaults: Defaults = NONE
) -> list[Named]:
    """Read entries that may be workspace files, in their order. Args as `Readings`."""
    # One name stands for two files: that of base, and that of head.
    files = tree.files(git, entries)
    plain = [read_plain(file, label=label, defaults=defaults) for file in files]
    left = [file for file, found in zip(files, plain, strict=True) if found is None]
    many = len(left) >= WORTH_SHARING
    whole = iter((_shared if many else _whole)(left, label, defaults))
    return [found or next(whole) for found in plain]


def _whole(files: Sequence[File], label: str, defaults: Defaults) -> list[Named]:
    return [read_whole(file, label=label, defaults=defaults) for file in files]


def _shared(files: Sequence[File], label: str, defaults: Defaults) -> list[Named]:
    chunks = [(files[n : n + CHUNK], label, defaults) for n in range(0, len(files), CHUNK)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return [named for chunk in pool.map(_chunk, chunks) for named in chunk]


def _chunk(work: tuple[Sequence[File], str, Defaults]) -> list[Named]:
    return _whole(*work)
