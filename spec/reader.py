"""From bytes to a `WorkspaceSpec`, or to every problem of the file. Pure: nothing is opened here."""

from dataclasses import dataclass
from pathlib import PurePath

from pydantic import ValidationError

from spec import rules
from spec.complaints import complain
from spec.errors import InvalidIdError, InvalidSpecError, RuleError, WrongTypeError
from spec.ids import check_id
from spec.model import WRITTEN, WorkspaceFile, WorkspaceSpec
from spec.nodes import Mapping
from spec.problems import Problem
from spec.renames import KEY, Claim, claim_of
from spec.report import Report, read_tree
from spec.text import START, Flaw

SUFFIX = ".yaml"
_STAND_IN = "x0"
"""For a name that is no id, so that the rest of the file is checked too."""
_EXAMPLE = "write owner: alice and image: codehub/code-server"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one file says.

    Attributes:
        spec: its workspace; None when anything is wrong.
        problems: all that is wrong, in the order of the file.
        owner: whom it names as the owner, "" if that can't be read.
        claim: its `formerly`, if it has one that can be read.
    """

    spec: WorkspaceSpec | None
    problems: tuple[Problem, ...] = ()
    owner: str = ""
    claim: Claim | None = None


def read_text(raw: bytes, *, file: str) -> WorkspaceSpec:
    """Read one workspace file.

    Args:
        raw: its bytes.
        file: its path or name, for the id and for messages.

    Raises:
        InvalidSpecError: with all that is wrong, in the order of the file.
    """
    found = read(raw, file=file)
    if found.spec is None:
        raise InvalidSpecError(found.problems, owner=found.owner)
    return found.spec


def read(raw: bytes, *, file: str) -> Reading:
    """Read one workspace file; what is wrong with it is in the answer. Args as `read_text`."""
    report = Report(file)
    name = PurePath(file).name
    try:
        workspace = check_id(name.removesuffix(SUFFIX))
    except InvalidIdError as error:
        workspace = _STAND_IN
        report.add("", Flaw(START, error.message, error.hint))
    root = read_tree(raw, report, example=_EXAMPLE)
    spec = _validate(root, workspace, report) if root is not None else None
    return Reading(
        spec=None if report.problems else spec,
        problems=tuple(report.sorted()),
        owner=_claimed_owner(root),
        claim=claim_of(root, id_=workspace, file=file) if workspace != _STAND_IN else None,
    )


def _claimed_owner(root: Mapping | None) -> str:
    try:
        return rules.owner(root.value.get("owner")) if root else ""
    except (RuleError, WrongTypeError):
        return ""


def _validate(root: Mapping, workspace: str, report: Report) -> WorkspaceSpec | None:
    try:
        WorkspaceFile.model_validate(root.value, context=WRITTEN)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            complaint = complain(root, detail, model=WorkspaceFile)
            if complaint is not None:
                report.add(*complaint)
        return None
    if root.value.get(KEY) == workspace:
        place = root.entries[KEY].node.place
        report.add(KEY, Flaw(place, "a workspace can't have been itself", f"remove `{KEY}`"))
        return None
    return WorkspaceSpec.model_validate({**root.value, "id": workspace}, context=WRITTEN)
