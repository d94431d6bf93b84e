"""`codehub history`."""

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from cli import ids, index
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table
from cli.phases import STYLES

if TYPE_CHECKING:
    from settings.model import Settings
    from state_index.models import HistoryRow

COLUMNS = ("WHEN", "FROM", "TO", "BY", "REQUEST", "REVISION", "CAUSE")
_MOST = 200
_NOTHING = "-"
_SHORT = 12
"""Characters of a revision that a table shows; git takes as few."""


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@output_option("table", "json")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(1, _MOST),
    default=20,
    show_default=True,
    metavar="CHANGES",
    help="How many of the newest changes.",
)
@pass_frame
def history(frame: Frame, *, name: str, output: str, last: int) -> None:
    """Show how a workspace came to its phase: each change, newest last.

    CAUSE says what led to a change, BY who, REQUEST which request (the logs name it too), REVISION
    the content of its file as git names it: `git log --find-object=REVISION` finds the commit. Times
    are UTC. What was removed keeps its history for a while.

    \b
    Examples:
      codehub history alice-demo
      codehub history alice-demo -n 5 -o json | jq -r '.history[-1].cause'
    """
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    found = _read(settings, name, last)
    if output == "json":
        print_json({"history": [_plain(row) for row in found]})
    else:
        print_table(COLUMNS, [_cells(row) for row in found], STYLES)


def _read(settings: "Settings", name: str, last: int) -> "list[HistoryRow]":
    """The newest changes, newest last.

    Raises:
        CliError: nothing was ever published of it.
    """
    with index.reading(settings) as opened:
        found = opened.history(name, last) if opened else []
        if not found:
            index.picked(opened.workspaces() if opened else [], (name,))
    return found[::-1]


def _cells(row: "HistoryRow") -> tuple[str, ...]:
    cells = (
        row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.from_phase,
        row.to_phase,
        row.actor,
        row.request_id,
        row.revision[:_SHORT],
        " ".join(row.cause.split()),
    )
    return tuple(str(cell) if cell else _NOTHING for cell in cells)


def _plain(row: "HistoryRow") -> dict[str, Any]:
    """A row as JSON values; keys are stable, times are ISO 8601."""
    return asdict(row) | {"at": row.at.isoformat()}
