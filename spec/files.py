"""From the files of one folder or git tree, by name and content, to what it says. Pure.

`spec.folder` lists a folder, the runner's git source a tree; both give one `File` a name. A file is
read by itself (`read_one`), so that a reading may be kept as long as name and content are the same;
what stands between files (`formerly`, names that differ in case) is settled when all are there.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from spec import quick
from spec.model import WorkspaceSpec
from spec.problems import Problem, printable, shown
from spec.reader import SUFFIX, Reading
from spec.reader import read as read_file
from spec.renames import disputes
from spec.rule_files import RuleFiles

SKIPPED = ("_", ".")
"""Names that begin so are no workspaces."""
_OTHER_SUFFIXES = (".yaml", ".yml")

FOLDER_INSIDE = ("a folder inside the folder is not read", "move its files up")
LINK = ("is a symbolic link", "put the file itself here")


@dataclass(frozen=True, kw_only=True)
class File:
    """One name of a folder or tree.

    Attributes:
        name: its name; bytes that are no UTF-8 as surrogates.
        raw: its content, cut after the first byte too many; None when it was not taken.
        refusal: why it was not taken: message and hint.
    """

    name: str
    raw: bytes | None = None
    refusal: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class FolderRead:
    """What a folder says.

    Attributes:
        specs: the workspaces whose files are right, by id.
        problems: all that is wrong, by file and place.
        invalid: the problems of workspaces that have a file but no spec, by id. They must be left
            as they are: their file says that they exist.
        owners: whom invalid files name as the owner, by id, where that can be read.
        formerly: which former ids files name, by id, where that can be read: of invalid ones too.
        revisions: the content of each file that could be read, as git names it, by id.
        rules: what the files of owners and rules say, where their names were read too
            (`spec.rule_folder`); their problems are not among `problems`.
    """

    specs: dict[str, WorkspaceSpec] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    invalid: dict[str, list[Problem]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    formerly: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    rules: RuleFiles = field(default_factory=RuleFiles)


@dataclass(frozen=True, kw_only=True)
class Named:
    """What one file of a folder says.

    Attributes:
        stem: the id that was meant.
        file: what problems call the file.
        reading: what it says.
        revision: its content, as git names it; "" when it was not read.
    """

    stem: str
    file: str
    reading: Reading
    revision: str = ""


def is_meant(name: str, *, folder: bool) -> bool:
    """Whether someone may have meant a name as a workspace file, also by mistake."""
    if name.startswith(SKIPPED):
        return False
    return name.lower().endswith(_OTHER_SUFFIXES) or folder


def read_files(files: Iterable[File], *, label: str) -> FolderRead:
    """Read the files of one folder, as `read_one` and `together`. Args as there."""
    return together([read_one(file, label=label) for file in files])


def read_one(file: File, *, label: str) -> Named:
    """Read one file; what is wrong with it is in the answer.

    Args:
        file: the file.
        label: what problems call its folder.
    """
    return read_plain(file, label=label) or read_whole(file, label=label)


def read_plain(file: File, *, label: str) -> Named | None:
    """Read one file the quick way; None when it must be read as YAML. Args as `read_one`."""
    if file.raw is None or not file.name.endswith(SUFFIX):
        return None
    shown_as = _shown(file, label)
    found = quick.read(file.raw, file=shown_as)
    if found is None:
        return None
    reading = Reading(spec=found, owner=found.owner)
    return Named(stem=found.id, file=shown_as, reading=reading, revision=blob(file.raw))


def read_whole(file: File, *, label: str) -> Named:
    """Read one file as YAML. Args as `read_one`."""
    shown_as = _shown(file, label)
    stem = printable(_stem(file.name))
    if file.raw is None:
        return Named(stem=stem, file=shown_as, reading=_refused(shown_as, *file.refusal))
    revision = blob(file.raw)
    if not file.name.endswith(SUFFIX):
        right = printable(_stem(file.name) + SUFFIX)
        reading = _refused(shown_as, f"the name must end in {SUFFIX}", f"rename it to {right}")
        return Named(stem=stem, file=shown_as, reading=reading)
    reading = read_file(file.raw, file=shown_as)
    return Named(stem=stem, file=shown_as, reading=reading, revision=revision)


def _shown(file: File, label: str) -> str:
    return printable(f"{label}/{file.name}" if label else file.name)


def together(named: Collection[Named]) -> FolderRead:
    """Put the readings of one folder's files together, and settle what they say of each other."""
    read = FolderRead()
    names = {found.file for found in named}
    ordered = sorted(named, key=lambda one: one.file)
    settled = [_without_twin(found, names) for found in ordered]
    for found in settled:
        _add(read, found)
    for workspace in read.specs.keys() & read.invalid.keys():
        del read.invalid[workspace]
    claims = [found.reading.claim for found in settled if found.reading.claim]
    read.formerly.update({claim.id: claim.former for claim in claims})
    files = {found.reading.spec.id: found.file for found in settled if found.reading.spec}
    _settle(read, disputes(claims, files))
    return read


def blob(raw: bytes) -> str:
    """The name that git gives to such a content: `git log --find-object` finds the commit."""
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _add(read: FolderRead, found: Named) -> None:
    if found.revision:
        read.revisions[found.stem] = found.revision
    reading = found.reading
    if reading.spec is not None:
        read.specs[reading.spec.id] = reading.spec
        return
    if reading.owner:
        read.owners[found.stem] = reading.owner
    read.problems.extend(reading.problems)
    read.invalid.setdefault(found.stem, []).extend(reading.problems)


def _without_twin(found: Named, names: Collection[str]) -> Named:
    """Refuse a name that differs from another's in case only: one file system would hold one."""
    folder, slash, name = found.file.rpartition("/")
    lower = name.lower()
    if name == lower or not name.endswith(SUFFIX) or f"{folder}{slash}{lower}" not in names:
        return found
    told = f"{shown(lower)} differs from this name in case only"
    return replace(found, reading=_refused(found.file, told, "remove or rename it"), revision="")


def _refused(file: str, message: str, hint: str) -> Reading:
    return Reading(spec=None, problems=(Problem(file, 1, 1, "", message, hint),))


def _settle(read: FolderRead, disputed: dict[str, list[Problem]]) -> None:
    """Take what stands against another file out of the valid ones."""
    for workspace, problems in sorted(disputed.items()):
        spec = read.specs.pop(workspace, None)
        if spec is not None:
            read.owners[workspace] = spec.owner
        read.problems.extend(problems)
        read.invalid.setdefault(workspace, []).extend(problems)


def _stem(name: str) -> str:
    """The id that was meant: `Alice.YML` means alice, so that workspace is not taken for gone."""
    return next(_without_suffixes(name.lower()))


def _without_suffixes(name: str) -> Iterator[str]:
    for suffix in _OTHER_SUFFIXES:
        if name.endswith(suffix):
            yield name.removesuffix(suffix)
    yield name
