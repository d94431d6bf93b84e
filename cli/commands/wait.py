"""`codehub wait`."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from cli import ids, index, revisions
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
    from settings.model import RunnerSettings
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


def _read_name(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:
    if given is not None:
        ids.check(ctx, param, given)
    return given


@click.command()
@click.argument("name", metavar="[ID]", required=False, callback=_read_name)
@click.option(
    "--for",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    callback=_read_conditions,
    help="phase=RUNNING, sync=Synced, gone, ...; of several, all must hold at once.",
)
@click.option(
    "--revision",
    metavar="SHA",
    callback=revisions.read_option,
    help="Instead of ID: a commit of the repository, to be applied, or one after it.",
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
@click.pass_context
def wait(
    ctx: click.Context,
    frame: Frame,
    *,
    name: str | None,
    conditions: tuple[Condition, ...],
    revision: str | None,
    timeout: float,
) -> None:
    """Wait until a workspace is in a state, or a commit is applied.

    It only watches: `codehub run`, or another command, does the work. A workspace that is not there
    yet is waited for. `gone` is met when its resources are removed; its home may be kept. The exit
    code is 1 when the time is over, and at once when RUNNING or WARM is waited for and the workspace
    is in ERROR without a further attempt to come.

    With --revision, it waits until every workspace of that commit, or of one after it, came to be as its
    file says. The exit code is 1 when the time is over, and at once when only failures are left that
    wait for a person or another commit; each is listed.

    \b
    Examples:
      codehub wait alice-demo --for phase=RUNNING
      codehub wait alice-demo --for phase=WARM --for sync=Synced --timeout 5m
      codehub destroy alice-demo && codehub wait alice-demo --for gone
      codehub wait --revision "$(git rev-parse HEAD)" --timeout 10m
    """
    _check_one(ctx, name, conditions, revision)
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    if not index.published_here(settings):
        settings.paths.make()
    if revision is not None:
        applied = revisions.await_applied(settings, revision, timeout=timeout)
        click.echo(f"{revision}: applied{'' if applied.startswith(revision) else f' by {applied}'}")
    else:
        assert name is not None
        _await(settings, name, conditions, timeout)


def _check_one(
    ctx: click.Context, name: str | None, conditions: tuple[Condition, ...], revision: str | None
) -> None:
    if (name is None) == (revision is None):
        raise click.UsageError("name either ID or --revision", ctx)
    if name is not None and not conditions:
        raise click.MissingParameter(ctx=ctx, param_hint="--for", param_type="option")
    if name is None and conditions:
        raise click.UsageError("--for goes with ID", ctx)


def _await(
    settings: "RunnerSettings", name: str, conditions: tuple[Condition, ...], timeout: float
) -> None:
    from cli.looks import looks

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
