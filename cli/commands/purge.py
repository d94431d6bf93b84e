"""`codehub purge`."""

import sys
from typing import TYPE_CHECKING

import click

from cli import ids, index, results
from cli.actor import actor
from cli.failures import InputError
from cli.frame import Frame, pass_frame
from cli.operate import operate, telling
from cli.output import output_option, talk
from cli.phases import expiry
from cli.typed import confirm_option, prompted

if TYPE_CHECKING:
    from settings.model import RunnerSettings


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@confirm_option
@click.option(
    "--forget-missing",
    is_flag=True,
    help="Take a home that is not on this engine for gone, and free the id.",
)
@output_option("table", "json")
@pass_frame
@click.pass_context
def purge(
    ctx: click.Context,
    frame: Frame,
    *,
    name: str,
    confirm: str | None,
    forget_missing: bool,
    output: str,
) -> None:
    """Remove the kept home of a removed workspace for good, now.

    What `codehub destroy` or a prune leaves is the home; it goes by itself when its grace is over
    (`codehub status -o wide` shows when), unless `expire_homes` is off. This does not wait for that.
    It can't be undone, so the id has to be typed once more. It is refused while the file or a
    container is there, and where no volume of the home is on this engine: it may be under another
    name prefix.

    \b
    Examples:
      codehub purge alice-api
      codehub purge alice-api --confirm alice-api
      codehub purge alice-api --forget-missing
    """
    from settings.model import RunnerSettings

    typed = confirm if confirm is not None else _asked(frame.load(RunnerSettings), name)
    if typed != name:
        raise InputError(f"{typed!r} is not {name}: nothing was removed")
    tell, who = telling(), actor()
    done = operate(
        frame,
        lambda operator: operator.purge(
            name, confirm=typed, forget_missing=forget_missing, actor=who, on_step=tell
        ),
    )
    ctx.exit(results.show([done], output))


def _asked(settings: "RunnerSettings", name: str) -> str:
    """Ask for the id.

    Raises:
        InputError: nobody is there to be asked.
        CliError: nothing is typed.
    """
    if not sys.stdin.isatty():
        raise InputError(
            "nobody is there to type the id", hint=f"codehub purge {name} --confirm {name}"
        )
    talk(_told(settings, name))
    return prompted(name, otherwise="nothing was removed")


def _told(settings: "RunnerSettings", name: str) -> str:
    """What goes, as far as it is known before the engine is asked."""
    from datetime import UTC, datetime

    row = next((found for found in index.rows(settings) if found.id == name), None)
    told = f"This removes the home of {name} for good, with all that is in it."
    if row is None:
        return told
    whose = f" It was {row.owner}'s." if row.owner else ""
    when = f" It would go by itself {expiry(row, datetime.now(UTC))}." if row.expires_at else ""
    return f"{told}{whose}{when}"
