"""`codehub retry`."""

import click

from cli import ids, results
from cli.actor import actor
from cli.frame import Frame, pass_frame
from cli.operate import on_each
from cli.output import output_option


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="ID...", callback=ids.check)
@output_option("table", "json")
@pass_frame
@click.pass_context
def retry(ctx: click.Context, frame: Frame, *, names: tuple[str, ...], output: str) -> None:
    """Try again now what failed.

    A lasting error (a missing image, a refused policy) is not tried again by itself, a passing one
    after ever longer pauses. This tries at once and begins the pauses anew; the history says who
    asked. It is refused where nothing failed.

    \b
    Examples:
      codehub retry alice-demo
      codehub status -o json | jq -r '.workspaces[] | select(.phase == "ERROR").id' | xargs codehub retry
    """
    who = actor()
    done = on_each(
        frame,
        names,
        lambda operator, name, tell: operator.retry(name, actor=who, on_step=tell),
    )
    ctx.exit(results.show(done, output))
