"""`codehub notify ...`: notices of failures, drift and approvals to webhook, Slack and mail."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.failures import FAILED, InputError
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table, talk

if TYPE_CHECKING:
    from stacks.notices.sinks import Checked

NAMES = ("webhook", "slack", "mail")
COLUMNS = ("name", "state", "message")
STYLES = {"sent": "green", "failed": "bold red"}


@click.group()
def notify() -> None:
    """Try how notices get out.

    `codehub run` tells of failures, drift and what waits for approval where the CODEHUB_NOTIFY_...
    settings say.

    \b
    Example:
      codehub notify test
    """


@notify.command()
@click.option(
    "--sink", type=click.Choice(NAMES), help="Only this one; by default all that are set."
)
@output_option("table", "json")
@pass_frame
@click.pass_context
def test(ctx: click.Context, frame: Frame, *, sink: str | None, output: str) -> None:
    """Send one test notice, and say how it went.

    The exit code is 1 when one was not taken, and 2 when none is set.

    \b
    Examples:
      codehub notify test
      codehub notify test --sink slack
    """
    from settings.model import RunnerSettings
    from stacks.notices.sinks import sinks

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    meant = [one for one in sinks(settings) if sink in {None, one.name}]
    if not meant:
        hint = "docs/how-to/notifications.md says which settings each needs"
        raise InputError(f"no {sink or 'receiver of notices'} is set", hint=hint)
    failures = _try(meant)
    _print(failures, output)
    ctx.exit(FAILED if any(failures.values()) else 0)


def _try(meant: "Sequence[Checked]") -> dict[str, str]:
    """Send to each; the failure of each, "" for none."""
    from stacks.errors import StacksError
    from stacks.notices.sinks import trial

    failures: dict[str, str] = {}
    for one in meant:
        try:
            one.send(trial())
            failures[one.name] = ""
        except StacksError as error:
            failures[one.name] = error.message
            talk(f"{one.name}: {error.message}. {error.remedy}")
    return failures


def _print(failures: dict[str, str], output: str) -> None:
    states = [(name, "failed" if told else "sent", told) for name, told in failures.items()]
    if output == "json":
        print_json({"sinks": [dict(zip(COLUMNS, one, strict=True)) for one in states]})
    else:
        print_table(tuple(map(str.upper, COLUMNS)), states, STYLES)
