"""Whether an edit may be made: rights, the file itself, rules, the rest of the fleet. Pure.

`before` is what the files say where the edit is put on top, `after` what they say with it. Rules and
owners are those of `before`: an edit can't give itself a right. The words are those of a review.
"""

from dataclasses import dataclass
from datetime import date

from policies.edits import may_edit
from policies.model import Workspace
from spec import InvalidIdError, Problem, check_id
from spec.files import FolderRead, blob
from spec.text import MAX_BYTES
from stacks.errors import (
    EditBreaksRuleError,
    EditConflictError,
    EditForbiddenError,
    EditInvalidError,
    EditRefusedError,
    NotEditableError,
)
from stacks.review.model import Fleet, Level, RuleResult
from stacks.review.ruled import rules_of, seen
from stacks.rulebook import owners_of
from state_index.edits import Edit

OPERATOR = "cli:"
"""What names of who types commands on the runner's machine begin with; no login of a gateway does."""

MOST_TOLD = 20
"""Problems of one text that are told."""


@dataclass(frozen=True, kw_only=True)
class Present:
    """A file as it is.

    Attributes:
        revision: Its content, as git names it; "" when there is none.
        changed_by: Who changed it last, in printable words; "" when that is not known.
        commit: In which commit; "" likewise.
        generator: The file that makes it; "" when it is a file of its own.
    """

    revision: str = ""
    changed_by: str = ""
    commit: str = ""
    generator: str = ""


def check_asked(edit: Edit) -> None:
    """Refuse what no gateway of ours asks for: an id becomes a path.

    Raises:
        EditRefusedError: It is none.
    """
    try:
        check_id(edit.workspace_id)
    except InvalidIdError as error:
        raise EditRefusedError(f"no workspace can have this id: {error}") from None
    if edit.action not in {"create", "change", "delete", "rollback"}:
        raise EditRefusedError("no such edit is known")
    if (edit.action == "delete") != (edit.text is None):
        raise EditRefusedError("a file is removed by `delete`, and written by all else")


def wanted(edit: Edit) -> bytes | None:
    """Give the bytes that the file is to have; None for none.

    Raises:
        EditInvalidError: The text can't be written.
    """
    if edit.text is None:
        return None
    if len(edit.text) > MAX_BYTES:
        raise EditInvalidError(f"the text has more than {MAX_BYTES // 1024} KiB")
    try:
        return edit.text.encode("utf-8")
    except UnicodeEncodeError as error:
        told = f"character {error.start + 1} of the text is none that a file can hold"
        raise EditInvalidError(told) from None


def is_made(edit: Edit, present: Present) -> bool:
    """Whether the file is already what the edit makes of it."""
    content = wanted(edit)
    if content is None:
        return not present.revision and not present.generator
    return present.revision == blob(content)


def check_base(edit: Edit, present: Present) -> None:
    """Refuse what was written by who did not see the file as it is.

    Raises:
        NotEditableError: Another file makes it.
        EditConflictError: It was changed, made or removed since.
    """
    if present.generator:
        raise generated(edit.workspace_id, present.generator)
    if edit.base == present.revision:
        return
    by = f" by {present.changed_by}" if present.changed_by else ""
    by += f" in {present.commit[:12]}" if present.commit else ""
    what = "was changed" if edit.base else "is there already, it was written"
    if not present.revision:
        what = "was removed"
    raise EditConflictError(f"the file of {edit.workspace_id} {what}{by} meanwhile")


def unfit(workspace_id: str, refusal: str) -> NotEditableError:
    """Say that something is no file to be edited, by why it is not read."""
    told = refusal.removeprefix("the file ")
    return NotEditableError(f"the file of {workspace_id} {told}", step="edit")


def generated(workspace_id: str, generator: str) -> NotEditableError:
    """Say that a workspace has no file of its own."""
    told = f"{workspace_id} is made by {generator}"
    return NotEditableError(told, remedy=f"Change {generator} in the repository.")


