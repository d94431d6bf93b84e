"""Reading the state index for commands that show it, without making one where there is none.

It is read also where it can't be written: on a read-only mount, say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.failures import CliError
from cli.ids import SHOWS

if TYPE_CHECKING:
    from settings.model import Settings
    from state_index.index import Index
    from state_index.models import Published


@contextmanager
def reading(settings: "Settings") -> Iterator["Index | None"]:
    """The index, or None when nothing has been published here yet.

    Raises:
        IndexUnavailableError: it is there and can't be read.
    """
    if not published_here(settings):
        yield None
        return
    from state_index.index import Index

    with Index.look(settings.index_url) as index:
        yield index


def published_here(settings: "Settings") -> bool:
    """Whether there is an index: an embedded one is a file.

    Raises:
        CliError: this user may not look.
    """
    from state_index.database import sqlite_file

    file = sqlite_file(settings.index_url)
    try:
        return file is None or file.exists()
    except PermissionError:
        message = f"this user may not look into {settings.data}"
        hint = "run the command as the user that the folder belongs to"
        raise CliError(message, hint=hint) from None


def none_yet(settings: "Settings") -> str:
    """What to say where nothing is published; the folder, for the current one decides it."""
    return f"no workspaces yet in {settings.data}: add a file to workspaces.d and run codehub up"


def rows(settings: "Settings", owner: str | None = None) -> list["Published"]:
    """Every published workspace, or an owner's."""
    with reading(settings) as index:
        return index.workspaces(owner) if index else []


def picked(found: list["Published"], ids: tuple[str, ...]) -> list["Published"]:
    """Those with these ids; all without any.

    Raises:
        CliError: one of them is not published.
    """
    by_id = {row.id: row for row in found}
    for workspace in ids:
        if workspace not in by_id:
            raise CliError(f"no workspace {workspace}", hint=_near(workspace, list(by_id)))
    return [by_id[workspace] for workspace in ids] if ids else found


def _near(workspace: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(workspace, known, n=1)
    return f"did you mean {near[0]}?" if near else SHOWS
