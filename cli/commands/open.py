"""`codehub open`."""

import sys
from typing import TYPE_CHECKING

import click

from cli import index
from cli.address import workspace_url
from cli.frame import Frame, pass_frame
from cli.output import talk

if TYPE_CHECKING:
    from state_index.models import Published


@click.command("open")
@click.argument("id_", metavar="ID")
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
@pass_frame
def open_(frame: Frame, *, id_: str, browser: bool) -> None:
    """Print a workspace's address; open it in a browser.

    A browser is opened at a terminal of a graphical session only.

    \b
    Examples:
      codehub open alice-demo
      curl -sI "$(codehub open alice-demo)"
    """
    from settings.model import GatewaySettings

    settings = frame.load(GatewaySettings)
    (row,) = index.picked(index.rows(settings), (id_,))
    url = workspace_url(settings, id_)
    click.echo(url)
    _say_unless_running(row)
    if browser and sys.stdout.isatty() and _is_graphical(frame):
        click.launch(url)


def _say_unless_running(row: "Published") -> None:
    if row.phase != "RUNNING":
        talk(f"{row.id} is {row.phase.value}: codehub start {row.id}")


def _is_graphical(frame: Frame) -> bool:
    """Whether a browser would show; one in the terminal is not meant."""
    graphical = frame.env.get("DISPLAY") or frame.env.get("WAYLAND_DISPLAY")
    return sys.platform == "darwin" or bool(graphical)
