"""Reads the workspace files of a commit: `ls-tree`, then `cat-file --batch`. No checkout.

So no link is followed, no filter runs, and nothing of the commit ever is a file here. What is no
plain file of a fair size is an entry that says why it is refused: it stops its own workspace only.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from spec.files import FOLDER_INSIDE, LINK, File, is_meant
from spec.rule_folder import MAX_BYTES as MOST_RULE_BYTES
from spec.rule_folder import is_rule_file
from spec.shared import FOLDERS, MOST_FILES, TOO_MANY, is_inner, is_shared, most_bytes
from spec.text import MAX_BYTES
from stacks.errors import GitContentError, GitError, GitRefError
from stacks.git.command import Git

MAX_ENTRIES = 50_000
"""Names in the folder; more of them are no workspaces."""
MAX_TOTAL = 128 * 1024 * 1024
"""Bytes of all files that are read of one commit."""

FILE_MODES = frozenset({"100644", "100755", "100664"})
FOLDER_MODE = "040000"
_REFUSALS = {
    "120000": LINK,
    "160000": ("is a submodule", "put the file itself here"),
    FOLDER_MODE: FOLDER_INSIDE,
}
TOO_LONG = (
    f"the file has more than {MAX_BYTES // 1024} KiB",
    "put long texts in a file of the workspace's home",
)
_NUMBER = re.compile(r"[0-9]{1,18}")
_BLOB = re.compile(rb"[0-9a-f]+ blob ([0-9]{1,18})")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class TreeEntry(NamedTuple):
    """One name of a commit's folder.

    Attributes:
        name: The name, with its folder's before it in one of generators or templates; bytes that
            are no UTF-8 as surrogates.
        mode: Git's mode, such as `100644`.
        sha: The object.
        size: Bytes, 0 for what is no file.
    """

    name: str
    mode: str
    sha: str
    size: int

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file."""
        return self.mode in FILE_MODES

    @property
    def refusal(self) -> tuple[str, str] | None:
        """Why it is not read: message and hint; None when it is."""
        if not self.is_file:
            return _REFUSALS.get(self.mode, ("is not a regular file", "put a regular file here"))
        return TOO_LONG if self.size > MAX_BYTES else None


def resolve(git: Git, ref: str) -> str:
    """Give the commit that a name stands for, as its whole id.

    Raises:
        GitRefError: There is no such commit.
        GitError: The repository can't be read.
    """
    shown = ref if ref.isprintable() else ascii(ref)
    try:
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except (GitError, ValueError):  # ValueError: a NUL in the name
        raise GitRefError(f"the repository has no commit {shown}", step="read") from None
    sha = found.decode("ascii", "replace").strip()
    if not _SHA.fullmatch(sha):
        raise GitRefError(f"the repository has no commit {shown}", step="read")
    return sha


def entries(git: Git, commit: str, path: str) -> list[TreeEntry]:
    """List a commit's folder, one level.

    Args:
        git: The repository.
        commit: A commit's whole id.
        path: The folder, with slashes; "" for the top.

    Raises:
        GitRefError: The commit has no such folder.
        GitContentError: There are too many names.
        GitError: The repository can't be read, such as of a clone that was cut.
    """
    return _listed(git, _tree(git, commit, path), path)


def listing(git: Git, commit: str, path: str) -> list[TreeEntry]:
    """List it as `entries`, with what is in the folders of generators and templates in their place."""
    found = entries(git, commit, path)
    return [one for entry in found for one in _inner(git, entry, path)]


def _inner(git: Git, entry: TreeEntry, path: str) -> list[TreeEntry]:
    if entry.name not in FOLDERS or entry.mode != FOLDER_MODE:
        return [entry]
    found = _listed(git, entry.sha, f"{path}/{entry.name}")
    meant = [each for each in found if is_inner(each.name, folder=not each.is_file)]
    if len(meant) > MOST_FILES:
        return [entry]  # which `shared_files` refuses
    return [each._replace(name=f"{entry.name}/{each.name}") for each in meant]


def _listed(git: Git, tree: str, path: str) -> list[TreeEntry]:
    listed = git.run("ls-tree", "-z", "--long", "--end-of-options", tree)
    lines = listed.split(b"\0")[:-1]
    if len(lines) > MAX_ENTRIES:
        raise GitContentError(f"{path or '/'} has more than {MAX_ENTRIES} names", step="read")
    return [_entry(line) for line in lines]


def _tree(git: Git, commit: str, path: str) -> str:
    """Give the folder's own id; a commit that lacks it is told from one that can't be read."""
    name = f"{commit}^{{tree}}" if not path.strip("/") else f"{commit}:{path.strip('/')}"
    git.run("cat-file", "-e", f"{commit}^{{tree}}")
    try:
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    except (GitError, ValueError):  # ValueError: a NUL in the name
        if parent := path.strip("/").rpartition("/")[0]:
            with suppress(GitRefError):
                _tree(git, commit, parent)  # that it can't be read is told
        raise GitRefError(f"{commit[:12]} has no folder {path}", step="read") from None
    sha = found.decode("ascii", "replace").strip()
    kind = git.run("cat-file", "-t", sha)
    if kind.strip() != b"tree":
        raise GitRefError(f"{path} of {commit[:12]} is not a folder", step="read")
    return sha


