"""A click group that imports a subcommand when it is run, not when its name is shown."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import click

from cli import garbage
from cli.failures import report
from cli.frame import enter


class Lazy(NamedTuple):
    """Where a subcommand is.

    Attributes:
        target: `module:attribute`.
        help: its short help; a test compares it with the command's own.
    """

    target: str
    help: str


class LazyGroup(click.Group):
    """The top group: sections of lazily imported commands, and one way to end with an error."""

    def __init__(
        self, *args: Any, sections: Mapping[str, Mapping[str, Lazy]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self._lazy = {name: lazy for section in sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every name, in the order of the help."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name].target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the lazy names offered for a slip."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(
                error.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, from the table alone."""
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, lazy.help) for name, lazy in section.items()])

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run, and end the process: 0, or an error's code after saying what is wrong."""
        enter(None)
        garbage.loading()
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
            sys.stdout.flush()  # here, so that a reader who went away is noticed before the end
        except BaseException as error:  # noqa: BLE001 (the one place where a command ends)
            code = report(error)
        raise SystemExit(code if isinstance(code, int) else 0)
