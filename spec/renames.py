"""Which file may claim which former id: what one file alone can't tell.

A workspace that was renamed names its former id, for its home keeps the name it was made under. A
home has one workspace, so no other file may be named by that id or claim it too. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spec import rules
from spec.errors import RuleError, WrongTypeError
from spec.nodes import Mapping as Node
from spec.problems import Problem
from spec.text import START, Place

KEY = "formerly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One file's `formerly`.

    Attributes:
        id: the workspace of the file.
        former: the id that it names.
        file: the file, as problems call it.
        place: where the id is written.
    """

    id: str
    former: str
    file: str
    place: Place


def claim_of(root: Node | None, *, id_: str, file: str) -> Claim | None:
    """The claim of a file, also of a wrong one, if that much can be read."""
    if root is None or KEY not in root.entries:
        return None
    node = root.entries[KEY].node
    try:
        return Claim(id=id_, former=rules.formerly(node.value), file=file, place=node.place)
    except (RuleError, WrongTypeError):
        return None


def disputes(claims: Iterable[Claim], files: Mapping[str, str]) -> dict[str, list[Problem]]:
    """What is wrong with claims that stand against each other, or against a file.

    Args:
        claims: those of all files, wrong ones included: two that claim one home must both wait,
            whatever else is wrong with one of them.
        files: the files that are right by themselves, by the id of their workspace.

    Returns:
        The problems by workspace: of claims, where the claim is written; of a file that has a
        claimed id, at its beginning.
    """
    by_former: dict[str, list[Claim]] = {}
    for claim in sorted(claims, key=lambda claim: claim.file):
        by_former.setdefault(claim.former, []).append(claim)
    found: dict[str, list[Problem]] = {}
    for former, rivals in by_former.items():
        for claim in rivals if len(rivals) > 1 else ():
            other = next(rival for rival in rivals if rival is not claim)
            found.setdefault(claim.id, []).append(_rival(claim, other))
        named = next((claim for claim in rivals if claim.id in files), None)
        if former in files and named is not None:
            found.setdefault(former, []).append(_named(former, files[former], named))
    return found


def _rival(claim: Claim, other: Claim) -> Problem:
    line, column = claim.place
    told = f"{other.file}:{other.place.line} names `{claim.former}` too"
    return Problem(claim.file, line, column, KEY, told, "a home has one workspace: remove one line")


def _named(former: str, file: str, claim: Claim) -> Problem:
    told = f"{claim.file}:{claim.place.line} says that it was formerly `{former}`"
    hint = "remove this file, or that line: the home has one workspace"
    return Problem(file, START.line, START.column, "", told, hint)
