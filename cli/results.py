"""How the results of operations are shown, and what exit code they make."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.failures import BAD_INPUT, FAILED, say_error
from cli.output import print_json, print_table, shown, talk
from cli.phases import STYLES

if TYPE_CHECKING:
    from stacks.steps import Result

COLUMNS = ("ID", "ACTION", "PHASE", "SYNC")
INVALID_FILE = "INVALID_FILE"
WRONG_FILES = frozenset({INVALID_FILE, "RULES_UNREADABLE"})
MOST_PROBLEMS = 3
"""Problems of one file that are shown; `codehub validate` shows all."""

_NOTHING = "nothing"
_SYNCED = "Synced"
_GONE = frozenset({"TOMBSTONED", "DELETED"})


def show(results: "list[Result]", output: str) -> int:
    """Print results (what was done, then what failed); the exit code.

    2 when nothing but files failed, 1 when anything else did.
    """
    if output == "json":
        print_json({"results": [result.to_json() for result in results]})
    else:
        _show_done([result for result in results if _is_worth_a_row(result)])
        _sum_up(results)
    for result in results:
        if result.note:
            talk(f"{result.id}: {result.note}")
        if not result.ok:
            say_error(_failure(result), hint=result.remedy)
    return exit_code(results)


def _failure(result: "Result") -> str:
    step = f" (while: {result.step})" if result.step else ""
    message = shown(result.message.removeprefix(f"{result.id}: "))
    return "\n".join([f"{result.id}: {result.reason}: {message}{step}", *_problems(result)])


def _problems(result: "Result") -> Iterator[str]:
    """The first problems of a file, each where it can be clicked at."""
    for problem in result.problems[:MOST_PROBLEMS]:
        key = f"{problem['key']}: " if problem["key"] else ""
        place = f"{problem['file']}:{problem['line']}:{problem['column']}"
        yield f"  {place}: {key}{problem['message']} (hint: {problem['hint']})"
    if len(result.problems) > MOST_PROBLEMS:
        yield f"  and {len(result.problems) - MOST_PROBLEMS} more"


def exit_code(results: "list[Result]") -> int:
    """The exit code that results make."""
    reasons = {result.reason for result in results if not result.ok}
    if not reasons:
        return 0
    return BAD_INPUT if reasons <= WRONG_FILES else FAILED


def _is_worth_a_row(result: "Result") -> bool:
    """Whether something was done, or should be: a file that is gone must not go unnoticed."""
    if result.action == _NOTHING:
        return result.sync != _SYNCED and result.phase not in _GONE
    return result.ok or bool(result.phase)


def _show_done(results: "list[Result]") -> None:
    if results:
        rows = [(one.id, one.action, one.phase or "-", one.sync or "-") for one in results]
        print_table(COLUMNS, rows, STYLES)


def _sum_up(results: "list[Result]") -> None:
    if not results:
        talk("no workspaces: add a file to workspaces.d")
        return
    unchanged = sum(result.ok and not result.changed for result in results)
    changed = sum(result.ok and result.changed for result in results)
    failed = len(results) - unchanged - changed
    talk(f"{changed} changed, {unchanged} unchanged{f', {failed} failed' if failed else ''}")