def _entry(line: bytes) -> TreeEntry:
    """Parse `<mode> <type> <object> <size>TAB<name>`; the size of what is missing is `BAD`."""
    head, _, name = line.partition(b"\t")
    words = head.decode("ascii", "replace").split()
    if len(words) != 4:  # noqa: PLR2004 - mode, type, object, size
        raise GitError("git ls-tree gave no list of files", step="read")
    mode, _, sha, size = words
    if size != "-" and not _NUMBER.fullmatch(size):
        raise _lacking(sha)
    return TreeEntry(
        name=name.decode("utf-8", "surrogateescape"),
        mode=mode,
        sha=sha,
        size=0 if size == "-" else int(size),
    )


def blobs(git: Git, shas: Collection[str]) -> Mapping[str, bytes]:
    """Read files' contents by their ids.

    Raises:
        GitError: One is missing, or the repository can't be read.
    """
    wanted = list(dict.fromkeys(shas))
    if not wanted:
        return {}
    out = git.run("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in wanted).encode())
    return dict(_batch(out, wanted))


def _batch(out: bytes, wanted: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    """Take apart `<sha> <type> <size>LF<content>LF`, for each in order."""
    place = 0
    for sha in wanted:
        end = out.find(b"\n", place)
        head = _BLOB.fullmatch(out[place : max(end, place)])
        if head is None:
            raise _lacking(sha)
        place = end + 1 + int(head[1])
        if len(out) <= place:
            raise GitError("git cat-file broke off", step="read")
        yield sha, out[end + 1 : place]
        place += 1


def _lacking(sha: str) -> GitError:
    remedy = "Fetch it whole: a partial clone lacks files."
    return GitError(f"the repository lacks the file {sha[:12]}", step="read", remedy=remedy)


def is_workspace(entry: TreeEntry) -> bool:
    """Whether someone may have meant an entry as a workspace file, also by mistake."""
    return is_meant(entry.name, folder=not entry.is_file)


def files(git: Git, found: Iterable[TreeEntry]) -> list[File]:
    """Read what may be workspace files; others are left out.

    Raises:
        GitContentError: They are too much together.
        GitError: The repository can't be read.
    """
    meant = [entry for entry in found if is_workspace(entry)]
    plain = [entry for entry in meant if entry.refusal is None]
    if sum(entry.size for entry in plain) > MAX_TOTAL:
        told = f"the workspace files have more than {MAX_TOTAL >> 20} MiB together"
        raise GitContentError(told, step="read")
    contents = blobs(git, [entry.sha for entry in plain])
    return [
        File(name=entry.name, raw=contents[entry.sha])
        if entry.refusal is None
        else File(name=entry.name, refusal=entry.refusal)
        for entry in meant
    ]


def all_files(git: Git, commit: str, path: str) -> list[File]:
    """Read a commit's folder: workspace files, and what is about several of them.

    Args:
        git: The repository.
        commit: A commit's whole id.
        path: The folder.

    Raises:
        GitRefError: The commit has no such folder.
        GitContentError: It is more than is read.
        GitError: The repository can't be read.
    """
    found = listing(git, commit, path)
    return [*files(git, found), *shared_files(git, found)]


def shared_files(git: Git, found: Iterable[TreeEntry]) -> list[File]:
    """Read what is about several workspaces (`spec.shared`); raises as `blobs`."""
    meant = [entry for entry in found if is_shared(entry.name)]
    return _taken(git, meant, most=most_bytes)


def rule_files(git: Git, found: Iterable[TreeEntry]) -> list[File]:
    """Read the files of owners and rules; raises as `blobs`."""
    meant = [entry for entry in found if is_rule_file(entry.name)]
    return _taken(git, meant, most=lambda _: MOST_RULE_BYTES)


def _taken(git: Git, meant: Collection[TreeEntry], *, most: Callable[[str], int]) -> list[File]:
    """Read files that may be larger than a workspace's."""
    fair = [entry for entry in meant if entry.is_file and entry.size <= most(entry.name)]
    contents = blobs(git, [entry.sha for entry in fair])
    return [
        File(name=entry.name, raw=contents[entry.sha])
        if entry in fair
        else File(name=entry.name, refusal=_why_not(entry, most(entry.name)))
        for entry in meant
    ]


def _why_not(entry: TreeEntry, most: int) -> tuple[str, str]:
    if entry.name in FOLDERS and entry.mode == FOLDER_MODE:
        return TOO_MANY
    if not entry.is_file and entry.refusal is not None:
        return entry.refusal
    return f"the file has more than {most // 1024} KiB", "make it shorter"
