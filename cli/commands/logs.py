"""`codehub logs`."""

import sys
from typing import TYPE_CHECKING

import click

from cli import ids
from cli.frame import Frame, pass_frame
from cli.operate import operate

if TYPE_CHECKING:
    from stacks.operator import Operator
    from stacks.streams.model import LogOptions


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with what is written, until the container ends."
)
@click.option(
    "--since",
    metavar="TIME",
    help="Only what was written since then: 10m, or 2026-11-21T20:30:00Z.",
)
@click.option(
    "-n",
    "--tail",
    metavar="LINES|all",
    help="How many of the last lines (default: 200, with --since all).",
)
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@pass_frame
def logs(frame: Frame, /, *, name: str, **asked: str | bool | None) -> None:
    """Print what a workspace's container wrote, standard output and error together.

    With --follow it ends when the container does: after a restart, call it again. Ctrl-C ends it
    with exit code 130.

    \b
    Examples:
      codehub logs alice-demo
      codehub logs alice-demo -n 20 --timestamps
      codehub logs alice-demo --follow --since 10m
      codehub logs alice-demo --tail all | grep -i error
    """
    from stacks.streams.model import LogOptions

    texts = {key: "true" if value is True else value for key, value in asked.items() if value}
    wanted = LogOptions.of((key, str(value)) for key, value in texts.items())
    operate(frame, lambda operator: _print(operator, name, wanted), exclusive=False)


async def _print(operator: "Operator", name: str, wanted: "LogOptions") -> None:
    from cli.pipes import Writer

    last = b""
    async with operator.streams.logs(name, wanted) as pieces:
        # Bytes as they came: colours are the container's own words, and a line may be no text.
        out = Writer(sys.stdout.fileno())
        async for piece in pieces:
            await out.write(piece)
            last = piece
        if last and not last.endswith(b"\n"):
            await out.write(b"\n")
