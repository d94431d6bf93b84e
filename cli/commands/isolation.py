"""`codehub isolation ...`: what workspaces can reach, tried now; the rules behind it."""

from typing import TYPE_CHECKING

import click

from cli.failures import FAILED
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table, talk

if TYPE_CHECKING:
    from stacks.isolation.verdict import Finding

STYLES = {"closed": "green", "absent": "green", "open": "bold red", "unproven": "bold red"}


@click.group()
def isolation() -> None:
    """See what workspaces can reach, and the rules that close it.

    \b
    Examples:
      codehub isolation check
      codehub isolation rules > codehub.nft
      codehub isolation remove
    """


@isolation.command()
@output_option("table", "json")
@pass_frame
@click.pass_context
def check(ctx: click.Context, frame: Frame, *, output: str) -> None:
    """Load the rules where that is allowed, and try now what can be reached from inside.

    It runs two containers for about two seconds. Before the first `up` it makes a network for
    them, and removes it. The exit code is 1 when something is not enforced that
    CODEHUB_ALLOW_UNENFORCED does not name.
    """
    import asyncio

    from settings.model import RunnerSettings
    from stacks.isolation import check as checks
    from stacks.isolation.remedies import remedy

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    done = asyncio.run(checks.check(settings))
    wrong = done.verdict.unenforced(settings.allow_unenforced)
    if output == "json":
        found = done.verdict.to_json()
        print_json({"ok": not wrong, "network": done.network, "scratch": done.scratch, **found})
    else:
        print_table(("WAY", "STATE", "FOUND"), map(_row, done.verdict.findings), STYLES)
        if not done.verdict.named:
            talk("names are not resolved in workspaces: see the engine's DNS settings")
        talk(remedy(wrong) if wrong else "all is as it should be")
    ctx.exit(FAILED if wrong else 0)


@isolation.command()
@pass_frame
def rules(frame: Frame) -> None:
    """Print the rules, for an admin to load with `nft -f`.

    Where the runner is root on the engine's machine it loads them itself.
    """
    import asyncio

    from settings.model import RunnerSettings
    from stacks.isolation import check as checks

    click.echo(asyncio.run(checks.text(frame.load(RunnerSettings))), nl=False)


@isolation.command()
@pass_frame
def remove(frame: Frame) -> None:
    """Remove the rules of the network; the runner loads them again as long as it runs."""
    import asyncio

    from settings.model import RunnerSettings
    from stacks.isolation import check as checks

    asyncio.run(checks.remove(frame.load(RunnerSettings)))


def _row(found: "Finding") -> tuple[str, str, str]:
    return str(found.gap), str(found.state), found.detail
