"""A commit that changes one file, made without a checkout, in objects of its own.

What is made for an edit lies in a folder that goes with it, over the objects of the mirror: an edit
that is refused leaves nothing in the mirror, and whoever fetches meanwhile is not disturbed. Only the
folders on the way to the file are written anew; all other entries stay as they are, byte for byte.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from spec.text import MAX_BYTES
from stacks.edits.words import OPERATION, Signature
from stacks.errors import GitError, GitRefError, NoVersionError
from stacks.git import tree
from stacks.git.command import Git
from stacks.git.mirror import comes_after
from stacks.git.tree import FILE_MODES, TreeEntry
from telemetry.words import printable

PREFIX = "edit-"

NEWEST = 2000
"""Commits of a branch among which an edit is looked for: it was made a moment ago, if it was."""

_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}([~^][0-9]{0,6}){0,8}")
"""A commit's id or name, with its ancestors; git knows more, such as searches, that cost much."""
_PLAIN = "100644"
_FOLDER = "040000"

_Lines = dict[bytes, bytes]
"""Lines of `ls-tree -z`, by name."""


@contextmanager
def drafting(mirror: Git, place: Path) -> Iterator[Git]:
    """Give the mirror's repository, with a place of its own for what is written.

    Args:
        mirror: The repository.
        place: Folder for that; what a runner that was killed left there goes.
    """
    folder = Path(mkdtemp(prefix=PREFIX, dir=place))
    try:
        objects = folder / "objects"
        objects.mkdir()
        extra = {
            **mirror.extra,
            "GIT_OBJECT_DIRECTORY": str(objects.absolute()),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(mirror.folder.absolute() / "objects"),
        }
        yield replace(mirror, extra=extra)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Make the place of drafts, and remove what a former runner left there."""
    place.mkdir(mode=0o700, exist_ok=True)
    for left in place.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _quoted(path: Path) -> str:
    """Quote a path for a list that is separated by colons."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def entry(git: Git, commit: str, folder: str, name: str) -> TreeEntry | None:
    """Give one name of a commit's folder; None where there is none.

    Raises:
        GitRefError: There is no such folder.
    """
    return next((one for one in tree.entries(git, commit, folder) if one.name == name), None)


def commit_file(
    git: Git,
    parent: str,
    path: str,
    content: bytes | None,
    *,
    message: str,
    author: Signature,
    committer: Signature,
    asked: datetime,
) -> str:
    """Write a commit that changes one file, and give its id.

    Args:
        git: A draft's repository.
        parent: The commit that it comes after.
        path: The file, from the top.
        content: Its whole content; None removes it.
        message: The commit's message.
        author: Who made the change.
        committer: Who commits it.
        asked: When it was made.

    Raises:
        GitRefError: Something on the way to the file is no folder.
        GitError: Git refuses.
    """
    blob = None
    if content is not None:
        made = git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
        blob = made.decode("ascii").strip()
    root = git.run("rev-parse", "--verify", "--end-of-options", f"{parent}^{{tree}}")
    parts = [part.encode() for part in path.split("/") if part]
    made_tree = _with(git, root.decode("ascii").strip(), parts, blob)
    signed = replace(git, extra={**git.extra, **_signatures(author, committer, asked)})
    words = ("commit-tree", "-p", parent, "-F", "-", made_tree or _empty(git))
    return signed.run(*words, stdin=message.encode()).decode("ascii").strip()


def _signatures(author: Signature, committer: Signature, asked: datetime) -> Mapping[str, str]:
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": f"{int(asked.timestamp())} +0000",
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
        "GIT_COMMITTER_DATE": f"{int(datetime.now(UTC).timestamp())} +0000",
    }


def _with(git: Git, folder: str | None, parts: list[bytes], blob: str | None) -> str | None:
    """Write a folder anew with a file in it, or without; None for one that is empty then."""
    lines = _lines(git, folder) if folder else {}
    name, rest = parts[0], parts[1:]
    if not rest:
        made, mode, kind = blob, _mode_of(lines.get(name)), "blob"
    else:
        made, mode, kind = (
            _with(git, _folder_of(lines.get(name), name), rest, blob),
            _FOLDER,
            "tree",
        )
    lines.pop(name, None)
    if made is not None:
        lines[name] = f"{mode} {kind} {made}\t".encode() + name
    return _written(git, lines) if lines else None


