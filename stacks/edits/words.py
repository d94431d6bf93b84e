"""What a commit and a pull request say of an edit. Pure.

Who asks, and what they say of it, is foreign text: it must neither end a line of a commit's head, nor
be taken for one of the trailers by which commits are known again, nor hide what it says.
"""

import re
from dataclasses import dataclass

from state_index.edits import Edit
from telemetry.words import printable

OPERATION = "Codehub-Operation"
ACTOR = "Codehub-Actor"

MESSAGE_MAX = 4000
"""Characters of a user's message."""
NAME_MAX = 128
"""Characters of a name, as the index has it."""
LOCAL_MAX = 64
"""Characters before the @ of an address."""

_BRANCH = "codehub/edit-"

_TRAILER_LIKE = re.compile(r"\s*(codehub-|---)", re.IGNORECASE)
_NOT_LOCAL = re.compile(r"[^A-Za-z0-9._+-]+")
_NOT_IN_NAMES = re.compile(r"[<>]")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who made, or committed, something."""

    name: str
    email: str


def title(edit: Edit) -> str:
    """Say in one line what is done."""
    return f"{edit.action} workspace {edit.workspace_id}"


def message(edit: Edit) -> str:
    """Give the whole message of a commit: our words first, our trailers last."""
    said = quoted(edit.message)
    trailers = f"{OPERATION}: {edit.id}\n{ACTOR}: {name_of(edit.actor)}\n"
    return "\n\n".join(part for part in (title(edit), said, trailers) if part)


def quoted(text: str) -> str:
    """Give a user's message without what could be read as ours.

    Lines that look like our trailers, or that end a message for some tools, are marked as quoted.
    """
    lines = (_printable(line).rstrip() for line in text[:MESSAGE_MAX].splitlines())
    kept = (f"> {line.strip()}" if _TRAILER_LIKE.match(line) else line for line in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def author(actor: str, *, domain: str) -> Signature:
    """Give an author's name and an address that is nobody's mailbox unless the domain is one's own."""
    name = name_of(actor)
    local = _NOT_LOCAL.sub("-", name).strip("-.")[:LOCAL_MAX] or "someone"
    return Signature(name=name, email=f"{local}@{domain}")


def committer(*, domain: str) -> Signature:
    """Give ourselves."""
    return Signature(name="CodeHub", email=f"codehub@{domain}")


def name_of(actor: str) -> str:
    """Give a name in one printable line; git's own marks around addresses are none."""
    name = _NOT_IN_NAMES.sub("?", _printable(" ".join(actor.split())))[:NAME_MAX]
    return name.strip(" .,:;\"'\\") or "someone"


def pull_branch(edit: Edit) -> str:
    """Name the branch of an edit's pull request."""
    return f"{_BRANCH}{edit.id}"


def edit_of(branch: str) -> str:
    """Give the id of the edit that a branch is named after, "" for any other branch."""
    return branch.removeprefix(_BRANCH) if branch.startswith(_BRANCH) else ""


def _printable(text: str) -> str:
    """Put a mark for what does not show, or turns the direction of writing; a tab is a space."""
    return printable(text.replace("\t", " "))
