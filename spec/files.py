"""From the files of one folder or git tree, by name and content, to what they say together. Pure.

`spec.folder` lists a folder, the runner's git source a tree; both give one `File` a name. Each is read by
itself (`spec.named`), so that a reading may be kept; what stands between files is settled here. A home
has one workspace, and a workspace one place where it is written. What stands against that is told at
all places, and nothing is done: which of them is meant can't be known.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from spec.named import (
    FOLDER_INSIDE,
    LINK,
    NOTHING_SHARED,
    SKIPPED,
    File,
    FolderRead,
    Named,
    Origin,
    Shared,
    blob,
    is_meant,
    read_one,
    read_plain,
    read_whole,
    refused,
    shown_name,
)
from spec.problems import Problem, shown
from spec.reader import SUFFIX
from spec.renames import disputes
from spec.shared import is_shared, shared_in

__all__ = [
    "FOLDER_INSIDE",
    "LINK",
    "SKIPPED",
    "File",
    "FolderRead",
    "Named",
    "Origin",
    "Shared",
    "blob",
    "is_meant",
    "read_files",
    "read_one",
    "read_plain",
    "read_whole",
    "shown_name",
    "together",
]


def read_files(files: Iterable[File], *, label: str) -> FolderRead:
    """Read the files of one folder, those beside the workspaces' included.

    Args:
        files: the files; of those in its folders of generators and templates, `spec.shared` says which.
        label: what problems call the folder.
    """
    found = list(files)
    shared = shared_in(found, label=label)
    own = (file for file in found if not is_shared(file.name))
    named = [read_one(file, label=label, defaults=shared.defaults) for file in own]
    return together(named, shared)


def together(named: Collection[Named], shared: Shared = NOTHING_SHARED) -> FolderRead:
    """Put readings together.

    Args:
        named: those of workspace files.
        shared: what was read beside them; their defaults must be those that were filled in.
    """
    read = FolderRead(
        problems=list(shared.problems), unread=shared.unread, shared_problems=shared.problems
    )
    names = {found.file for found in named}
    ordered = [_without_twin(found, names) for found in sorted(named, key=lambda one: one.file)]
    settled = _without_clash([*ordered, *shared.generated])
    for found in settled:
        _add(read, found)
    for workspace in read.specs.keys() & read.invalid.keys():
        del read.invalid[workspace]
    claims = [found.reading.claim for found in settled if found.reading.claim]
    read.formerly.update({claim.id: claim.former for claim in claims})
    files = {found.reading.spec.id: found.file for found in settled if found.reading.spec}
    _settle(read, disputes(claims, files))
    return read


def _add(read: FolderRead, found: Named) -> None:
    reading = found.reading
    if reading.spec is not None or found.stem not in read.specs:
        read.origins[found.stem] = Origin(found.file, found.place.line, found.generated)
    if found.revision:
        read.revisions[found.stem] = found.revision
    if reading.spec is not None:
        read.specs[reading.spec.id] = reading.spec
        return
    if reading.owner:
        read.owners[found.stem] = reading.owner
    if not found.told:
        read.problems.extend(reading.problems)
    read.invalid.setdefault(found.stem, []).extend(reading.problems)


def _without_twin(found: Named, names: Collection[str]) -> Named:
    """Refuse a name that differs from another's in case only: one file system would hold one."""
    folder, slash, name = found.file.rpartition("/")
    lower = name.lower()
    if name == lower or not name.endswith(SUFFIX) or f"{folder}{slash}{lower}" not in names:
        return found
    told = f"{shown(lower)} differs from this name in case only"
    reading = refused(found.file, told, "remove or rename it")
    return replace(found, reading=reading, revision="", told=False)


def _without_clash(named: list[Named]) -> list[Named]:
    """Refuse all that a generator and somebody else make, or two generators."""
    times = Counter(found.stem for found in named)
    rivals: dict[str, list[Named]] = {}
    for found in named:
        if times[found.stem] > 1:
            rivals.setdefault(found.stem, []).append(found)
    clashing = {id_ for id_, those in rivals.items() if any(one.generated for one in those)}
    return [_clash(one, rivals[one.stem]) if one.stem in clashing else one for one in named]


def _clash(found: Named, rivals: list[Named]) -> Named:
    other = next(one for one in rivals if one is not found)
    told = f"{other.file}:{other.place.line} makes {shown(found.stem)} too"
    refusal = refused(found.file, told, "a workspace is written once: remove one", found.place)
    owners = {one.reading.owner for one in rivals}
    reading = replace(
        refusal,
        owner=found.reading.owner if len(owners) == 1 else "",
        claim=found.reading.claim,
    )
    return replace(found, reading=reading, told=False)


def _settle(read: FolderRead, disputed: dict[str, list[Problem]]) -> None:
    """Take what stands against another file out of the valid ones."""
    for workspace, problems in sorted(disputed.items()):
        spec = read.specs.pop(workspace, None)
        if spec is not None:
            read.owners[workspace] = spec.owner
        read.problems.extend(problems)
        read.invalid.setdefault(workspace, []).extend(problems)
