"""`codehub start` and `codehub stop`."""

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
def start(ctx: click.Context, frame: Frame, *, names: tuple[str, ...], output: str) -> None:
    """Start workspaces and wait until their IDEs answer.

    \b
    Examples:
      codehub start alice-demo
      codehub start alice-demo && codehub open alice-demo
    """
    who = actor()
    done = on_each(
        frame,
        names,
        lambda operator, name, tell: operator.start(name, actor=who, on_step=tell),
    )
    ctx.exit(results.show(done, output))


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="ID...", callback=ids.check)
@output_option("table", "json")
@pass_frame
@click.pass_context
def stop(ctx: click.Context, frame: Frame, *, names: tuple[str, ...], output: str) -> None:
    """Stop workspaces; their homes are kept.

    What was written outside the home may be lost.

    \b
    Examples:
      codehub stop alice-demo
      codehub list -q --owner alice | xargs codehub stop
    """
    who = actor()
    done = on_each(
        frame,
        names,
        lambda operator, name, tell: operator.stop(name, actor=who, on_step=tell),
    )
    ctx.exit(results.show(done, output))
