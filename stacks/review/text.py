"""A review for a terminal: what the comment says, line by line. Pure, and without colours."""

from collections.abc import Iterator

from spec import Problem
from spec.units import format_size
from stacks import secrecy
from stacks.review import markdown, safe
from stacks.review.model import Action, Asked, Level, Review, RuleResult, WorkspaceReview

SIGNS = {
    Action.DELETE: "-",
    Action.RENAME: "→",
    Action.REPLACE: "±",
    Action.INVALID: "!",
    Action.UPDATE: "~",
    Action.CREATE: "+",
    Action.UNCHANGED: " ",
}


def lines(review: Review) -> Iterator[str]:
    """Give the lines; the summary is apart (`summary`)."""
    for each in review.workspaces:
        yield from _workspace(each)
    for problem in review.problems:
        yield f"! {_problem(problem)}"
    for total in review.totals:
        yield f"{safe.line(total.owner)} asks for {_asked(total.before)} → {_asked(total.after)}"
    for result in review.rules:
        yield _rule(result)
    for note in review.notes:
        yield f"note: {safe.line(note)}"


def summary(review: Review) -> str:
    """Give how many of what, and the change set."""
    return f"{markdown.summary(review)}; change set {review.hash}"


def _workspace(each: WorkspaceReview) -> Iterator[str]:
    owner = f" ({safe.line(each.owner)})" if each.owner else ""
    reason = f": {safe.line(each.reason)}" if each.reason else ""
    held = ", held back" if each.held else ""
    yield f"{SIGNS[each.action]} {each.action.value} {safe.line(each.id)}{owner}{reason}{held}"
    if each.former_owner:
        yield f"    destructive: no longer {safe.line(each.former_owner)}'s"
    if each.data:
        yield f"    {safe.line(each.data, 1_000)}"
    if each.moved:
        yield "    base has changed this file too since the branch began: merge or rebase first"
    for change in each.changes:
        yield from (f"    {found}" for found in markdown.diff(change))
    for problem in each.problems:
        yield f"    {_problem(problem)}"


def _problem(problem: Problem) -> str:
    message, hint = secrecy.told(problem)
    key = f"{safe.line(secrecy.key_of(problem))}: " if problem.key else ""
    place = f"{safe.line(problem.file)}:{problem.line}:{problem.column}"
    return f"{place}: {key}{safe.line(message)} (hint: {safe.line(hint)})"


def _asked(asked: Asked) -> str:
    memory = format_size(asked.memory) if asked.memory else "0"
    return f"{asked.workspaces} workspaces, {asked.cpu:g} cores, {memory}"


def _rule(result: RuleResult) -> str:
    level = "refused by" if result.level is Level.MANDATORY else "advice of"
    whose = f" for {safe.line(result.workspace)}" if result.workspace else ""
    said = f"{secrecy.hidden_in(result.message)} {secrecy.hidden_in(result.remedy)}"
    return f"{level} {safe.line(result.rule)}{whose}: {safe.line(said.strip(), 1_000)}"
