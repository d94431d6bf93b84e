"""`codehub history`."""

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from cli import ids, index
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table, talk
from cli.phases import STYLES

if TYPE_CHECKING:
    from settings.model import RunnerSettings, Settings
    from stacks.looks import TouchingCommit
    from state_index.models import HistoryRow

COLUMNS = ("WHEN", "FROM", "TO", "BY", "REQUEST", "REVISION", "CAUSE")
COMMITS = ("COMMIT", "WHEN", "AUTHOR", "SUBJECT")
_MOST = 200
_MOST_COMMITS = 100
_MOST_DIFFS = 20
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
@click.option("--diff", is_flag=True, help="With the file's diff of each commit.")
@pass_frame
def history(frame: Frame, *, name: str, output: str, last: int, diff: bool) -> None:
    """Show how a workspace came to its phase: each change, newest last.

    CAUSE says what led to a change, BY who, REQUEST which request (the logs name it too), REVISION
    the content of its file as git names it: `git log --find-object=REVISION` finds the commit. Times
    are UTC. What was removed keeps its history for a while. Where a repository is followed, the commits
    that touched the workspace's file come after it, newest last; what looks like a secret in a diff is
    hidden.

    \b
    Examples:
      codehub history alice-demo
      codehub history alice-demo -n 5 -o json | jq -r '.history[-1].cause'
      codehub history alice-demo -n 3 --diff
    """
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    found = _read(settings, name, last)
    commits = _commits(settings, name, last, diff=diff)
    if output == "json":
        more = {} if commits is None else {"commits": [each.to_json() for each in commits]}
        print_json({"history": [_plain(row) for row in found], **more})
        return
    print_table(COLUMNS, [_cells(row) for row in found], STYLES)
    if commits:
        click.echo()
        _show_commits(commits, diff=diff)


def _commits(
    settings: "RunnerSettings", name: str, last: int, *, diff: bool
) -> "list[TouchingCommit] | None":
    """The newest commits that touched the file, newest last; None where no repository is followed."""
    if settings.repo is None:
        return None
    from stacks.errors import StacksError
    from stacks.git.touched import of_workspace

    with index.reading(settings) as opened:
        if opened is None:
            return None
        followed, row = opened.repository.followed(), opened.workspace(name)
    most = min(last, _MOST_DIFFS if diff else _MOST_COMMITS)
    try:
        found = of_workspace(
            settings.paths.mirror, name, followed=followed, row=row, limit=most, diff=diff
        )
    except StacksError as error:
        talk(f"the commits of its file can't be told: {error.message}")
        return None
    return found[::-1]


def _show_commits(commits: "list[TouchingCommit]", *, diff: bool) -> None:
    if not diff:
        rows = [(each.commit[:_SHORT], each.at, each.author, each.subject) for each in commits]
        print_table(COMMITS, rows)
        return
    for each in commits:
        click.echo(f"commit {each.commit[:_SHORT]} {each.at} {each.author}: {each.subject}")
        click.echo(each.diff)
        if each.cut:
            talk(f"the diff of {each.commit[:_SHORT]} is longer than is shown")


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
