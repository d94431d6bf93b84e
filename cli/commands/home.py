"""`codehub home ...`."""

import click

from cli import ids, results
from cli.frame import Frame, pass_frame
from cli.output import output_option
from cli.typed import confirm_option, confirmed


@click.group()
def home() -> None:
    """Decide on a workspace's home.

    \b
    Example:
      codehub home new alice-api
    """


@home.command()
@click.argument("name", metavar="ID", callback=ids.check)
@confirm_option
@output_option("table", "json")
@pass_frame
@click.pass_context
def new(ctx: click.Context, frame: Frame, *, name: str, confirm: str | None, output: str) -> None:
    """Make a new, empty home where the former one is gone.

    For a workspace whose status says HOME_MISSING, when its volume can't be restored, or
    HOME_PARTLY_REMOVED, when what is left of it is of no use. What was in
    the former home is not brought back; the new volume has the next number, so that the former one
    can still be told from it, should it be found. It is refused while anything has the name of the
    former volume.

    \b
    Examples:
      codehub home new alice-api
      codehub home new alice-api --confirm alice-api
    """
    done = confirmed(
        frame,
        name,
        confirm,
        lambda operator, typed, who, tell: operator.new_home(
            name, confirm=typed.id, actor=who, on_step=tell
        ),
    )
    ctx.exit(results.show([done], output))
