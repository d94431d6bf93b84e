"""`codehub run`."""

import asyncio
from typing import TYPE_CHECKING

import click

from cli.frame import Frame, pass_frame

if TYPE_CHECKING:
    from settings.model import RunnerSettings


@click.command()
@click.option("--prune", is_flag=True, help="Remove workspaces whose file is gone; homes are kept.")
@pass_frame
def run(frame: Frame, *, prune: bool) -> None:
    """Keep workspaces as their files say.

    It follows the folder of workspace files, serves starts and stops from the portal, and publishes
    what it does. One leads; any other of the same data folder stands by and takes over when that one
    ends, is killed or stands still. It ends on Ctrl-C or SIGTERM; workspaces keep running.

    \b
    Examples:
      codehub run
      CODEHUB_LOG_FORMAT=json codehub run --prune
    """
    from settings.model import RunnerSettings
    from telemetry.logs import configure

    settings = frame.given({"CODEHUB_PRUNE": "true" if prune else None}).load(RunnerSettings)
    configure(settings.log_level, settings.log_format)
    asyncio.run(_run(settings))


async def _run(settings: "RunnerSettings") -> None:
    from stacks import daemon

    await daemon.run(settings)
