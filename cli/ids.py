"""Workspace ids as arguments: checked before they become part of a path or a request."""

import click

from cli.failures import InputError

SHOWS = "codehub list shows the workspaces there are"


def check(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    value: str | tuple[str, ...],
) -> str | tuple[str, ...]:
    """A click callback.

    Raises:
        InputError: a name can't be an id.
    """
    from spec import InvalidIdError, check_id

    for one in (value,) if isinstance(value, str) else value:
        try:
            check_id(one)
        except InvalidIdError as error:
            # Its hint is for who names a file; here, one that is there already is meant.
            raise InputError(error.message, hint=SHOWS) from None
    return value
