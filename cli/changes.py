"""How a preview is shown: destructive changes first, each with its properties and the data's fate."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cli.failures import BAD_INPUT, FAILED, say_error
from cli.output import shown, styled

if TYPE_CHECKING:
    from stacks.changes import PropertyChange, WorkspaceChange

UNKNOWN = "UNKNOWN_WORKSPACE"
_BY_RULES = "POLICY_VIOLATION"
"""An error that says no more than the policies that are shown beside it."""
_UNREADABLE = "RULES_UNREADABLE"
_NOTHING = "nothing"
_INVALID = "invalid"
_CREATE = "create"
_MARKS = {
    "purge": ("-", "red"),
    "delete": ("-", "red"),
    "replace": ("±", "magenta"),
    "blocked": ("!", "red"),
    "invalid": ("!", "red"),
    "update": ("~", "yellow"),
    "create": ("+", "green"),
    "stop": ("■", "blue"),
    "start": ("▶", "blue"),
    "keep": ("~", "yellow"),
    "forget": ("-", "yellow"),
    "nothing": ("·", "yellow"),
}
_SIGNS = {"add": "+", "update": "~", "delete": "-"}
_WIDEST = max(map(len, _MARKS))


def show(changes: "list[WorkspaceChange]") -> None:
    """Print what would change; nothing about what would not."""
    acting = [
        change
        for change in changes
        if change.action != _NOTHING or change.error or change.violations
    ]
    widest = max((len(change.id) for change in acting), default=0)
    for change in acting:
        mark, color = _MARKS.get(change.action, ("?", "red"))
        if change.destructive and change.action == _CREATE:
            mark, color = _MARKS["replace"]
        head = styled(f"{mark} {change.action:<{_WIDEST}}  {change.id:<{widest}}", fg=color)
        click.echo(f"{head}  {shown(change.reason)}".rstrip())
        for line in _lines(change):
            click.echo(f"    {line}")


def is_unknown(change: "WorkspaceChange") -> bool:
    """Whether nothing is known of the workspace: its name is a slip, no change."""
    return change.error is not None and change.error.get("reason") == UNKNOWN


def tell_unknown(change: "WorkspaceChange") -> None:
    """Say so as `up` does, on standard error."""
    error = change.error or {}
    message = f"{change.id}: {UNKNOWN}: {error.get('message', '')}"
    say_error(message, hint=str(error.get("remedy", "")))


def summary(changes: "list[WorkspaceChange]") -> str:
    """One line: how many of what."""
    counts = Counter(change.action for change in changes)
    unchanged = counts.pop(_NOTHING, 0)
    told = [f"{counts[action]} {action}" for action in _MARKS if counts[action]]
    return ", ".join([*told, f"{unchanged} unchanged"])


def exit_code(changes: "list[WorkspaceChange]") -> int:
    """0 when all of it could be done; 2 when nothing but files is wrong, else 1."""
    unread = [change for change in changes if _reason(change) == _UNREADABLE]
    if any(change.error or _is_refused(change) for change in changes if change not in unread):
        return FAILED
    return BAD_INPUT if unread or any(change.action == _INVALID for change in changes) else 0


def _reason(change: "WorkspaceChange") -> str:
    return str((change.error or {}).get("reason", ""))


def _is_refused(change: "WorkspaceChange") -> bool:
    return any(violation.mandatory for violation in change.violations)


def _lines(change: "WorkspaceChange") -> Iterator[str]:
    yield from _identity(change)
    yield from _facts(change)
    if change.error and not (_is_refused(change) and change.error.get("reason") == _BY_RULES):
        yield f"{styled('error:', fg='red')} {shown(str(change.error.get('message')))}"
        if change.error.get("remedy"):
            yield f"hint: {shown(str(change.error.get('remedy')))}"


def _facts(change: "WorkspaceChange") -> Iterator[str]:
    for detail in change.details:
        yield _property(detail)
    if change.data:
        yield shown(change.data)
    for problem in change.problems:
        place = f"{problem.get('file')}:{problem.get('line')}:{problem.get('column')}"
        message, hint = (shown(str(problem.get(key))) for key in ("message", "hint"))
        yield f"{shown(place)}: {message} (hint: {hint})"
    for violation in change.violations:
        level = "refused by" if violation.mandatory else "advice of"
        yield f"{level} policy {shown(violation.rule)}: {shown(violation.message)}"


def _identity(change: "WorkspaceChange") -> Iterator[str]:
    """Who it was and whose: such a change looks harmless, and is not."""
    if change.formerly:
        yield styled(f"destructive: renamed from {shown(change.formerly)}", fg="magenta")
    if change.former_owner:
        yield styled(f"destructive: no longer {shown(change.former_owner)}'s", fg="magenta")


def _property(detail: "PropertyChange") -> str:
    values = {
        "add": f": {shown(detail.after)}" if detail.after else "",
        "delete": f": {shown(detail.before)}" if detail.before else "",
    }.get(detail.kind, _from_to(detail))
    note = "  (makes the container anew)" if detail.replaces else ""
    return f"{_SIGNS.get(detail.kind, '~')} {shown(detail.path)}{values}{note}"


def _from_to(detail: "PropertyChange") -> str:
    if not detail.before and not detail.after:
        return ""
    return f": {shown(detail.before) or '?'} → {shown(detail.after) or '?'}"
