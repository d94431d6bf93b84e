"""From bytes to a `WorkspaceSpec`, or to every problem of the file. Pure: nothing is opened here."""

from dataclasses import dataclass
from pathlib import PurePath

from pydantic import ValidationError

from spec import rules
from spec.complaints import complain
from spec.defaults import NONE, Defaults, filled
from spec.errors import InvalidIdError, InvalidSpecError, RuleError, WrongTypeError
from spec.ids import check_id
from spec.model import WRITTEN, WorkspaceFile, WorkspaceSpec
from spec.nodes import Mapping
from spec.problems import Problem
from spec.renames import KEY, Claim, claim_of
from spec.report import Report, read_tree
from spec.text import START, Flaw, Place

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


def read_text(raw: bytes, *, file: str, defaults: Defaults = NONE) -> WorkspaceSpec:
    """Read one workspace file.

    Args:
        raw: its bytes.
        file: its path or name, for the id and for messages.
        defaults: what counts where it says nothing; nothing by default. They must not be broken.

    Raises:
        InvalidSpecError: with all that is wrong, in the order of the file.
    """
    found = read(raw, file=file, defaults=defaults)
    if found.spec is None:
        raise InvalidSpecError(found.problems, owner=found.owner)
    return found.spec


def read(raw: bytes, *, file: str, defaults: Defaults = NONE) -> Reading:
    """Read one workspace file; what is wrong with it is in the answer. Args as `read_text`."""
    report = Report(file)
    name = PurePath(file).name
    workspace = checked_id(name.removesuffix(SUFFIX), report, place=START)
    root = read_tree(raw, report, example=_EXAMPLE)
    return reading_of(root, report, id_=workspace, file=file, defaults=defaults)


def checked_id(text: str, report: Report, *, place: Place) -> str:
    """Give an id; "" when it is none, and the report says why.

    Args:
        text: what should be one.
        report: takes what is wrong with it.
        place: where it is written.
    """
    try:
        return check_id(text)
    except InvalidIdError as error:
        report.add("", Flaw(place, error.message, error.hint))
        return ""


def reading_of(
    root: Mapping | None, report: Report, *, id_: str, file: str, defaults: Defaults = NONE
) -> Reading:
    """Read what a workspace's tree says.

    Args:
        root: the tree; None where it could not be read, which the report says.
        report: takes what is wrong.
        id_: the workspace; "" for a name that is no id, so that the rest is checked too.
        file: the file, as problems call it.
        defaults: what counts where it says nothing.
    """
    whole = root
    if root is not None and defaults.root is not None:
        whole = filled(root, defaults.root)
    spec = _validate(whole, id_ or _STAND_IN, report) if whole is not None else None
    return Reading(
        spec=None if report.problems else spec,
        problems=tuple(report.sorted()),
        owner=_claimed_owner(root),
        claim=claim_of(root, id_=id_, file=file) if id_ else None,
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
