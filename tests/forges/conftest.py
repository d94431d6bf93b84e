"""A Gitea for the tests of this room, with a bot and somebody else on it."""

from collections.abc import Iterator

import pytest

from tests.forges import gitea
from tests.forges.gitea import Gitea, Repository, User


@pytest.fixture(scope="session")
def server() -> Iterator[Gitea]:
    """The server."""
    with gitea.serving() as running:
        yield running


@pytest.fixture(scope="session")
def bot(server: Gitea) -> User:
    """Who CodeHub is there; its token has the rights that the docs name."""
    return server.new_user("hub-bot")


@pytest.fixture(scope="session")
def alice(server: Gitea) -> User:
    """Somebody else, who owns the repository."""
    return server.new_user("alice")


@pytest.fixture(scope="session")
def repository(server: Gitea, bot: User, alice: User) -> Repository:
    """Alice's repository, which the bot may write to."""
    made = server.new_repository(alice, "fleet")
    made.ask("PUT", f"/collaborators/{bot.name}", {"permission": "write"})
    return made
