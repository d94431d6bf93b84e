"""`codehub schema`."""

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of workspace files.

    Editors complete and check workspace files by it.

    \b
    Example:
      codehub schema > workspace.schema.json
    """
    from spec.schema import schema_text

    click.echo(schema_text(), nl=False)
