"""`codehub logs`."""

import click

from cli import ids
from cli.frame import Frame, pass_frame
from cli.operate import operate

MOST = 5000
"""Most lines; the same as the daemon's, which a test compares: rooms are not imported here."""


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(1, MOST),
    default=200,
    show_default=True,
    metavar="LINES",
    help=f"How many of the last lines, at most {MOST}.",
)
@pass_frame
def logs(frame: Frame, *, name: str, tail: int) -> None:
    """Print what a workspace's container wrote.

    At most 4 MiB of it; a first line says so where that leaves something out.

    \b
    Examples:
      codehub logs alice-demo
      codehub logs alice-demo -n 20
    """
    text = operate(frame, lambda operator: operator.logs(name, tail=tail), exclusive=False)
    # Colours are the container's own words: click would strip them for a file.
    click.echo(text, nl=bool(text) and not text.endswith("\n"), color=True)
