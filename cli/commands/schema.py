"""`codehub schema`."""

import click

KINDS = ("workspace", "defaults", "generator", "template", "owners", "policies")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS), default=KINDS[0], metavar="[KIND]")
def schema_(*, kind: str) -> None:
    """Print the JSON Schema of workspace files, or of those beside them.

    KIND is workspace (the default), defaults, generator, template, owners or policies. Editors
    complete and check files by it.

    \b
    Examples:
      codehub schema > workspace.schema.json
      codehub schema generator > generator.schema.json
    """
    from spec import rule_schemas, schema, shared_schemas

    path = schema.COMMITTED.with_name(f"{kind}.schema.json")
    if path == schema.COMMITTED:
        text = schema.schema_text()
    else:
        of = shared_schemas if path in shared_schemas.SCHEMAS else rule_schemas
        text = of.schema_text(path)
    click.echo(text, nl=False)
