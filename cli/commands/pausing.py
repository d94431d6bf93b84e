"""`codehub pause` and `codehub resume`."""

from typing import TYPE_CHECKING

import click

from cli import index
from cli.actor import actor
from cli.failures import CliError
from cli.frame import Frame, pass_frame
from cli.output import talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from settings.model import RunnerSettings
    from state_index.repository import Repository


@click.command()
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever looks at the status.")
@pass_frame
def pause(frame: Frame, *, reason: str) -> None:
    """Leave new commits of the repository alone.

    The commit that counts now goes on to count: what another hand changes is healed, and workspaces
    start and stop as ever. It lasts until `codehub resume`, whatever is restarted meanwhile.

    \b
    Examples:
      codehub pause --reason "the engine is moved tonight"
    """
    settings = _settings(frame)

    def ask(repository: "Repository") -> str:
        found = repository.pause(actor=actor(), reason=reason[:500])
        return f"paused by {found.paused_by}"

    _asked(settings, ask)


@click.command()
@pass_frame
def resume(frame: Frame) -> None:
    """Let new commits of the repository count again.

    \b
    Examples:
      codehub resume
    """
    settings = _settings(frame)

    def ask(repository: "Repository") -> str:
        return "resumed" if repository.resume().paused else "it was not paused"

    _asked(settings, ask)


def _settings(frame: Frame) -> "RunnerSettings":
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    if settings.repo is None and not _follows(settings):
        hint = "name one: codehub run --repo URL, or CODEHUB_REPO"
        raise CliError("no repository is followed here", hint=hint)
    return settings


def _follows(settings: "RunnerSettings") -> bool:
    with index.reading(settings) as opened:
        return opened is not None and bool(opened.repository.followed().url)


def _asked(settings: "RunnerSettings", ask: "Callable[[Repository], str]") -> None:
    from state_index.index import Index
    from state_index.nudge import send

    if not index.published_here(settings):
        settings.paths.make()
    with Index.open(settings.index_url) as opened:
        talk(ask(opened.repository))
    send(settings.paths.nudge, "repository")
