"""`codehub adopt`."""

import click

from cli import ids, results
from cli.frame import Frame, pass_frame
from cli.output import output_option
from cli.typed import confirm_option, confirmed


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@confirm_option
@click.option(
    "--owner", metavar="NAME", default="", help="Only if its file names this owner still."
)
@output_option("table", "json")
@pass_frame
@click.pass_context
def adopt(
    ctx: click.Context, frame: Frame, *, name: str, confirm: str | None, owner: str, output: str
) -> None:
    """Give a home that was found again to the owner in its file, or take what is left of it.

    After a lost index, a removal or a rename, a file that names another owner than the home had
    waits with HOME_OWNER. This says who gives and who gets, and has the id typed; the workspace then
    comes up for its new owner, unless its file names yet another one by then. It is remembered by the index and the container: when both are lost,
    it is asked for again. One whose status says HOME_PARTLY_REMOVED, as its removal was cut off
    within the engine, comes up with what is left in its home.

    \b
    Examples:
      codehub adopt alice-api
      codehub adopt alice-api --confirm alice-api --owner bob
    """
    done = confirmed(
        frame,
        name,
        confirm,
        lambda operator, typed, who, tell: operator.adopt(
            name, confirm=typed.id, owner=owner or typed.owner, actor=who, on_step=tell
        ),
    )
    ctx.exit(results.show([done], output))
