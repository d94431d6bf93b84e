"""From bytes to what `_owners.yaml` and `_policies.yaml` say, or to every problem of them. Pure.

A file that is missing is no rule; one that can't be read is `RuleFiles.broken`: then nobody knows
the rules, and whoever acts on them must do nothing new.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from spec.complaints import complain
from spec.errors import InvalidSpecError
from spec.model import WRITTEN
from spec.nodes import Mapping, Node, Sequence
from spec.owners import OWNERS_NAME, OwnersFile
from spec.policies import POLICIES_NAME, PoliciesFile
from spec.problems import Problem, shown
from spec.report import Report, read_tree
from spec.text import Flaw, Place

RULE_FILES = (OWNERS_NAME, POLICIES_NAME)
MAX_BYTES = 256 * 1024
MAX_NODES = 32_768
"""A few thousand people; a workspace file is held to less."""

KEPT = 8
"""Readings that are kept: they are asked for again whenever any workspace file changes."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class RuleFiles:
    """What the two files say.

    Attributes:
        owners: None where there is no such file, or it is broken.
        policies: Likewise.
        problems: All that is wrong with them, by file and place.
    """

    owners: OwnersFile | None = None
    policies: PoliciesFile | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether the rules are not known."""
        return bool(self.problems)

    @property
    def any(self) -> bool:
        """Whether there is anything to hold to."""
        return self.broken or self.owners is not None or self.policies is not None


def read_owners(raw: bytes, *, file: str) -> OwnersFile:
    """Read `_owners.yaml`.

    Args:
        raw: its bytes.
        file: its path or name, for messages.

    Raises:
        InvalidSpecError: with all that is wrong, in the order of the file.
    """
    return _read(raw, file, OwnersFile, "write people: {alice: {}}")


def read_policies(raw: bytes, *, file: str) -> PoliciesFile:
    """Read `_policies.yaml`; arguments and errors as `read_owners`."""
    return _read(raw, file, PoliciesFile, "write rules: {}, or remove the file")


@lru_cache(maxsize=KEPT)
def read_rules(owners: bytes | None, policies: bytes | None, *, folder: str = "") -> RuleFiles:
    """Read both files; what is wrong with them is in the answer.

    Args:
        owners: bytes of `_owners.yaml`; None where there is none.
        policies: bytes of `_policies.yaml`, likewise.
        folder: what messages put before the files' names.
    """
    prefix = f"{folder}/" if folder else ""
    problems: list[Problem] = []
    read_owner_file, read_policy_file = None, None
    try:
        if owners is not None:
            read_owner_file = read_owners(owners, file=f"{prefix}{OWNERS_NAME}")
    except InvalidSpecError as error:
        problems += error.problems
    try:
        if policies is not None:
            read_policy_file = read_policies(policies, file=f"{prefix}{POLICIES_NAME}")
    except InvalidSpecError as error:
        problems += error.problems
    return RuleFiles(owners=read_owner_file, policies=read_policy_file, problems=tuple(problems))


def _read(raw: bytes, file: str, model: type[Model], example: str) -> Model:
    report = Report(file)
    root = read_tree(raw, report, example=example, most_bytes=MAX_BYTES, most_nodes=MAX_NODES)
    found = _validate(root, model, report) if root is not None else None
    if isinstance(found, OwnersFile) and root is not None:
        for key, flaw in _strangers(root, found):
            report.add(key, flaw)
        for key, flaw in _shared_logins(root, found):
            report.add(key, flaw)
    if report.problems or found is None:
        raise InvalidSpecError(report.sorted())
    return found


def _validate(root: Mapping, model: type[Model], report: Report) -> Model | None:
    try:
        return model.model_validate(root.value, context=WRITTEN)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            complaint = complain(root, detail, model=model)
            if complaint is not None:
                report.add(*complaint)
        return None


def _strangers(root: Mapping, owners: OwnersFile) -> Iterator[tuple[str, Flaw]]:
    """Names in lists that `people` does not have."""
    lists: list[tuple[str | int, ...]] = [("approvers",), ("admins",)]
    lists += [("teams", team, key) for team in owners.teams for key in ("members", "maintainers")]
    for path in lists:
        node = _at(root, path)
        if not isinstance(node, Sequence):
            continue
        for number, item in enumerate(node.items):
            name = str(item.value)
            if name not in owners.people:
                key = ".".join(map(str, (*path, number)))
                yield (
                    key,
                    Flaw(item.place, f"{shown(name)} is not in people", _nearest(name, owners)),
                )


def _nearest(name: str, owners: OwnersFile) -> str:
    near = next(iter(get_close_matches(name, list(owners.people), n=1)), None)
    return f"did you mean {near}?" if near else f"add {name}: {{}} to people"


def _shared_logins(root: Mapping, owners: OwnersFile) -> Iterator[tuple[str, Flaw]]:
    """Logins that lead to two people: whose change it is could not be told."""
    forges = sorted({forge for person in owners.people.values() for forge in person.logins})
    for forge in forges:
        taken: dict[str, str] = {}
        # Who says a login comes last: the problem is told where it was written.
        for name in sorted(owners.people, key=lambda each: forge in owners.people[each].logins):
            login = owners.people[name].logins.get(forge, name)
            other = taken.setdefault(login.lower(), name)
            if other != name:
                place = _place(root, ("people", name, "logins", forge))
                told = f"{shown(login)} is {other}'s at {forge}"
                yield f"people.{name}.logins.{forge}", Flaw(place, told, "name another login")


def _place(root: Mapping, path: tuple[str | int, ...]) -> Place:
    node = _at(root, path)
    return node.place if node is not None else root.place


def _at(root: Mapping, path: tuple[str | int, ...]) -> Node | None:
    node: Node = root
    for part in path:
        if not isinstance(node, Mapping) or part not in node.entries:
            return None
        node = node.entries[str(part)].node
    return node
