"""Asks for a workspace's id to be typed, before what can't be undone or is to be meant."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.actor import actor
from cli.failures import CliError, InputError
from cli.frame import Frame
from cli.operate import operate, telling
from cli.output import talk

if TYPE_CHECKING:
    from stacks.operator import Operator
    from stacks.steps import OnStep, Result


@dataclass(frozen=True)
class Word:
    """What someone typed.

    Attributes:
        id: The workspace's id, "" as long as nothing was typed.
        owner: The owner who was named when it was asked for, if one was.
    """

    id: str = ""
    owner: str = ""


Typed = Callable[["Operator", Word, str, "OnStep"], Awaitable["Result"]]
"""Does it, given the operator, what was typed, who typed it, and who is told the steps."""


confirm_option = click.option(
    "--confirm",
    metavar="ID",
    help="The id once more, instead of being asked for it: for scripts.",
)


def confirmed(frame: Frame, name: str, confirm: str | None, work: Typed) -> "Result":
    """Do something once the workspace's id was typed, on the command line or when asked.

    Raises:
        InputError: another word was given, or nobody is there to be asked.
        CliError: nothing was typed.
        StacksError: it can't be done, whatever is typed.
    """
    who, tell = actor(), telling()
    word = Word(confirm or "")
    if confirm is None:
        word = _asked(frame, name, lambda operator: work(operator, word, who, tell))
    if word.id != name:
        raise InputError(f"{word.id!r} is not {name}: nothing was changed")
    return operate(frame, lambda operator: work(operator, word, who, tell))


def _asked(frame: Frame, name: str, unconfirmed: "Callable[[Operator], Awaitable[Result]]") -> Word:
    """Say what would happen, as the runner tells it, and ask for the id."""
    from stacks.errors import NotConfirmedError

    try:
        operate(frame, unconfirmed)
    except* NotConfirmedError as group:
        told = group.exceptions[0]
    else:
        raise CliError("nothing was asked")
    while isinstance(told, BaseExceptionGroup):
        told = told.exceptions[0]
    assert isinstance(told, NotConfirmedError)
    if not sys.stdin.isatty():
        raise told
    talk(f"{told.message[:1].upper()}{told.message[1:]}.")
    return Word(prompted(name, otherwise="nothing was changed"), told.owner)


def prompted(name: str, *, otherwise: str) -> str:
    """Have the id typed.

    Raises:
        CliError: nothing was; it says `otherwise`.
    """
    typed = click.prompt(f"Type {name} to go on", default="", show_default=False, err=True)
    if not typed:
        raise CliError(otherwise)
    return str(typed).strip()