def _lines(git: Git, folder: str) -> _Lines:
    listed = git.run("ls-tree", "-z", "--end-of-options", folder).split(b"\0")[:-1]
    return {line.partition(b"\t")[2]: line for line in listed}


def _mode_of(line: bytes | None) -> str:
    """Keep a file's mode; what is none becomes a plain file."""
    mode = line.partition(b" ")[0].decode("ascii", "replace") if line else _PLAIN
    return mode if mode in FILE_MODES else _PLAIN


def _folder_of(line: bytes | None, name: bytes) -> str | None:
    if line is None:
        return None
    mode, _, rest = line.partition(b"\t")[0].decode("ascii", "replace").partition(" ")
    if mode != _FOLDER:
        told = f"{name.decode('utf-8', 'replace')!a} is not a folder"
        raise GitRefError(told, step="edit")
    return rest.partition(" ")[2]


def _written(git: Git, lines: _Lines) -> str:
    out = git.run("mktree", "-z", stdin=b"".join(line + b"\0" for line in lines.values()))
    return out.decode("ascii").strip()


def _empty(git: Git) -> str:
    return git.run("mktree", "-z").decode("ascii").strip()


def made_by(git: Git, head: str, edit_id: str) -> str:
    """Give the commit of an edit among the newest ones of a branch; "" where it is not there.

    A push that was cut after the server took it looks like one that failed.
    """
    form = f"--format=%H %(trailers:key={OPERATION},valueonly,separator=%x2C)"
    told = git.run("log", f"--max-count={NEWEST}", form, "--end-of-options", head)
    for line in told.decode("utf-8", "replace").splitlines():
        sha, _, found = line.partition(" ")
        if edit_id in found.split(","):
            return sha
    return ""


def last_change(git: Git, head: str, path: str) -> tuple[str, str]:
    """Give the commit that changed a file last, and its author's name; both "" where there is none."""
    words = ("log", "--max-count=1", "--format=%H %an", "--end-of-options", head, "--", path)
    line = _literally(git).run(*words).decode("utf-8", "replace").strip()
    sha, _, name = line.partition(" ")
    return sha, printable(name)[:100]


def version(git: Git, head: str, path: str, at: str) -> tuple[str, str]:
    """Give what to read of a file at a revision: a commit, or else the id of a content.

    Args:
        git: The repository.
        head: The branch's newest commit.
        path: The file, from the top.
        at: A commit of the branch, or a content that this very file had once.

    Raises:
        NoVersionError: Neither.
    """
    if not _REVISION.fullmatch(at):
        raise NoVersionError(f"{at[:100]!a} names no commit")
    try:
        commit = tree.resolve(git, at)
    except GitRefError:
        if blob := _content(git, head, path, at):
            return "", blob
        told = f"the repository has no commit {at}, and the file never was a text that is that"
        raise NoVersionError(told) from None
    # What was taken out of the branch is still here, and may have been taken out for a reason.
    if not comes_after(git, head, commit):
        raise NoVersionError(f"{at} is no commit of the branch")
    return commit, ""


def _content(git: Git, head: str, path: str, at: str) -> str:
    """Give a content's whole id, if this file had it once, and it is of a fair size.

    No other file may be read by its content.
    """
    try:
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{at}^{{blob}}")
        blob = found.decode("ascii", "replace").strip()
        # Before all of the history is looked through, and before anybody reads it.
        if int(git.run("cat-file", "-s", blob)) > MAX_BYTES:
            return ""
        words = ("log", "--max-count=1", "--format=%H", f"--find-object={blob}")
        had = _literally(git).run(*words, "--end-of-options", head, "--", path).strip()
    except GitError:
        return ""
    return blob if had else ""


def _literally(git: Git) -> Git:
    """Take paths as they are written, not as patterns."""
    return replace(git, extra={**git.extra, "GIT_LITERAL_PATHSPECS": "1"})
