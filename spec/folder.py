"""One folder of workspace files. The only part of this room that touches the file system."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from spec.errors import SourceUnreadableError
from spec.files import FOLDER_INSIDE, LINK, File, FolderRead, is_meant, read_files
from spec.rule_files import RuleFiles
from spec.rule_folder import MAX_BYTES as MOST_RULE_BYTES
from spec.rule_folder import is_rule_file, rules_in
from spec.shared import FOLDERS, MOST_FILES, TOO_MANY, is_inner, is_shared, most_bytes
from spec.text import MAX_BYTES

__all__ = ["FolderRead", "files_of", "inner_names", "read_folder"]


class _FileError(Exception):
    """A file can't be taken as a workspace file."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def read_folder(path: Path | str, *, label: str | None = None) -> FolderRead:
    """Read every workspace file of a folder, and what is beside them.

    That is what they say together, generators, templates, owners and rules. All other names beginning with `_` or `.` are skipped, and files that are not YAML by their name
    (a README).

    Args:
        path: the folder.
        label: what problems call the folder; its name by default, for they are published and
            should not tell where on this machine it is.

    Raises:
        SourceUnreadableError: the folder is missing or can't be listed.
    """
    folder = Path(path)
    shown_as = folder.name if label is None else label
    names = _names(folder)
    read = read_files(_files(folder, names), label=shown_as)
    return replace(read, rules=_rules(folder, names, shown_as))


def files_of(path: Path | str) -> list[File]:
    """Take the files of a folder that `read_folder` reads, but for those of owners and rules.

    Raises:
        SourceUnreadableError: the folder is missing or can't be listed.
    """
    folder = Path(path)
    return list(_files(folder, _names(folder)))


def _files(folder: Path, names: Iterable[str]) -> Iterator[File]:
    for name in names:
        if is_rule_file(name):
            continue
        if name in FOLDERS:
            yield from _inner(folder, name)
        else:
            yield _file(folder / name, name=name, most=most_bytes(name))


def inner_names(folder: Path, name: str) -> list[str]:
    """List what is to be read of the folder of generators, or of templates.

    Args:
        folder: the folder of workspaces.
        name: the one within it.

    Raises:
        OSError: it is no folder, or can't be listed.
    """
    if not stat.S_ISDIR((folder / name).lstat().st_mode):
        raise NotADirectoryError
    with os.scandir(folder / name) as entries:
        return sorted(
            entry.name
            for entry in entries
            if is_inner(entry.name, folder=entry.is_dir(follow_symlinks=False))
        )


def _inner(folder: Path, name: str) -> Iterator[File]:
    try:
        names = inner_names(folder, name)
    except NotADirectoryError:
        yield _file(folder / name, name=name)  # what it is instead is told
        return
    except OSError as error:
        yield File(name=name, refusal=_cant_be_read(error))
        return
    if len(names) > MOST_FILES:
        yield File(name=name, refusal=TOO_MANY)
        return
    for inner in names:
        whole = f"{name}/{inner}"
        yield _file(folder / whole, name=whole, most=most_bytes(whole))


def read_rule_files(path: Path | str, *, label: str | None = None) -> RuleFiles:
    """Read the files of owners and rules of a folder only; arguments and errors as `read_folder`."""
    folder = Path(path)
    return _rules(folder, _names(folder), folder.name if label is None else label)


def _rules(folder: Path, names: Iterable[str], label: str) -> RuleFiles:
    found = (
        _file(folder / name, name=name, most=MOST_RULE_BYTES)
        for name in names
        if is_rule_file(name)
    )
    return rules_in(found, label=label)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if is_rule_file(entry.name)
                or is_shared(entry.name)
                or is_meant(entry.name, folder=entry.is_dir(follow_symlinks=False))
            )
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


def _file(path: Path, *, name: str, most: int = MAX_BYTES) -> File:
    if path.is_dir() and not path.is_symlink():
        return File(name=name, refusal=FOLDER_INSIDE)
    try:
        return File(name=name, raw=_content(path, most=most))
    except _FileError as error:
        return File(name=name, refusal=(error.message, error.hint))


def _content(path: Path, *, most: int = MAX_BYTES) -> bytes:
    """Read a regular file, never through a link and never waiting for a pipe's other end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(path, error) from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor, not a path)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _FileError("is not a regular file", "put a regular file in its place")
        try:
            return file.read(most + 1)
        except OSError as error:
            raise _refusal(path, error) from None


def _refusal(path: Path, error: OSError) -> _FileError:
    if path.is_symlink():
        return _FileError(*LINK)
    return _FileError(*_cant_be_read(error))


def _cant_be_read(error: OSError) -> tuple[str, str]:
    reason = (error.strerror or "input/output error").lower()
    return f"can't be read: {reason}", "check its owner and permissions"
