"""`codehub pulumi ...`."""

import click

from cli import ids
from cli.commands.exec import ExecCommand
from cli.frame import Frame, pass_frame


@click.group()
def pulumi() -> None:
    """Use plain Pulumi on workspaces' stacks.

    \b
    Examples:
      codehub pulumi exec alice-demo -- preview --diff
      eval "$(codehub pulumi env)"
    """


@pulumi.command("exec", cls=ExecCommand)
@click.argument("name", metavar="ID", callback=ids.check)
@click.argument("args", metavar="[--] ARGS...", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_frame
@click.pass_context
def exec_(ctx: click.Context, frame: Frame, *, name: str, args: tuple[str, ...]) -> None:
    """Run a Pulumi command on a workspace's stack.

    `preview` and `up` get the program that CodeHub itself runs, so they show and do the same. The
    exit code is Pulumi's. The data tree is held meanwhile: a running daemon must be ended first.
    Pulumi ends with this command, and when the data tree is lost to another runner.

    \b
    Examples:
      codehub pulumi exec alice-demo -- preview --diff
      codehub pulumi exec alice-demo -- stack export
    """
    from settings.model import RunnerSettings
    from stacks.plain.call import call

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    ctx.exit(call(settings, name, args))


@pulumi.command()
@pass_frame
def env(frame: Frame) -> None:
    """Print what a shell needs for plain Pulumi on these stacks.

    Then, in the data tree's folder `work`, `pulumi preview --stack ID` works as in any project, if
    Pulumi has its language host for Python.

    Use it for what changes nothing. The data tree is held only while the program runs, which is over
    before Pulumi is, and state commands don't run it at all. What changes something belongs to
    `codehub pulumi exec`, which holds it to the end.

    \b
    Example:
      eval "$(codehub pulumi env)"
    """
    from settings.model import RunnerSettings
    from stacks.plain.call import exports

    for line in exports(frame.load(RunnerSettings)):
        click.echo(line)
