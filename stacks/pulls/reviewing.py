"""Makes the review of a pull request, by the rules of the branch; its files are data. Synchronous."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from spec.defaults import NONE, Defaults
from spec.files import Named
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.review import making
from stacks.review.commits import Read, Sides
from stacks.review.model import Review
from stacks.review.readings import Readings
from stacks.source import Snapshot


@dataclass(frozen=True, kw_only=True)
class Made:
    """A review, and what the files would say."""

    review: Review
    snapshot: Snapshot


SPARE = 2000
"""Files that are kept besides those of one fleet."""


class Shelf:
    """Reads workspace files, those of the branch once for all pull requests; a `stacks.review.commits.Read`.

    One thread at a time.
    """

    def __init__(self) -> None:
        """Prepare; nothing is read."""
        self._read = Readings()
        self._kept: dict[tuple[TreeEntry, str, str], Named] = {}

    def __call__(
        self, git: Git, entries: Collection[TreeEntry], label: str, defaults: Defaults = NONE
    ) -> Sequence[Named]:
        """Read entries, in their order.

        Args:
            git: The repository.
            entries: What may be workspace files.
            label: What problems call the folder.
            defaults: What counts where files say nothing.
        """
        keys = {entry: (entry, label, defaults.digest) for entry in entries}
        missing = [entry for entry, key in keys.items() if key not in self._kept]
        fresh = dict(zip(missing, self._read(git, missing, label, defaults), strict=True))
        # What was used last stands last; two fleets, for one may have other defaults.
        found = {
            key: fresh[entry] if entry in fresh else self._kept.pop(key)
            for entry, key in keys.items()
        }
        self._kept |= found
        while len(self._kept) > 2 * len(found) + SPARE:
            self._kept.pop(next(iter(self._kept)))
        return [found[keys[entry]] for entry in entries]


def made(
    git: Git, *, base: str, head: str, path: str, author: str, today: date, reader: Read
) -> Made:
    """Review.

    Args:
        git: Has both commits.
        base: The branch's.
        head: The pull request's.
        path: The folder of workspace files.
        author: Who opened it, `forge:login`.
        today: The day by which exemptions end.
        reader: Reads files.

    Raises:
        GitRefError: There is no such commit, or nothing that both have in common.
        GitError: The copy can't be read.
    """
    review, sides = making.make(
        git, base=base, head=head, path=path, author=author, today=today, reader=reader
    )
    return Made(review=review, snapshot=_snapshot(sides))


def _snapshot(sides: Sides) -> Snapshot:
    """Give what the files would say as the runner reads them; owners and rules are the branch's."""
    after = sides.head
    return Snapshot(
        specs=after.specs,
        invalid=after.invalid,
        owners=after.owners,
        formerly=after.formerly,
        revisions=after.revisions,
        origins=after.origins,
        rules=sides.rules,
        complete=bool(after.specs) and not after.doubt,
        doubt=after.doubt,
        error=after.doubt,
        commit=sides.commits[1],
    )
