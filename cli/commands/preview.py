"""`codehub preview`."""

import click

from cli import changes, ids
from cli.failures import BAD_INPUT
from cli.frame import Frame, pass_frame
from cli.operate import operate
from cli.output import output_option, print_json, talk
from cli.rule_files import tell_broken


@click.command()
@click.argument("names", nargs=-1, metavar="[ID]...", callback=ids.check)
@output_option("table", "json")
@pass_frame
@click.pass_context
def preview(ctx: click.Context, frame: Frame, *, names: tuple[str, ...], output: str) -> None:
    """Show what `up` would do.

    Nothing is changed. Destructive changes come first; each says what happens to the data. The
    exit code is 0 whether or not there are changes, 2 when a file is wrong (also one of owners and
    rules), 1 when `up` would refuse
    something (its image is not on the engine, it uses more memory than it shall have, a policy
    forbids it), or it could not be previewed.

    \b
    Examples:
      codehub preview
      codehub preview alice-demo
      codehub preview -o json | jq '.changes[] | select(.destructive).id'
    """
    from settings.model import RunnerSettings

    found = operate(frame, lambda operator: operator.preview(names or None))
    if output == "json":
        print_json({"changes": [change.to_json() for change in found]})
    else:
        changes.show([change for change in found if not changes.is_unknown(change)])
    for change in filter(changes.is_unknown, found):
        changes.tell_unknown(change)
    broken = tell_broken(frame.load(RunnerSettings))
    talk(changes.summary(found))
    ctx.exit(changes.exit_code(found) or (BAD_INPUT if broken else 0))
