"""`codehub status`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli import index, repository, windows
from cli.frame import Frame, pass_frame
from cli.output import (
    console,
    output_option,
    print_json,
    print_line_json,
    print_table,
    table,
    talk,
)
from cli.phases import STYLES, age, expiry, plain, why
from cli.rule_files import tell_broken

if TYPE_CHECKING:
    from settings.model import RunnerSettings
    from state_index.index import Index
    from state_index.models import Published

COLUMNS = ("ID", "OWNER", "PHASE", "SYNC", "AGE", "MESSAGE")
WIDE = (
    "ID", "OWNER", "PHASE", "SYNC", "STATE", "AGE", "EXPIRES", "IMAGE", "STEP", "GENERATION",
    "MESSAGE",
)  # fmt: skip


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@output_option("table", "wide", "json")
@click.option("-w", "--watch", is_flag=True, help="Go on showing changes until Ctrl-C.")
@pass_frame
def status(frame: Frame, *, ids: tuple[str, ...], output: str, watch: bool) -> None:
    """Show phase and sync of workspaces.

    PHASE says where a workspace is (RUNNING, WARM: stopped with its home kept, ERROR, ...); SYNC,
    how it compares with its file (Synced, OutOfSync, Invalid). MESSAGE also tells what another hand
    changed ("differs: memory 4Gi → 8Gi"); `drift` in JSON has all of it. EXPIRES (-o wide) says when
    the kept home of a removed one goes, if its file does not come back. Where a repository is followed,
    its commit is told too: attempted, applied, and what keeps it from being applied. Of sync windows it is
    told what they let in or keep back, and until when. With --watch and -o json,
    each change is one line of JSON.

    \b
    Examples:
      codehub status
      codehub status alice-demo -o wide
      codehub status -o json | jq -r '.workspaces[] | select(.phase == "ERROR").id'
      codehub status --watch
    """
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    if watch:
        _watch(settings, ids, output)
    else:
        _show(settings, ids, output)


def _show(settings: "RunnerSettings", ids: tuple[str, ...], output: str) -> None:
    with index.reading(settings) as opened:
        found = index.picked(opened.workspaces() if opened else [], ids)
        told = repository.read(opened)
    if output == "json":
        followed = repository.plain(*told)
        more = {"repository": followed} if followed else {}
        print_json({"workspaces": [plain(row) for row in found], **more})
    elif found:
        print_table(*_cells(found, output), STYLES)
    else:
        talk(index.none_yet(settings))
    if not tell_broken(settings):
        windows.tell(settings, [row.id for row in found])
    repository.tell(*told)


def _cells(found: "list[Published]", output: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from datetime import UTC, datetime

    from telemetry.words import printable

    now = datetime.now(UTC)
    columns = WIDE if output == "wide" else COLUMNS
    values = (_values(row, now) for row in found)
    return columns, [tuple(printable(row[column]) for column in columns) for row in values]


def _values(row: "Published", now: Any) -> dict[str, str]:
    return {
        "ID": row.id,
        "OWNER": row.owner,
        "PHASE": row.phase.value,
        "SYNC": row.sync.value,
        "STATE": row.pinned,
        "AGE": age(row.since, now),
        "EXPIRES": expiry(row, now),
        "IMAGE": row.image,
        "STEP": row.step,
        "GENERATION": str(row.generation),
        "MESSAGE": why(row),
    }


def _watch(settings: "RunnerSettings", ids: tuple[str, ...], output: str) -> None:
    if not index.published_here(settings):
        from stacks.parts import make_data_tree

        make_data_tree(settings)
    if output == "json":
        for row in _changes(settings, ids):
            print_line_json(plain(row))
    elif not console().is_terminal:
        for row in _changes(settings, ids):
            click.echo("\t".join(_cells([row], output)[1][0]))
    else:
        _live(settings, ids, output)


def _changes(settings: "RunnerSettings", ids: tuple[str, ...]) -> "Iterator[Published]":
    """Every row at first, then each that changed."""
    seen: dict[str, Published] = {}
    for found in _looks(settings, ids):
        for row in found:
            if seen.get(row.id) != row:  # in another index, generations begin anew
                seen[row.id] = row
                yield row


def _live(settings: "RunnerSettings", ids: tuple[str, ...], output: str) -> None:
    from rich.live import Live

    with Live(console=console(), auto_refresh=False) as live:
        for found in _looks(settings, ids, every=1.0):
            live.update(table(*_cells(found, output), STYLES), refresh=True)


def _looks(
    settings: "RunnerSettings", ids: tuple[str, ...], every: float | None = None
) -> "Iterator[list[Published]]":
    """The rows now and after each change; also `every` so many seconds, for the ages."""
    from cli.looks import looks

    def read(opened: "Index") -> "list[Published]":
        return [row for row in opened.workspaces() if not ids or row.id in ids]

    return looks(settings, read, every=every)
