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

MARKER = "<!-- codehub:preview -->"
"""First line of the comment, as `forges` writes and finds it by the marker `preview`."""
LENGTH = 60_000
"""Characters of a comment; GitHub takes 65,536."""
RULES_PART = 4
"""One in so many of the characters may be what rules say: it must not push destructive ones out."""
RULES_NAMED = 5
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
    rules = "\n".join(_rules(review.rules, most // RULES_PART))
    room = most - len(head) - len(tail) - len(rules) - ROOM
    worst = _fitting([each for each in review.workspaces if each.destructive], room)
    room -= sum(len(block) + 1 for block in worst)
    others = _fitting([each for each in review.workspaces if not each.destructive], room)
    parts = [head, *worst, *([rules] if rules else ()), *others, tail]
    return "\n".join(parts).rstrip() + "\n"


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
    if review.problems:
        yield "**❌ Wrong, beside the workspace files:**"
        yield ""
        yield from _problems(review.problems)
    yield from _refused(review.rules)


def summary(review: Review) -> str:
    """Give how many of what, in one line."""
    counts = Counter(each.action for each in review.workspaces)
    told = [f"{counts[action]} {action.value}" for action in Action if counts[action]]
    return ", ".join([*told, f"{review.unchanged} not touched"])


def _refused(results: Sequence[RuleResult]) -> Iterator[str]:
    refusing = {each.rule for each in results if each.level is Level.MANDATORY}
    if refusing:
        told = ", ".join(safe.code(rule) for rule in sorted(refusing)[:RULES_NAMED])
        more = f" and {len(refusing) - RULES_NAMED} more" if len(refusing) > RULES_NAMED else ""
        yield f"**❌ Refused by** {told}{more}, below what is destructive."
        yield ""


def _rules(results: Sequence[RuleResult], room: int) -> list[str]:
    """Give what rules say, by rule and mandatory ones first, as much as there is room for."""
    if not results:
        return []
    ordered = sorted(results, key=lambda each: (each.level is not Level.MANDATORY, each.rule))
    lines, room = ["#### Rules", ""], room - ROOM // 5
    for place, each in enumerate(ordered):
        before = ordered[place - 1] if place else None
        fresh = before is None or (before.level, before.rule) != (each.level, each.rule)
        told = [_rule(each), _finding(each)] if fresh else [_finding(each)]
        room -= sum(len(line) + 1 for line in told)
        if room < 0:
            lines.append(f"- and {len(ordered) - place} more: `codehub preview` shows all")
            break
        lines += told
    return [*lines, ""]


def _rule(each: RuleResult) -> str:
    level = "❌ **refused by**" if each.level is Level.MANDATORY else "💡 advice of"
    return f"- {level} {safe.code(each.rule)}"


def _finding(each: RuleResult) -> str:
    whose = f"{safe.code(each.workspace)}: " if each.workspace else ""
    remedy = f" {safe.code(secrecy.hidden_in(each.remedy))}" if each.remedy else ""
    return f"  - {whose}{safe.code(secrecy.hidden_in(each.message))}{remedy}"


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
        key = f"{safe.code(secrecy.key_of(problem))}: " if problem.key else ""
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
