"""`codehub list`."""

import click

from cli.address import workspace_url
from cli.frame import Frame, pass_frame
from cli.index import none_yet, rows
from cli.output import output_option, print_json, print_table, talk
from cli.phases import STYLES


@click.command("list")
@click.option("--owner", metavar="NAME", help="Only this owner's.")
@click.option("-q", "--quiet", is_flag=True, help="Ids only.")
@output_option("table", "json")
@pass_frame
def list_(frame: Frame, *, owner: str | None, quiet: bool, output: str) -> None:
    """List workspaces and their addresses.

    \b
    Examples:
      codehub list
      codehub list --owner alice -o json
      codehub list -q | xargs -n1 codehub stop
    """
    from settings.model import GatewaySettings

    settings = frame.load(GatewaySettings)
    found = [
        {
            "id": row.id,
            "owner": row.owner,
            "phase": row.phase.value,
            "url": workspace_url(settings, row.id),
        }
        for row in rows(settings, owner)
    ]
    if output == "json":
        print_json({"workspaces": found})
    elif quiet:
        for row in found:
            click.echo(row["id"])
    elif found:
        print_table(("ID", "OWNER", "PHASE", "URL"), [tuple(row.values()) for row in found], STYLES)
    else:
        talk(none_yet(settings))
