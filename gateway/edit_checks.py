"""What of a change of a file is decided without asking anybody. Pure; the words of its refusals."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.conflicts import Conflict
from gateway.errors import EditConflictError, InvalidFileError, InvalidInputError
from gateway.files import FileSeen
from gateway.proxy.seams import Visitor
from spec import InvalidIdError, InvalidSpecError, Problem, check_id, read_text
from spec.defaults import UNKNOWN
from spec.reader import SUFFIX
from state_index.models import Published
from state_index.phases import Phase

_REVISION = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

TAKEN = "There is a workspace with this id already. Choose another id."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, from where, with which request."""

    visitor: Visitor
    address: str
    request_id: str


def file_name(workspace_id: str) -> str:
    """Return the name of a workspace's file."""
    return f"{workspace_id}{SUFFIX}"


def known_id(text: str) -> str:
    """Give back an id that a new workspace may have.

    Raises:
        InvalidInputError: It is none, or reserved.
    """
    try:
        return check_id(text)
    except InvalidIdError as error:
        problem = {"key": "id", "message": error.message, "hint": error.hint}
        raise InvalidInputError(
            f"This can't be a workspace's id: {error.hint}.", details={"problems": [problem]}
        ) from error


def invalid(problems: Iterable[Problem]) -> InvalidFileError:
    """Return the answer for a text that is not a right file."""
    return InvalidFileError(details={"problems": [problem.as_dict() for problem in problems]})


def conflicting(found: Conflict) -> EditConflictError:
    """Return the answer for a file that changed meanwhile."""
    details: dict[str, Any] = {
        "theirs": found.theirs,
        "yours": found.yours,
        "revision": found.revision,
        "they_changed": list(found.they_changed),
        "you_changed": list(found.you_changed),
        "both_changed": list(found.both_changed),
        "together": found.together,
    }
    return EditConflictError(found.hint, details=details)


def may_see(seen: FileSeen, asker: Asker) -> bool:
    """Return whether a version of a file is the visitor's own to see: by whom that version names."""
    return asker.visitor.admin or seen.owner == asker.visitor.name


def is_revision(text: str) -> bool:
    """Return whether a text names a version by its content, and not by a branch or in other ways."""
    return _REVISION.fullmatch(text) is not None


def comes_back(row: Published, owner: str, visitor: Visitor) -> bool:
    """Return whether a workspace that was removed may be made again: its home waits for its owner."""
    if row.phase is Phase.DELETED:
        return True
    return row.phase is Phase.TOMBSTONED and (row.owner == owner or visitor.admin)


def former(text: str, workspace_id: str) -> str | None:
    """Return which former id a file names; None also of a file that is not right."""
    try:
        return read_text(text.encode(), file=file_name(workspace_id), defaults=UNKNOWN).formerly
    except InvalidSpecError:
        return None


def may_follow(formerly: str, rows: Iterable[Published], user: str, hidden: bool) -> bool:
    """Return whether a user's workspace may name a former id, and so mount its home.

    The home is with whoever has a row of that id, or of one that was renamed from it.

    Args:
        formerly: The id.
        rows: Of all workspaces.
        user: Who wants it; no admin.
        hidden: Whether what is somebody else's must look as what is not there.
    """
    owners = {row.owner for row in rows if formerly in {row.id, row.formerly}}
    return owners == {user} or not (owners or hidden)


def revision_of(header: str | None, body: str | None) -> str | None:
    """Return which revision a change is based on, by `If-Match` or the body; None when neither says.

    Raises:
        InvalidInputError: They differ, or the header names more than one.
    """
    if header is None:
        return body
    stripped = header.strip()
    named = stripped.removeprefix('"').removesuffix('"')
    if '"' in named or "," in named or named == "*" or stripped.startswith("W/"):
        raise InvalidInputError("If-Match must be one revision, as the file's ETag is.")
    if body is not None and body != named:
        raise InvalidInputError("If-Match and `base` name two revisions.")
    return named
