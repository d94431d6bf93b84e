"""A review as the comment on a pull request: words first, destructive first. Pure.

The first line is invisible: by it a forge's client finds the comment again and edits it, rather
than write another one. The second names the change set. All foreign text goes through
`stacks.review.safe`; secrets were left out when the review was made.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from spec import Problem
from spec.units import format_size
from stacks import secrecy
from stacks.review import safe
from stacks.review.golden import Effect
from stacks.review.model import (
    Action,
    Asked,
    Change,
    Level,
    Review,
    RuleResult,
    Severity,
    Total,
    WorkspaceReview,
)

MARKER = "<!-- codehub-preview -->"
"""First line of the comment, for whoever looks for it."""
LENGTH = 60_000
"""Characters of a comment; GitHub takes 65,536."""
RULES_SHOWN = 100
TOTALS_SHOWN = 100
PROBLEMS_SHOWN = 10
"""Of one file: one that is wrong all over must not push others out."""
ROOM = 1_000
"""Characters kept for what comes after the workspaces."""

MARKS = {
    Action.DELETE: "🗑️",
    Action.RENAME: "🔀",
    Action.REPLACE: "♻️",
    Action.INVALID: "❌",
    Action.UPDATE: "✏️",
    Action.CREATE: "🆕",
    Action.UNCHANGED: "💤",
}
EFFECTS = {
    Effect.REPLACE: "makes the container anew",
    Effect.UPDATE: "in place",
    Effect.NONE: "",
    Effect.UNSUPPORTED: "not known: take it for a container made anew",
}


def markdown(review: Review, *, most: int = LENGTH) -> str:
    """Give the comment.

    Args:
        review: What to tell.
        most: Characters that it may have.
    """
    head = "\n".join(_head(review))
    tail = "\n".join([*_totals(review.totals), *_foot(review)])
    blocks = _fitting(review.workspaces, most - len(head) - len(tail) - ROOM)
    return "\n".join([head, *blocks, tail]).rstrip() + "\n"


def change_set_line(review: Review) -> str:
    """Give the invisible line that names the change set."""
    return f"<!-- codehub-change-set: {review.hash} -->"


def _head(review: Review) -> Iterator[str]:
    yield MARKER
    yield change_set_line(review)
    yield f"### Workspaces: {summary(review)}"
    yield ""
    destructive = sum(each.destructive and not each.held for each in review.workspaces)
    if destructive:
        yield f"**⚠️ {destructive} of these {'is' if destructive == 1 else 'are'} destructive.**"
        yield ""
    for note in review.notes:
        yield f"- {safe.code(note)}"
    yield from _rules(review.rules)


def summary(review: Review) -> str:
    """Give how many of what, in one line."""
    counts = Counter(each.action for each in review.workspaces)
    told = [f"{counts[action]} {action.value}" for action in Action if counts[action]]
    return ", ".join([*told, f"{review.unchanged} not touched"])


def _rules(results: Sequence[RuleResult]) -> Iterator[str]:
    if not results:
        return
    ordered = sorted(results, key=lambda each: (each.level is not Level.MANDATORY, each.rule))
    yield "#### Rules"
    yield ""
    for each in ordered[:RULES_SHOWN]:
        level = "❌ **refused by**" if each.level is Level.MANDATORY else "💡 advice of"
        whose = f" for {safe.code(each.workspace)}" if each.workspace else ""
        remedy = f" {safe.code(secrecy.hidden_in(each.remedy))}" if each.remedy else ""
        said = safe.code(secrecy.hidden_in(each.message))
        yield f"- {level} {safe.code(each.rule)}{whose}: {said}{remedy}"
    if len(ordered) > RULES_SHOWN:
        yield f"- and {len(ordered) - RULES_SHOWN} more"
    yield ""


def _fitting(workspaces: Sequence[WorkspaceReview], room: int) -> list[str]:
    """Give as many blocks as there is room for: whole ones, then heads, then titles, then a number."""
    blocks: list[str] = []
    for place, each in enumerate(workspaces):
        title, heads = f"{_title(each)}\n", "\n".join(_block_head(each))
        whole = "\n".join([heads, *_details(each)])
        block = next((form for form in (whole, heads, title) if len(form) < room), None)
        if block is None:
            left = len(workspaces) - place
            told = f"**{left} more workspace{'s are' if left > 1 else ' is'} left out here:"
            blocks.append(
                f"{told} this comment would be too long.** `codehub preview` shows all.\n"
            )
            break
        blocks.append(block)
        room -= len(block) + 1
    return blocks


def _title(each: WorkspaceReview) -> str:
    owner = f" ({safe.code(each.owner)})" if each.owner else ""
    reason = f": {safe.code(each.reason)}" if each.reason else ""
    held = " **held back**" if each.held else ""
    return (
        f"#### {MARKS[each.action]} {each.action.value} {safe.code(each.id)}{owner}{reason}{held}"
    )


def _block_head(each: WorkspaceReview) -> Iterator[str]:
    yield _title(each)
    yield ""
    if each.data:
        bold = "**" if each.severity >= Severity.REPLACES and not each.held else ""
        yield f"{bold}{_sentence(each.data)}{bold}"
        yield ""
    if each.former_owner:
        yield f"Owner: {safe.code(each.former_owner)} → {safe.code(each.owner)}"
        yield ""
    if each.moved:
        yield "⚠️ base has changed this file too since the branch began: merge or rebase first"
        yield ""
    yield from _problems(each.problems)


def _problems(problems: Sequence[Problem]) -> Iterator[str]:
    for problem in problems[:PROBLEMS_SHOWN]:
        place = safe.code(f"{problem.file}:{problem.line}:{problem.column}")
        key = f"{safe.code(problem.key)}: " if problem.key else ""
        message, hint = secrecy.told(problem)
        yield f"- {place} {key}{safe.code(message)} (hint: {safe.code(hint)})"
    if len(problems) > PROBLEMS_SHOWN:
        yield f"- and {len(problems) - PROBLEMS_SHOWN} more problems"
    if problems:
        yield ""


def _sentence(text: str) -> str:
    """Give a sentence of ours, in which ids and owners are the only foreign words: plain ones."""
    shown = safe.line(text, 1_000)
    return (
        f"{shown[:1].upper()}{shown[1:]}."
        if shown.isascii() and _harmless(shown)
        else safe.code(text)
    )


def _harmless(text: str) -> bool:
    """Whether Markdown sees nothing in it but words."""
    return (
        not set(text) & set("`|<>[]*\\@#&!~")
        and "_" not in text
        and "://" not in text
        and "www." not in text
    )


def _details(each: WorkspaceReview) -> Iterator[str]:
    if not each.changes and not each.resources:
        return
    number = len(each.changes)
    yield "<details>"
    yield f"<summary>{number} key{'' if number == 1 else 's'}</summary>"
    yield ""
    yield from safe.fence([found for change in each.changes for found in diff(change)], "diff")
    if each.resources:
        yield ""
        told = [f"{it.resource}.{it.property} ({it.effect.value})" for it in each.resources]
        yield f"Resource properties: {', '.join(safe.code(one) for one in told)}"
    yield ""
    yield "</details>"
    yield ""


def diff(change: Change) -> Iterator[str]:
    """Give the lines of a diff for one key."""
    effect = EFFECTS[change.effect]
    note = f"  # {effect}" if effect else ""
    path = safe.line(change.path)
    if change.hidden:
        sign = {"add": "+", "delete": "-"}.get(change.kind, "!")
        yield f"{sign} {path}: {secrecy.HIDDEN}{note}"
        return
    if change.kind != "add":
        yield f"- {path}: {safe.line(change.before, safe.VALUE)}{note if change.kind == 'delete' else ''}"
    if change.kind != "delete":
        yield f"+ {path}: {safe.line(change.after, safe.VALUE)}{note}"


def _totals(totals: Sequence[Total]) -> Iterator[str]:
    if not totals:
        return
    yield "#### Asked for, by owner"
    yield ""
    yield "| owner | workspaces | CPU cores | memory |"
    yield "| --- | --- | --- | --- |"
    for total in totals[:TOTALS_SHOWN]:
        cells = [
            _both(one, two)
            for one, two in zip(_cells(total.before), _cells(total.after), strict=True)
        ]
        yield f"| {safe.code(total.owner)} | {' | '.join(cells)} |"
    if len(totals) > TOTALS_SHOWN:
        yield f"| and {len(totals) - TOTALS_SHOWN} more | | | |"
    yield ""


def _cells(asked: Asked) -> tuple[str, str, str]:
    return (
        str(asked.workspaces),
        f"{asked.cpu:g}",
        format_size(asked.memory) if asked.memory else "0",
    )


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _foot(review: Review) -> Iterator[str]:
    commits = (
        f" {safe.code(review.base[:12])} → {safe.code(review.head[:12])}." if review.base else ""
    )
    yield f"<sub>Told from the files alone, not from what runs.{commits} Change set `{review.hash}`</sub>"
