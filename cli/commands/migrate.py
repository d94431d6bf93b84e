"""`codehub migrate`."""

import click

from cli.frame import Frame, pass_frame
from cli.output import talk


@click.command()
@pass_frame
def migrate(frame: Frame) -> None:
    """Make or upgrade the tables of state index and store, and end.

    Runner and gateway do so by themselves when they may. Where their database roles may not, the
    owner of the tables runs this first, also after an upgrade of CodeHub.

    \b
    Examples:
      codehub migrate
    """
    from gateway.store import open_store
    from settings.model import GatewaySettings
    from state_index.index import Index

    settings = frame.load(GatewaySettings)
    frame.configure_logs(settings)
    settings.paths.make()
    Index.migrate(settings.index_url)
    talk("the state index is up to date")
    open_store(settings).close()
    talk("the store is up to date")
