"""`codehub gateway`."""

import click

from cli import garbage
from cli.frame import Frame, pass_frame
from cli.output import talk


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on (CODEHUB_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (CODEHUB_PORT).")
@pass_frame
def gateway(frame: Frame, *, host: str | None, port: int | None) -> None:
    """Serve login, portal and workspaces.

    It ends on Ctrl-C or SIGTERM; workspaces keep running.

    \b
    Examples:
      codehub gateway
      codehub gateway --port 8080
    """
    from gateway.serve import run
    from settings.model import GatewaySettings

    asked = {"CODEHUB_HOST": host, "CODEHUB_PORT": None if port is None else str(port)}
    run(frame.given(asked).load(GatewaySettings), started=_serving)


def _serving(url: str) -> None:
    garbage.loaded()
    talk(f"serving on {url}")
