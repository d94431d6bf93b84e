"""What workspace files say together where each of them says nothing: `_defaults.yaml`. Pure.

A mapping (`resources`, `env`) is filled up key by key, anything else as a whole; what a file itself
says always counts. The file is checked by itself, so that whatever is wrong in a workspace file that
was filled up is its own, and is told where it is written.
"""

import hashlib
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from spec.complaints import complain
from spec.model import WRITTEN, WorkspaceFile
from spec.nodes import Entry, Mapping, Scalar
from spec.problems import Problem
from spec.report import Report, read_tree
from spec.text import START, Flaw

NAME = "_defaults.yaml"

NOT_SHARED = ("owner", "formerly")
"""What only one workspace can say of itself."""
STAND_IN: AbstractMapping[str, str] = {"owner": "alice", "image": "codehub/code-server"}
"""For what a workspace file must have, so that the rest is checked."""
KEPT = 16
"""Readings that are kept: the file is asked for again whenever any file changes."""
_EXAMPLE = "write image: codehub/code-server, or remove the file"


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the file says; the same for whoever reads the same bytes under the same name.

    Attributes:
        file: the file as problems call it; "" where there is none.
        digest: of its bytes; "" where there is none. What was read with one is no reading with another.
        root: what it says, with places; None where there is none, or it is broken.
        values: the same as plain values.
        problems: all that is wrong with it.
    """

    file: str = ""
    digest: str = ""
    root: Mapping | None = field(default=None, compare=False, repr=False)
    values: AbstractMapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether nobody knows what the files say together."""
        return bool(self.problems)


NONE = Defaults()
"""There is no such file."""


def _unknown() -> Defaults:
    image = Scalar(START, STAND_IN["image"], plain=False)
    root = Mapping(START, {"image": Entry(START, image)}, 2)
    return Defaults(digest="unknown", root=root, values=root.value)


UNKNOWN = _unknown()
"""There may be such a file, which can't be read here: a file may leave out what that may say."""


@lru_cache(maxsize=KEPT)
def read_defaults(raw: bytes, *, file: str) -> Defaults:
    """Read the file; what is wrong with it is in the answer.

    Args:
        raw: its bytes.
        file: its path or name, for messages.
    """
    report = Report(file)
    root = read_tree(raw, report, example=_EXAMPLE)
    if root is not None:
        check_shared(root, report, told="is not for all workspaces", given=STAND_IN)
    digest = hashlib.sha256(raw).hexdigest()
    if report.problems:
        return Defaults(file=file, digest=digest, problems=tuple(report.sorted()))
    assert root is not None, "else there was a problem"
    return Defaults(file=file, digest=digest, root=root, values=root.value)


def refused(file: str, message: str, hint: str) -> Defaults:
    """Give what stands for a file that can't be taken: nobody knows what it says."""
    return Defaults(file=file, digest=message, problems=(Problem(file, 1, 1, "", message, hint),))


def check_shared(
    root: Mapping, report: Report, *, told: str, given: AbstractMapping[str, str]
) -> None:
    """Check what may be any workspace's.

    Args:
        root: what is said.
        report: takes what is wrong with it.
        told: what to say of a key that only one workspace has.
        given: what it need not say.
    """
    for key in NOT_SHARED:
        if key in root.entries:
            flaw = Flaw(root.entries[key].place, told, f"remove `{key}`: each file has its own")
            report.add(key, flaw)
    said = {key: value for key, value in root.value.items() if key not in NOT_SHARED}
    try:
        WorkspaceFile.model_validate({**given, **said}, context=WRITTEN)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            complaint = complain(root, detail, model=WorkspaceFile)
            if complaint is not None:
                report.add(*complaint)


def filled(own: Mapping, defaults: Mapping) -> Mapping:
    """Give a file's mapping, with what it does not say taken from the defaults."""
    entries = dict(own.entries)
    for key, entry in defaults.entries.items():
        if key not in entries:
            entries[key] = entry
            continue
        mine, theirs = entries[key].node, entry.node
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            entries[key] = Entry(entries[key].place, filled(mine, theirs))
    return Mapping(own.place, entries, 1 + sum(1 + each.node.size for each in entries.values()))


def filled_values(
    own: AbstractMapping[str, Any], defaults: AbstractMapping[str, Any]
) -> dict[str, Any]:
    """Give the same of plain values: `filled(a, b).value` is `filled_values(a.value, b.value)`."""
    found = dict(own)
    for key, value in defaults.items():
        if key not in found:
            found[key] = value
        elif isinstance(found[key], dict) and isinstance(value, dict):
            found[key] = filled_values(found[key], value)
    return found
