"""Reads both sides of a pull request from a local repository, without a checkout.

As forges do, what the branch changed is told by its merge base: files that others changed on base
meanwhile are not this pull request's. What it changed is then put on top of base as it is now, name
by name: that is what merging makes, and rules between files (two that claim one former id) hold
for it. A name that both changed is told as `moved`: git will ask to merge it by hand.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from spec.defaults import NONE, Defaults
from spec.files import FolderRead, Named, Shared, read_one, together
from spec.rule_files import RuleFiles
from spec.rule_folder import rules_in
from spec.shared import shared_in
from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.review import fleets
from stacks.review.fleets import fleet
from stacks.review.model import Fleet

__all__ = ["Known", "Read", "Sides", "fleet", "plain", "read"]

Read = Callable[[Git, Collection[TreeEntry], str, Defaults], Sequence[Named]]
"""Reads entries of a folder: repository, entries, what problems call the folder, and defaults."""

Entries = Mapping[str, TreeEntry]
Key = tuple[str, str, str]
Known = Mapping[Defaults, Mapping[Key, Named]]
"""What was read of files, by the defaults that they were filled up with, and by name, mode and blob."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Both sides, ready to be compared.

    Attributes:
        base: What the files of base say.
        head: What they say once the branch is merged.
        moved: Workspaces whose file both changed.
        commits: Ids of base and head.
        notes: What else is to be told.
        rules: What base's files of owners and rules say.
        changed_rules: Names beginning with `_` that the branch changes and that are judged by
            themselves; defaults and generators are by the workspaces that they change.
    """

    base: Fleet
    head: Fleet
    moved: frozenset[str]
    commits: tuple[str, str]
    notes: tuple[str, ...] = ()
    rules: RuleFiles = field(default_factory=RuleFiles)
    changed_rules: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Folder:
    entries: Entries
    absent: str = ""


@dataclass(frozen=True)
class _Side:
    entries: Entries
    shared: Shared


def plain(
    git: Git, entries: Collection[TreeEntry], label: str, defaults: Defaults = NONE
) -> Sequence[Named]:
    """Read each file by itself, here and now."""
    return [read_one(file, label=label, defaults=defaults) for file in tree.files(git, entries)]


def read(git: Git, *, base: str, head: str, path: str, reader: Read = plain) -> Sides:
    """Read both sides.

    Args:
        git: The repository; it must have both commits and what they have in common.
        base: Name of the commit that would be merged onto.
        head: Name of the branch's last commit.
        path: The folder of workspace files.
        reader: Reads files.

    Raises:
        GitRefError: There is no such commit, or nothing that both have in common.
        GitError: The repository can't be read.
    """
    onto, last = tree.resolve(git, base), tree.resolve(git, head)
    before, after = _folder(git, onto, path), _folder(git, last, path)
    if before.absent and after.absent:
        raise GitRefError(
            f"neither commit has a folder {path}",
            step="read",
            remedy="Name the folder of workspace files: --path DIR.",
        )
    ancestor = _merge_base(git, onto, last)
    began = before if ancestor == onto else _folder(git, ancestor, path)
    changed = _changed(began.entries, after.entries)
    merged = _merged(before.entries, after.entries, changed)
    both = changed & _changed(began.entries, before.entries) & _changed(before.entries, merged)
    sides = [_Side(entries, _shared(git, entries, path)) for entries in (before.entries, merged)]
    known = _readings(git, sides, path, reader)
    old, new = (_read(known, side) for side in sides)
    return Sides(
        base=fleet(old, absent=before.absent),
        head=fleets.with_unread(old, fleet(new, absent=after.absent if not merged else ""), new),
        moved=_ids(known, sides[0], both) | _ids(known, sides[1], both),
        commits=(onto, last),
        notes=tuple(fleets.notes(changed, both)),
        rules=rules_in(tree.rule_files(git, before.entries.values()), label=path),
        changed_rules=fleets.changed_rules(changed),
    )


def _shared(git: Git, entries: Entries, label: str) -> Shared:
    return shared_in(tree.shared_files(git, entries.values()), label=label)


def _merge_base(git: Git, onto: str, last: str) -> str:
    try:
        found = git.run("merge-base", onto, last).decode("ascii").split()
    except GitError:
        found = []
    if not found:
        raise GitRefError(
            f"{onto[:12]} and {last[:12]} have no commit in common here",
            step="read",
            remedy="Fetch the whole history of both: a shallow clone ends before it (fetch-depth: 0).",
        )
    return found[0]


def _folder(git: Git, commit: str, path: str) -> _Folder:
    try:
        return _Folder(entries={entry.name: entry for entry in tree.listing(git, commit, path)})
    except GitRefError as error:
        return _Folder(entries={}, absent=error.message)


def _changed(one: Entries, other: Entries) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _merged(onto: Entries, last: Entries, changed: Collection[str]) -> dict[str, TreeEntry]:
    """Put what the branch changed on top of base."""
    merged = {name: entry for name, entry in onto.items() if name not in changed}
    return merged | {name: last[name] for name in changed if name in last}


def _key(entry: TreeEntry) -> Key:
    return entry.name, entry.mode, entry.sha


def _readings(git: Git, sides: Sequence[_Side], label: str, reader: Read) -> Known:
    """Read each file once, though it is on both sides, unless their defaults differ."""
    wanted: dict[Defaults, dict[Key, TreeEntry]] = {}
    for side in sides:
        meant = (entry for entry in side.entries.values() if tree.is_workspace(entry))
        wanted.setdefault(side.shared.defaults, {}).update({_key(entry): entry for entry in meant})
    return {
        defaults: dict(
            zip(entries, reader(git, list(entries.values()), label, defaults), strict=True)
        )
        for defaults, entries in wanted.items()
    }


def _read(known: Known, side: _Side) -> FolderRead:
    read = known[side.shared.defaults]
    named = [read[key] for entry in side.entries.values() if (key := _key(entry)) in read]
    return together(named, side.shared)


def _ids(known: Known, side: _Side, names: Collection[str]) -> frozenset[str]:
    read = known[side.shared.defaults]
    keys = [_key(side.entries[name]) for name in names if name in side.entries]
    return frozenset(read[key].stem for key in keys if key in read)
