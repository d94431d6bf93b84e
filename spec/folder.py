"""One folder of workspace files. The only part of this room that touches the file system."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spec.errors import SourceUnreadableError
from spec.model import WorkspaceSpec
from spec.problems import Problem, printable, shown
from spec.reader import SUFFIX, Reading
from spec.reader import read as read_file
from spec.renames import Claim, disputes
from spec.text import MAX_BYTES

_SKIPPED = ("_", ".")
_OTHER_SUFFIXES = (".yaml", ".yml")


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
    """

    specs: dict[str, WorkspaceSpec] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    invalid: dict[str, list[Problem]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    formerly: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)


class _FileError(Exception):
    """A file can't be taken as a workspace file."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def read_folder(path: Path | str, *, label: str | None = None) -> FolderRead:
    """Read every workspace file of a folder; names beginning with `_` or `.` are skipped.

    Files that are not YAML by their name (a README) are skipped too.

    Args:
        path: the folder.
        label: what problems call the folder; its name by default, for they are published and
            should not tell where on this machine it is.

    Raises:
        SourceUnreadableError: the folder is missing or can't be listed.
    """
    folder = Path(path)
    names = _names(folder)
    read = FolderRead()
    claims: list[Claim] = []
    files: dict[str, str] = {}
    for name in names:
        file = printable(str(Path(folder.name if label is None else label) / name))
        found = _read(folder / name, file, read)
        claims += [found.claim] if found and found.claim else []
        files |= {found.spec.id: file} if found and found.spec else {}
    for workspace in read.specs.keys() & read.invalid.keys():
        del read.invalid[workspace]
    read.formerly.update({claim.id: claim.former for claim in claims})
    _settle(read, disputes(claims, files))
    return read


def _settle(read: FolderRead, disputed: dict[str, list[Problem]]) -> None:
    """Take what stands against another file out of the valid ones."""
    for workspace, problems in sorted(disputed.items()):
        spec = read.specs.pop(workspace, None)
        if spec is not None:
            read.owners[workspace] = spec.owner
        read.problems.extend(problems)
        read.invalid.setdefault(workspace, []).extend(problems)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if _is_meant(entry))
    except FileNotFoundError:
        raise SourceUnreadableError(
            str(folder), "the folder does not exist", "make it, or name another"
        ) from None
    except NotADirectoryError:
        raise SourceUnreadableError(str(folder), "is not a folder", "name its folder") from None
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise SourceUnreadableError(
            str(folder), f"can't be listed: {reason.lower()}", "check its owner and permissions"
        ) from None


def _is_meant(entry: os.DirEntry[str]) -> bool:
    """Whether someone may have meant it as a workspace file, also by mistake."""
    if entry.name.startswith(_SKIPPED):
        return False
    return entry.name.lower().endswith(_OTHER_SUFFIXES) or entry.is_dir(follow_symlinks=False)


def _read(path: Path, file: str, read: FolderRead) -> Reading | None:
    """Read one file into what is known; None when it can't be taken as one."""
    stem = printable(_stem(path.name))
    found = None
    try:
        _check_name(path)
        raw = _content(path)
        read.revisions[stem] = _blob(raw)
        found = read_file(raw, file=file)
    except _FileError as error:
        problems = [Problem(file, 1, 1, "", error.message, error.hint)]
    else:
        if found.spec is not None:
            read.specs[found.spec.id] = found.spec
            return found
        problems = list(found.problems)
        if found.owner:
            read.owners[stem] = found.owner
    read.problems.extend(problems)
    read.invalid.setdefault(stem, []).extend(problems)
    return found


def _check_name(path: Path) -> None:
    name = path.name
    if path.is_dir() and not path.is_symlink():
        raise _FileError("a folder inside the folder is not read", "move its files up")
    if not name.endswith(SUFFIX):
        right = _stem(name) + SUFFIX
        raise _FileError(f"the name must end in {SUFFIX}", f"rename it to {printable(right)}")
    if name != name.lower() and path.with_name(name.lower()).exists():
        raise _FileError(
            f"{shown(name.lower())} differs from this name in case only", "remove or rename it"
        )


def _stem(name: str) -> str:
    """The id that was meant: `Alice.YML` means alice, so that workspace is not taken for gone."""
    return next(_without_suffixes(name.lower()))


def _without_suffixes(name: str) -> Iterator[str]:
    for suffix in _OTHER_SUFFIXES:
        if name.endswith(suffix):
            yield name.removesuffix(suffix)
    yield name


def _content(path: Path) -> bytes:
    """Read a regular file, never through a link and never waiting for a pipe's other end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(path, error) from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor, not a path)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _FileError("is not a regular file", "put a regular file in its place")
        try:
            return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _refusal(path, error) from None


def _blob(raw: bytes) -> str:
    """The name that git gives to such a content: `git log --find-object` finds the commit."""
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _refusal(path: Path, error: OSError) -> _FileError:
    if path.is_symlink():
        return _FileError("is a symbolic link", "put the file itself here")
    reason = (error.strerror or "input/output error").lower()
    return _FileError(f"can't be read: {reason}", "check its owner and permissions")
