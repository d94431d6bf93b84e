"""Reads both sides of a pull request from a local repository, without a checkout.

As forges do, what the branch changed is told by its merge base: files that others changed on base
meanwhile are not this pull request's. What it changed is then put on top of base as it is now, name
by name: that is what merging makes, and rules between files (two that claim one former id) hold
for it. A name that both changed is told as `moved`: git will ask to merge it by hand.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spec.files import File, FolderRead, Named, read_one, together
from spec.rule_files import RuleFiles
from spec.rule_folder import MAX_BYTES, is_rule_file, rules_in
from stacks.errors import GitError, GitRefError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.tree import TreeEntry
from stacks.review.model import Fleet

Read = Callable[[Git, Collection[TreeEntry], str], Sequence[Named]]
"""Reads entries of a folder: repository, entries, and what problems call the folder."""

Entries = Mapping[str, TreeEntry]


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
        changed_rules: Names beginning with `_` that the branch changes.
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


def plain(git: Git, entries: Collection[TreeEntry], label: str) -> Sequence[Named]:
    """Read each file by itself, here and now."""
    return [read_one(file, label=label) for file in tree.files(git, entries)]


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
    names = tuple(name for name in sorted(changed) if name.startswith("_"))
    known = _readings(git, [*before.entries.values(), *merged.values()], path, reader)
    return Sides(
        base=_fleet(known, before.entries, before.absent),
        head=_fleet(known, merged, after.absent if not merged else ""),
        moved=_ids(known, [merged.get(name) or before.entries[name] for name in both]),
        commits=(onto, last),
        notes=tuple(_not_yet(names)),
        rules=_rules(git, before.entries, path),
        changed_rules=names,
    )


def _not_yet(names: Sequence[str]) -> Iterable[str]:
    """Say of files that are no workspaces' that they do not count yet."""
    if names:
        yield f"changes {', '.join(names)}: that counts once it is merged, and not for this review"


def _rules(git: Git, entries: Entries, label: str) -> RuleFiles:
    meant = [entry for name, entry in entries.items() if is_rule_file(name)]
    read = [entry for entry in meant if entry.is_file and entry.size <= MAX_BYTES]
    contents = tree.blobs(git, [entry.sha for entry in read])
    files = [
        File(name=entry.name, raw=contents[entry.sha])
        if entry in read
        else File(name=entry.name, refusal=entry.refusal or tree.TOO_LONG)
        for entry in meant
    ]
    return rules_in(files, label=label)


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
        return _Folder(entries={entry.name: entry for entry in tree.entries(git, commit, path)})
    except GitRefError as error:
        return _Folder(entries={}, absent=error.message)


def _changed(one: Entries, other: Entries) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _merged(onto: Entries, last: Entries, changed: Collection[str]) -> dict[str, TreeEntry]:
    """Put what the branch changed on top of base."""
    merged = {name: entry for name, entry in onto.items() if name not in changed}
    return merged | {name: last[name] for name in changed if name in last}


def _key(entry: TreeEntry) -> tuple[str, str, str]:
    return entry.name, entry.mode, entry.sha


def _readings(
    git: Git, entries: Sequence[TreeEntry], label: str, reader: Read
) -> dict[tuple[str, str, str], Named]:
    """Read each file once, though it is on both sides."""
    wanted = {_key(entry): entry for entry in entries if tree.is_workspace(entry)}
    return dict(zip(wanted, reader(git, list(wanted.values()), label), strict=True))


def _ids(
    known: Mapping[tuple[str, str, str], Named], entries: Collection[TreeEntry]
) -> frozenset[str]:
    return frozenset(known[key].stem for entry in entries if (key := _key(entry)) in known)


def _fleet(known: Mapping[tuple[str, str, str], Named], entries: Entries, absent: str) -> Fleet:
    named = [known[key] for entry in entries.values() if (key := _key(entry)) in known]
    return fleet(together(named), absent=absent)


def fleet(found: FolderRead, *, absent: str = "") -> Fleet:
    """Give what a folder says as one side of a review."""
    return Fleet(
        specs=found.specs,
        invalid={id_: tuple(problems) for id_, problems in found.invalid.items()},
        owners=found.owners,
        formerly=found.formerly,
        revisions=found.revisions,
        absent=absent,
    )
