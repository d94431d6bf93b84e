"""Takes a range of the branch apart into what each of its commits did. Pure.

Commits that one pull request brought are one step, as its review was of all of them. Where a forge names
the last one of a rebase only, those before it belong to it if together they do just what was posted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stacks.pulls.judge import Shown
from stacks.review import changeset, compare
from stacks.review.changeset import ChangeSet
from stacks.review.model import Fleet


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit of the branch.

    Attributes:
        id: Its id.
        pulls: The pull requests by which it came.
        edited: Workspaces whose files the runner changed by it.
    """

    id: str
    pulls: tuple[Shown, ...] = ()
    edited: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Run:
    """Commits that count as one, by their places in the range: from `first` to before `end`."""

    first: int
    end: int
    pulls: tuple[Shown, ...] = ()


def done(before: Fleet, after: Fleet) -> ChangeSet:
    """Give what happened from one commit to another."""
    return changeset.of(compare.review(before, after))


def runs(commits: Sequence[Commit], fleets: Sequence[Fleet]) -> list[Run]:
    """Put together the commits that came by one pull request.

    Args:
        commits: The oldest first.
        fleets: What the files said before the first of them, and after each.
    """
    found: list[Run] = []
    for place, commit in enumerate(commits):
        first = place
        if found and commit.pulls and found[-1].pulls == commit.pulls:
            first = found.pop().first
        elif commit.pulls:
            first = _rebased(commits[:place], commit.pulls, fleets)
            del found[len(found) - (place - first) :]  # each of those is a run of its own
        found.append(Run(first=first, end=place + 1, pulls=commit.pulls))
    return found


def _rebased(before: Sequence[Commit], pulls: Collection[Shown], fleets: Sequence[Fleet]) -> int:
    """Give the place of the first commit that a pull request brought, of which its last is known."""
    place = len(before)
    said = {each.change_set.hash for each in pulls if each.change_set}
    first = place
    while said and first >= 0:
        if done(fleets[first], fleets[place + 1]).hash in said:
            return first
        if first == 0 or before[first - 1].pulls or before[first - 1].edited:
            break
        first -= 1
    return place
