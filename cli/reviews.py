"""A review of two commits: made, shown, and judged by an exit code."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import BAD_INPUT
from cli.output import print_json, styled, talk

if TYPE_CHECKING:
    from stacks.review.model import Review

REFUSED = 3
"""A mandatory rule forbids the change."""
_COLORS = {"-": "red", "→": "magenta", "±": "magenta", "!": "red", "~": "yellow", "+": "green"}


def made(
    repository: Path, *, cache: Path, base: str, head: str, path: str, author: str = ""
) -> "Review":
    """Read both commits and compare them.

    Args:
        repository: Has both commits.
        cache: Where is kept what was read of files.
        base: Name of the one that would be merged onto.
        head: Name of the branch's last.
        path: Folder of workspace files.
        author: Who wants the change, `forge:login` or an owner's name; "" does not ask.

    Raises:
        GitRefError: There is no such commit.
        GitError: The repository can't be read.
    """
    from datetime import UTC, datetime

    from stacks.git.command import Git
    from stacks.review.making import make
    from stacks.review.readings import Readings

    review, _ = make(
        Git(folder=repository),
        base=base,
        head=head,
        path=path,
        author=author,
        today=datetime.now(UTC).date(),
        reader=Readings(cache),
    )
    return review


def show(found: "Review", output: str) -> None:
    """Print a review; what it comes to goes to standard error."""
    from stacks.review import markdown, plain, text

    if output == "json":
        print_json(plain.plain(found))
    elif output == "markdown":
        click.echo(markdown.markdown(found), nl=False)
    else:
        for line in text.lines(found):
            color = None if line.startswith(" ") else _COLORS.get(line[:1])
            click.echo(styled(line, fg=color) if color else line)
    talk(text.summary(found))


def exit_code(found: "Review") -> int:
    """0 when it may be merged; 2 when a file is wrong, else 3 when a rule forbids it."""
    if found.invalid:
        return BAD_INPUT
    return REFUSED if found.refused else 0
