"""`codehub gc`."""

import sys
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING

import click

from cli.actor import actor
from cli.failures import FAILED
from cli.frame import Frame, pass_frame
from cli.operate import operate
from cli.output import output_option, print_json, print_table, talk

if TYPE_CHECKING:
    from stacks.gc.model import Item

COLUMNS = ("KIND", "NAME", "WORKSPACE", "SIZE", "STATE", "WHY")
STYLES = {"removed": "green", "kept": "yellow", "failed": "bold red"}
_NOTHING = "-"
_STEP = 1024


@click.command()
@click.option("--yes", is_flag=True, help="Remove without being asked: for scripts.")
@click.option("-n", "--dry-run", is_flag=True, help="List only, also in a terminal.")
@output_option("table", "json")
@pass_frame
@click.pass_context
def gc(ctx: click.Context, frame: Frame, *, yes: bool, dry_run: bool, output: str) -> None:
    """List leftovers, and remove them.

    What killed operations, removed workspaces and rebuilt images left: containers, networks, images
    without a name, tables of rules, run folders, state, sockets; and records beyond the bounds that
    are set. What lacks our labels is never touched, nor what is another data tree's, runs or is in
    use. Images, probes and tables bear no tree: those that nobody uses go. Homes are only told:
    `codehub purge` removes them.

    Without --yes it lists, and asks in a terminal. The exit code is 1 when something could not be
    removed.

    \b
    Examples:
      codehub gc
      codehub gc --yes
      codehub gc -o json | jq -r '.leftovers[] | select(.fate == "kept") | .name + ": " + .remedy'
    """
    who = actor()

    def remove(only: list[str] | None) -> "list[Item]":
        return operate(frame, lambda operator: operator.gc(remove=True, only=only, actor=who))

    if yes and not dry_run:
        items = remove(None)
    else:
        items = operate(frame, lambda operator: operator.gc())
        if not (yes or dry_run) and output == "table" and sys.stdin.isatty():
            if not (only := _meant(items)):
                return
            items = remove(only)
    _print(items, output)
    _conclude(items)
    ctx.exit(FAILED if any(item.fate == "failed" for item in items) else 0)


def _meant(items: "list[Item]") -> list[str]:
    """Ask whether what can be removed is to be; its keys, or none."""
    _print(items, "table")
    only = [item.key for item in items if item.fate == "found"]
    if not only:
        _conclude(items)
    elif click.confirm(f"Remove {_counted(only)}?", err=True):
        return only
    return []


def _print(items: "Iterable[Item]", output: str) -> None:
    if output == "json":
        print_json({"leftovers": [_plain(item) for item in items]})
    else:
        print_table(COLUMNS, [_cells(item) for item in items], STYLES)


def _plain(item: "Item") -> dict[str, object]:
    return {**item.to_json(), "key": item.key}


def _cells(item: "Item") -> tuple[str, ...]:
    why = f"{item.why}; {item.remedy}" if item.remedy else item.why
    size = _NOTHING if item.size is None else _shown(item.size)
    return str(item.kind), item.name, item.workspace or _NOTHING, size, str(item.fate), why


def _shown(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < _STEP:
            return f"{size:.0f} {unit}"
        size /= _STEP
    return f"{size:.1f} GiB"


def _counted(things: Sized) -> str:
    return f"{len(things)} leftover{'' if len(things) == 1 else 's'}"


def _conclude(items: "Iterable[Item]") -> None:
    by_fate: dict[str, list[Item]] = {}
    for item in items:
        by_fate.setdefault(item.fate, []).append(item)
    for fate in ("removed", "failed"):
        if found := by_fate.get(fate):
            talk(f"{fate}: {_counted(found)}, {_shown(sum(item.size or 0 for item in found))}")
    if found := by_fate.get("found"):
        talk(f"{_counted(found)} can be removed: codehub gc --yes")
    if not by_fate:
        talk("nothing is left over")
