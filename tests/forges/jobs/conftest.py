"""Jobs of a forge: a place of their own for each command, as in the tests of the CLI."""

from tests.cli.conftest import cli, place

__all__ = ["cli", "place"]
