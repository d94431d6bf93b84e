"""`codehub wait`."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from cli import ids, index
from cli.conditions import (
    Condition,
    ConditionError,
    check_together,
    is_hopeless,
    parse,
    told,
)
from cli.failures import CliError
from cli.frame import Frame, pass_frame

if TYPE_CHECKING:
    from state_index.models import Published


def _read_conditions(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> tuple[Condition, ...]:
    try:
        conditions = tuple(dict.fromkeys(parse(text) for text in given))
        check_together(conditions)
    except ConditionError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    return conditions


def _read_timeout(ctx: click.Context, param: click.Parameter, given: str) -> float:
    from settings.errors import UnitError
    from settings.units import parse_duration

    try:
        return parse_duration(given)
    except UnitError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option(
    "--for",
    "conditions",
    multiple=True,
    required=True,
    metavar="CONDITION",
    callback=_read_conditions,
    help="phase=RUNNING, sync=Synced, gone, ...; of several, all must hold at once.",
)
@click.option(
    "--timeout",
    default="60s",
    show_default=True,
    metavar="DURATION",
    callback=_read_timeout,
    help="How long to wait; 0s looks once.",
)
@pass_frame
def wait(frame: Frame, *, name: str, conditions: tuple[Condition, ...], timeout: float) -> None:
    """Wait until a workspace is in a state.

    It only watches: `codehub run`, or another command, does the work. A workspace that is not there
    yet is waited for. `gone` is met when its resources are removed; its home may be kept. The exit
    code is 1 when the time is over, and at once when RUNNING or WARM is waited for and the workspace
    is in ERROR without a further attempt to come.

    \b
    Examples:
      codehub wait alice-demo --for phase=RUNNING
      codehub wait alice-demo --for phase=WARM --for sync=Synced --timeout 5m
      codehub destroy alice-demo && codehub wait alice-demo --for gone
    """
    from cli.looks import looks
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    if not index.published_here(settings):
        settings.paths.make()
    row: Published | None = None
    with closing(looks(settings, lambda opened: opened.workspace(name), within=timeout)) as found:
        for row in found:
            if all(condition.holds(row) for condition in conditions):
                click.echo(f"{name}: {', '.join(map(str, conditions))}")
                return
            if is_hopeless(row, conditions):
                hint = f"mend what is wrong, then: codehub retry {name}"
                raise CliError(f"it failed: {told(name, row)}", hint=hint)
    raise CliError(f"timed out: {told(name, row)}", hint=f"codehub history {name} says how it came")
