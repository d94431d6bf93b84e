"""How commands print: data on standard output (tables or JSON), talk on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.frame import current

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])

_UNBOUNDED = 10_000
"""Columns of a table that no person looks at: nothing is cut for programs."""


def output_option(*choices: str) -> Callable[[F], F]:
    """The `-o` option; the first choice is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="Form of the data on standard output.",
    )


def print_json(data: object) -> None:
    """Print JSON, indented, for programs and people."""
    click.echo(_json(data, indent=2))


def print_line_json(data: object) -> None:
    """Print JSON on one line: one document of a stream."""
    click.echo(_json(data))


def _json(data: object, **form: Any) -> str:
    from telemetry.words import escaped

    return escaped(json.dumps(data, ensure_ascii=False, **form))


def talk(text: str) -> None:
    """Say something to the person at the keyboard, which may hold words of others."""
    click.echo(shown(text), err=True)


def shown(text: str) -> str:
    """Give words that may be of others as a terminal may show them."""
    from telemetry.words import harmless

    return harmless(text)


def styled(text: str, **style: Any) -> str:
    """Colour for standard output, when it is wanted there."""
    return click.style(text, **style) if current().colored(sys.stdout) else text


def console() -> "Console":
    """The console of standard output."""
    from rich.console import Console

    colored = current().colored(sys.stdout)
    people = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if people else _UNBOUNDED,
        force_terminal=colored,
        color_system="standard" if colored else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str] | None = None
) -> "Table":
    """Columns of text as kubectl prints them.

    Args:
        columns: their titles.
        rows: one text per column.
        styles: rich style of a cell by its text.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, title in enumerate(columns):
        last = number == len(columns) - 1
        made.add_column(title, no_wrap=not last or not sys.stdout.isatty(), overflow="ellipsis")
    for row in rows:
        made.add_row(*(Text(shown(cell), style=(styles or {}).get(cell, "")) for cell in row))
    return made


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str] | None = None
) -> None:
    """Print a table, without spaces at line ends."""
    screen = console()
    with screen.capture() as captured:
        screen.print(table(columns, rows, styles))
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=True if current().colored(sys.stdout) else None)
