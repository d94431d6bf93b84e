"""`codehub diff`."""

from typing import TYPE_CHECKING

import click

from cli import ids
from cli.frame import Frame, pass_frame
from cli.operate import operate
from cli.output import output_option, print_json, print_table, talk

if TYPE_CHECKING:
    from stacks.looks import Comparison, Line

DIFFERS = 3
"""Exit code of `--exit-code`: 1 and 2 say that it could not be told."""

COLUMNS = ("PROPERTY", "FILE", "APPLIED", "ENGINE")
_NOTHING = "-"


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option("--all", "every", is_flag=True, help="Also what does not differ.")
@click.option("--exit-code", is_flag=True, help=f"End with {DIFFERS} when anything differs.")
@output_option("table", "json")
@pass_frame
@click.pass_context
def diff(
    ctx: click.Context, frame: Frame, *, name: str, every: bool, exit_code: bool, output: str
) -> None:
    """Show what a workspace's file says, what was applied, and what the engine has.

    FILE and APPLIED differ when a change of the file waits or failed; APPLIED and ENGINE, when
    another hand changed the container, which is healed, or reported. `-` is where nothing is said.
    Values of variables that look like secrets are hidden. Nothing is changed. The exit code is 0
    whether or not something differs; with --exit-code it is 3 then, for 1 and 2 mean that it could
    not be told.

    \b
    Examples:
      codehub diff alice-demo
      codehub diff alice-demo --exit-code -o json | jq -r '.lines[] | select(.differs).key'
    """
    found = operate(frame, lambda operator: operator.diff(name))
    if output == "json":
        told = found.to_json()
        told["lines"] = [line for line in told["lines"] if every or line["differs"]]
        print_json(told)
    else:
        _show(found, every=every)
    ctx.exit(DIFFERS if exit_code and found.differing else 0)


def _show(found: "Comparison", *, every: bool) -> None:
    shown = [line for line in found.lines if every or line.differs]
    if shown:
        print_table(COLUMNS, [_cells(line) for line in shown])
    if found.message:
        talk(f"{found.id}: {found.message}")
    number = len(found.differing)
    talk(f"{number} differ{'s' if number == 1 else ''}" if number else "nothing differs")
    for line in shown:
        if line.differs and line.stays:
            talk(f"{line.key}: the engine itself has it so; nothing heals it")


def _cells(line: "Line") -> tuple[str, ...]:
    values = (line.file, line.applied, line.engine)
    return (line.key, *(_NOTHING if value is None else value or '""' for value in values))
