"""`codehub run`."""

import asyncio
from typing import TYPE_CHECKING

import click

from cli import garbage
from cli.frame import Frame, pass_frame

if TYPE_CHECKING:
    from settings.model import RunnerSettings


@click.command()
@click.option("--prune", is_flag=True, help="Remove workspaces whose file is gone; homes are kept.")
@click.option("--repo", metavar="URL", help="Follow a git repository instead of the folder.")
@click.option("--branch", metavar="NAME", help="Its branch [default: main].")
@click.option("--path", metavar="FOLDER", help="Folder within it [default: workspaces.d].")
@pass_frame
def run(
    frame: Frame, *, prune: bool, repo: str | None, branch: str | None, path: str | None
) -> None:
    """Keep workspaces as their files say.

    It follows the folder of workspace files, or a branch of a git repository: with --repo, a commit
    that removes a file removes the workspace, and its home is kept. Tokens and keys are read from
    files that the settings name, never from the URL. It serves starts and stops from the portal, and publishes
    what it does. One leads; any other of the same data folder stands by and takes over when that one
    ends, is killed or stands still. It ends on Ctrl-C or SIGTERM; workspaces keep running.

    \b
    Examples:
      codehub run
      codehub run --repo https://git.example.org/team/workspaces.git --branch main
      CODEHUB_LOG_FORMAT=json codehub run --prune
    """
    from settings.model import RunnerSettings
    from telemetry.logs import configure

    given = {
        "CODEHUB_PRUNE": "true" if prune else None,
        "CODEHUB_REPO": repo,
        "CODEHUB_REPO_BRANCH": branch,
        "CODEHUB_REPO_PATH": path,
    }
    settings = frame.given(given).load(RunnerSettings)
    configure(settings.log_level, settings.log_format)
    asyncio.run(_run(settings))


async def _run(settings: "RunnerSettings") -> None:
    from stacks import daemon

    garbage.watching()
    await daemon.run(settings)
