"""`codehub exec`."""

import asyncio
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from cli import ids, terminal
from cli.failures import InputError
from cli.frame import Frame, pass_frame
from cli.operate import operate

if TYPE_CHECKING:
    from cli.pipes import Writer
    from stacks.operator import Operator
    from stacks.streams.model import ExecOptions, Process

_SIGNALLED = 128
"""What shells add to a signal's number for an exit code."""


class ExecCommand(click.Command):
    """Options stand before and after the ID; what follows them is the command with its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Tell our options from the command's."""
        options: list[str] = []
        name: list[str] = []
        rest = list(args)
        while rest and rest[0] != "--" and (rest[0].startswith("-") or not name):
            (options if rest[0].startswith("-") else name).append(rest.pop(0))
        if rest[:1] == ["--"]:
            del rest[0]
        return super().parse_args(ctx, [*options, "--", *name, *rest])


@click.command("exec", cls=ExecCommand, options_metavar="[-i] [-t]")
@click.argument("name", metavar="ID", callback=ids.check)
@click.argument(
    "command", metavar="[--] COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED
)
@click.option("-i", "--stdin", is_flag=True, help="Pass standard input on.")
@click.option("-t", "--tty", is_flag=True, help="Give the command a terminal.")
@pass_frame
@click.pass_context
def exec_(
    ctx: click.Context,
    frame: Frame,
    *,
    name: str,
    command: tuple[str, ...],
    stdin: bool,
    tty: bool,
) -> None:
    """Run a command in a running workspace.

    It runs as the workspace's user in the home; its exit code is that of this command. No shell
    reads it: for pipes and the like, run one. When this command is ended before it, also by
    Ctrl-C without a terminal, it is hung up (SIGHUP).

    \b
    Examples:
      codehub exec -it alice-demo bash
      codehub exec alice-demo -- git -C project status
      codehub exec -i alice-demo -- tar -xz < project.tar.gz
      codehub exec alice-demo -- sh -c 'du -sh ~/* | sort -h'
    """
    from stacks.streams.frames import Size
    from stacks.streams.model import ExecOptions

    if tty and stdin and not terminal.is_terminal(0):
        raise InputError(
            "-t with -i needs a terminal, and standard input is none", hint="leave out -t"
        )
    cells = terminal.size(0) or terminal.size(1) if tty else None
    wanted = ExecOptions(
        command=command,
        stdin=stdin,
        tty=tty,
        size=Size(cols=cells[0], rows=cells[1]) if cells else None,
    )
    wanted.check()
    ctx.exit(operate(frame, lambda operator: _run(operator, name, wanted), exclusive=False))


async def _run(operator: "Operator", name: str, wanted: "ExecOptions") -> int:
    with terminal.ended_by_signal() as came:
        try:
            async with operator.streams.exec(name, wanted) as process:
                return await _attend(process, wanted)
        except asyncio.CancelledError:
            if not came:
                raise
            return _SIGNALLED + came[0]


async def _attend(process: "Process", wanted: "ExecOptions") -> int:
    """Pass on input, output and window sizes until the command ends."""
    from cli.pipes import Writer

    with ExitStack() as restored:
        if wanted.tty and wanted.stdin:
            restored.enter_context(terminal.raw(0))
        async with asyncio.TaskGroup() as group:
            helpers = []
            if wanted.stdin:
                helpers.append(group.create_task(_feed(process)))
            if wanted.tty:
                helpers.append(group.create_task(_keep_size(process)))
            await _show(process, {1: Writer(sys.stdout.fileno()), 2: Writer(sys.stderr.fileno())})
            code = await process.exit_code()
            for helper in helpers:
                helper.cancel()
        return code


async def _show(process: "Process", files: "dict[int, Writer]") -> None:
    while (piece := await process.read()) is not None:
        await files[piece[0]].write(piece[1])


async def _feed(process: "Process") -> None:
    from cli.pipes import Reader

    async for piece in Reader(0).pieces():
        await process.write(piece)
    await process.close_stdin()


async def _keep_size(process: "Process") -> None:
    """Tell each new size of the window; of several at once, the last."""
    from stacks.streams.frames import Size

    changed = asyncio.Event()
    with terminal.on_resize(changed.set):
        while True:
            await changed.wait()
            changed.clear()
            cells = terminal.size(0) or terminal.size(1)
            if cells:
                await process.resize(Size(cols=cells[0], rows=cells[1]))
