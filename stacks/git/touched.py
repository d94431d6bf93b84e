"""Which commits touched a workspace's file, read from a copy that is there. Nothing is fetched.

All of it is text of whoever wrote the commits: it is cut and made printable here, and to be escaped
where it is shown. Of diffs, what may be a secret is not told (`stacks.secret_lines`), nor wherever else
it stands in the file's newest commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spec.files import File, read_one
from spec.text import MAX_BYTES
from stacks import secret_lines
from stacks.errors import BadRequestError
from stacks.git import patches, tree
from stacks.git.command import Git
from stacks.looks import LIMIT, MOST, MOST_DIFFS, UNKNOWN_OWNER, TouchingCommit
from stacks.renames import former_id
from stacks.secret_lines import Fragments, Version
from state_index.models import Published
from state_index.repository import Followed
from telemetry.words import printable

WITHIN = 10.0
"""Seconds that one call of git may take: the history may be long, and somebody waits."""

AUTHOR_MAX, SUBJECT_MAX = 100, 200
DIFF_MAX = 64 * 1024
"""Characters of one diff."""
BIG = "256k"
"""Files from this size on have no diff: no workspace file is as large."""

READ_MAX = 256 * 1024
"""Bytes of all versions that are read as YAML, newest first; of those beyond no line is told."""

_FIELDS = ("%H", "%an", "%cI", "%s")


def check(limit: int, *, diff: bool) -> None:
    """Refuse a number of commits that is not told.

    Raises:
        BadRequestError: It is none.
    """
    most = MOST_DIFFS if diff else MOST
    if not 1 <= limit <= most:
        raise BadRequestError(f"limit must be 1 to {most} commits{' with diffs' if diff else ''}")


def paths_of(folder: str, workspace_id: str, formerly: str = "") -> tuple[str, ...]:
    """Give the files that a workspace came from: its own, and that of the id it had before."""
    names = [workspace_id, *([formerly] if formerly else [])]
    return tuple(
        "/".join(part for part in (folder.strip("/"), f"{name}.yaml") if part) for name in names
    )


def touching(
    git: Git, commit: str, paths: Sequence[str], *, limit: int = LIMIT, diff: bool = False
) -> list[TouchingCommit]:
    """Give the newest commits that touched one of the files.

    Args:
        git: The repository.
        commit: The whole id of the newest commit that counts.
        paths: The files, with slashes.
        limit: Most commits.
        diff: Whether their diffs are told too.

    Raises:
        GitError: The repository can't be read, or it takes too long.
        ToolchainError: Git can't be started.
    """
    # By more commits than are asked for it is known what was a secret under another name.
    most = max(limit, MOST_DIFFS) if diff else limit
    out = git.run(
        *("--literal-pathspecs", "log", "-z", f"--max-count={most}", "--no-color"),
        *(f"--format={'%x00'.join(_FIELDS)}", "--end-of-options", commit, "--", *paths),
        timeout=WITHIN,
    )
    fields = out.decode("utf-8", "replace").split("\0")
    width = len(_FIELDS)
    rows = [fields[at : at + width] for at in range(0, len(fields) - width + 1, width)]
    found = [
        TouchingCommit(
            commit=id_, author=_line(who, AUTHOR_MAX), at=at, subject=_line(told, SUBJECT_MAX)
        )
        for id_, who, at, told in rows
    ]
    if not diff:
        return found
    past = _past(git, found, paths)
    return [_with_diff(git, each, paths, past) for each in found[:limit]]


def of_workspace(
    mirror: Path,
    workspace_id: str,
    *,
    followed: Followed,
    row: Published | None,
    limit: int = LIMIT,
    diff: bool = False,
) -> list[TouchingCommit]:
    """Give the newest commits of the followed branch that touched a workspace's file.

    Args:
        mirror: The copy of the repository.
        workspace_id: Which.
        followed: What the index says of the repository; without a commit there are none.
        row: What is published of it, which says under which id it was made.
        limit: Most commits.
        diff: Whether their diffs are told too.

    Raises:
        BadRequestError: So many are not told.
        GitError: The copy can't be read, or it takes too long.
        ToolchainError: Git can't be started.
    """
    check(limit, diff=diff)
    if not followed.attempted:
        return []
    paths = paths_of(followed.path, workspace_id, former_id(row))
    git = Git(folder=mirror, bare=True)
    return touching(git, followed.attempted, paths, limit=limit, diff=diff)


@dataclass(frozen=True, kw_only=True)
class _Past:
    """What the newest commits' files say.

    Attributes:
        versions: What is known of each blob, by its name; None where it can't be read.
        owners: Whom the file names in a commit and in the one before it, by commit.
        fragments: What is told nowhere.
    """

    versions: Mapping[str, Version | None]
    owners: Mapping[str, tuple[str, ...]]
    fragments: Fragments


def _past(git: Git, found: Sequence[TouchingCommit], paths: Sequence[str]) -> _Past:
    """Read the file as it is in commits and before them."""
    revs = [(each.commit, rev) for each in found for rev in (each.commit, f"{each.commit}^1")]
    names = [(commit, f"{rev}:{path}") for commit, rev in revs for path in paths]
    out = git.run(
        "cat-file",
        "--batch-check=%(objecttype) %(objectsize) %(objectname)",
        stdin="".join(f"{name}\n" for _, name in names).encode(),
        timeout=WITHIN,
    )
    lines = [line.split(" ") for line in out.decode("utf-8", "replace").splitlines()]
    # Those of one commit, in order: what is missing has a line too.
    blobs = [(name[0], line) for name, line in zip(names, lines, strict=True) if line[0] == "blob"]
    raw = tree.blobs(git, [sha for _, (_, size, sha) in blobs if int(size) <= MAX_BYTES])
    whose = {sha: _owner(content) for sha, content in raw.items()}
    owners: dict[str, set[str]] = {each.commit: set() for each in found}
    for commit, (_, _, sha) in blobs:
        owners[commit].add(whose.get(sha, UNKNOWN_OWNER))
    versions = _versions(raw)
    secrets = (secret for each in versions.values() if each for secret in each.secrets)
    return _Past(
        versions=versions,
        owners={commit: tuple(sorted(names)) for commit, names in owners.items()},
        fragments=Fragments(secrets),
    )


def _versions(raw: Mapping[str, bytes]) -> dict[str, Version | None]:
    found: dict[str, Version | None] = {}
    left = READ_MAX
    for sha, content in raw.items():
        left -= len(content)
        found[sha] = secret_lines.read(content) if left >= 0 else None
    return found


def _with_diff(
    git: Git, found: TouchingCommit, paths: Sequence[str], past: _Past
) -> TouchingCommit:
    out = git.run(
        *("-c", f"core.bigFileThreshold={BIG}", "--literal-pathspecs", "log", "--max-count=1"),
        *("--format=", "--patch", "--full-index", "--diff-merges=first-parent", "--no-color"),
        *("--no-renames", "--no-ext-diff", "--no-textconv", "--end-of-options"),
        *(found.commit, "--", *paths),
        timeout=WITHIN,
    )
    text = out[: DIFF_MAX * 4].decode("utf-8", "replace").strip("\n")
    told = "\n".join(patches.told(text, past.versions, past.fragments))
    cut = len(told) > DIFF_MAX or len(out) > DIFF_MAX * 4
    return replace(found, diff=told[:DIFF_MAX], cut=cut, owners=past.owners[found.commit])


def _owner(raw: bytes) -> str:
    told = read_one(File(name="aa.yaml", raw=raw), label="").reading
    return told.owner or UNKNOWN_OWNER


def _line(text: str, most: int) -> str:
    clean = printable(" ".join(text.split()), mark=" ")
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
