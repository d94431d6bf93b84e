"""Workspace ids as arguments: checked before they become part of a path or a request."""

import click


def check(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    value: str | tuple[str, ...],
) -> str | tuple[str, ...]:
    """A click callback.

    Raises:
        InvalidIdError: a name can't be an id.
    """
    from spec.ids import check_id

    for one in (value,) if isinstance(value, str) else value:
        check_id(one)
    return value
