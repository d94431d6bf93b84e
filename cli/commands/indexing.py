"""`codehub index ...`."""

import click

from cli import results
from cli.actor import actor
from cli.frame import Frame, pass_frame
from cli.operate import operate, telling
from cli.output import output_option


@click.group()
def index() -> None:
    """Look after the state index.

    \b
    Example:
      codehub index rebuild
    """


@index.command()
@output_option("table", "json")
@pass_frame
@click.pass_context
def rebuild(ctx: click.Context, frame: Frame, *, output: str) -> None:
    """Fill an index that was lost, from what is there.

    Each workspace that labels on the engine or Pulumi's state know gets a row again: whose it is,
    whether it runs, what of it is missing; a home that has neither file nor container begins its
    grace. Nothing on the engine is touched, and rows that know more are left alone, so doing it
    again changes nothing. What the labels don't say is gone: the history before, and what was pinned
    or asked for.

    \b
    Examples:
      codehub index rebuild
      codehub index rebuild -o json | jq '.results[] | select(.changed).id'
    """
    who, tell = actor(), telling()
    done = operate(frame, lambda operator: operator.rebuild(actor=who, on_step=tell))
    ctx.exit(results.show(done, output))
