"""`codehub logs`."""

import click

from cli import ids
from cli.frame import Frame, pass_frame
from cli.operate import operate


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    metavar="LINES",
    help="How many of the last lines.",
)
@pass_frame
def logs(frame: Frame, *, name: str, tail: int) -> None:
    """Print what a workspace's container wrote.

    \b
    Examples:
      codehub logs alice-demo
      codehub logs alice-demo -n 20
    """
    text = operate(frame, lambda operator: operator.logs(name, tail=tail), exclusive=False)
    # Colours are the container's own words: click would strip them for a file.
    click.echo(text, nl=bool(text) and not text.endswith("\n"), color=True)
