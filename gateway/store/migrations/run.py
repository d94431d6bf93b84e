"""Runs the migrations on a connection that the caller opened and commits."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from gateway.errors import StoreUnavailableError


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest version, in the caller's transaction.

    Raises:
        StoreUnavailableError: They are of a newer version than this program.
    """
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise StoreUnavailableError(
            "The store was written by a newer CodeHub: run that version."
        ) from error