def check(edit: Edit, before: FolderRead, after: FolderRead, *, today: date) -> None:
    """Refuse what may not be.

    Args:
        edit: What is asked.
        before: What the files say without it.
        after: What they say with it.
        today: The day by which exemptions end (UTC).

    Raises:
        EditRefusedError: It may not be made; the kind and the words say why.
    """
    base, head = fleet_of(before), fleet_of(after)
    _check_rules_known(before)
    _check_rights(edit, before, base, head)
    _check_known(edit, before, after)
    _check_files(edit, before, after)
    results = rules_of(before.rules, today=today)(base, head)
    refused = [each for each in results if _is_ours(each, edit)]
    if refused:
        told = "; ".join(f"{each.rule}: {each.message}" for each in refused)
        raise EditBreaksRuleError(told, remedy=refused[0].remedy)


def fleet_of(read: FolderRead) -> Fleet:
    """Give what a folder says as reviews take it."""
    return Fleet(
        specs=read.specs,
        invalid={id_: tuple(problems) for id_, problems in read.invalid.items()},
        owners=read.owners,
        formerly=read.formerly,
        revisions=read.revisions,
    )


def _is_ours(each: RuleResult, edit: Edit) -> bool:
    return each.level is Level.MANDATORY and each.workspace in {"", edit.workspace_id}


def _check_rules_known(before: FolderRead) -> None:
    if before.rules.broken:
        first = before.rules.problems[0]
        remedy = "Mend the file in the repository first."
        raise EditBreaksRuleError(f"the rules can't be read: {first}", remedy=remedy)


def _check_rights(edit: Edit, before: FolderRead, base: Fleet, head: Fleet) -> None:
    """Refuse who is not the workspace's, before and after; of an operator nothing is asked."""
    if edit.actor.startswith(OPERATOR):
        return
    id_ = edit.workspace_id
    # Of a text that is wrong, what is wrong is told instead.
    sides = [seen(base, id_), None if id_ in head.invalid else seen(head, id_)]
    owners = owners_of(before.rules.owners)
    if owners is None:
        _check_owner(edit, [side for side in sides if side is not None])
        return
    verdict = may_edit(owners, edit.actor, *sides)
    if verdict.finding is not None:
        found = verdict.finding
        told = f"{found.rule.id}: {found.detail}. {found.rule.reason}"
        raise EditForbiddenError(told, remedy=found.rule.remedy)


def _check_owner(edit: Edit, sides: list[Workspace]) -> None:
    """Without a list of owners a workspace is its owner's, and of who is an admin of the gateway."""
    for side in sides:
        if not edit.admin and side.owner != edit.actor:
            whose = side.owner or "somebody who can't be told"
            raise EditForbiddenError(f"{edit.actor} may not change a workspace of {whose}")


def _check_known(edit: Edit, before: FolderRead, after: FolderRead) -> None:
    """Refuse to take an id, or the home of one, that a generator may make which can't be read now."""
    id_ = edit.workspace_id
    news = {id_, after.formerly.get(id_, id_)} - before.origins.keys()
    news -= {before.formerly.get(id_)}
    if before.doubt and edit.text is not None and news:
        told = "which workspaces the generators make is not known: not all of them can be read"
        remedy = "Mend them in the repository first; `codehub validate` tells what is wrong."
        raise EditRefusedError(told, remedy=remedy)


def _check_files(edit: Edit, before: FolderRead, after: FolderRead) -> None:
    """Refuse what makes this file wrong, or another; of whose is another, only who may see all is told."""
    if edit.workspace_id in after.invalid:
        raise EditInvalidError(_listed(after.invalid[edit.workspace_id]))
    worse = sorted(after.invalid.keys() - before.invalid.keys())
    if worse:
        told = "it would make the file of another workspace wrong"
        if edit.admin or edit.actor.startswith(OPERATOR):
            told = f"the file of {worse[0]} would be wrong: {_listed(after.invalid[worse[0]])}"
        raise EditInvalidError(told)
    if before.specs and not after.specs:
        told = "no workspace file would be left, and by such a commit nothing is removed"
        raise EditRefusedError(told, remedy="Keep one, or see docs/explanation/gitops.md.")


def _listed(problems: list[Problem]) -> str:
    told = [str(problem) for problem in problems[:MOST_TOLD]]
    more = len(problems) - len(told)
    return "\n".join([*told, *([f"and {more} more"] if more else [])])
