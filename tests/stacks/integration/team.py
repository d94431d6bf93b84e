"""A team's repository on a real forge, and a CodeHub of its own that follows it and reviews there."""

import base64
from dataclasses import dataclass, replace
from pathlib import Path

from forges import sections
from state_index.index import Index
from state_index.reviews import Held
from tests.forges.gitea import Gitea, Repository, User
from tests.stacks.house import House
from tests.stacks.integration.test_git import workspace


@dataclass(frozen=True)
class Team:
    """A repository on a real forge, and a CodeHub that follows it."""

    house: House
    repository: Repository
    alice: User
    bot: User

    def write(self, name: str, text: str, *, branch: str = "main", base: str = "") -> str:
        return self.repository.write(self.alice, f"ws/{name}", text, branch=branch, base=base)

    def change(self, name: str, text: str | None, *, branch: str = "main") -> None:
        """Change a file that is there, or remove it."""
        self.repository.change(self.alice, f"ws/{name}", text, branch=branch)

    def light(self, **keys: str) -> str:
        return workspace(self.house, **keys).decode()

    def held(self) -> dict[str, Held]:
        with Index.open(self.house.settings.index_url) as index:
            return {each.workspace_id: each for each in index.reviews.holds()}

    def state(self, commit: str, context: str) -> str:
        return self.repository.status(commit, context)[0]

    def told(self, pull: int, section: str) -> str:
        """Give a section of our comment, once it is there."""
        comments = self.repository.comments(pull)
        bodies = [body for login, body in comments if login == self.bot.name]
        return "".join(
            one.body for body in bodies for one in sections.read(body) if one.name == section
        )

    def write_all(self, texts: dict[str, str], *, branch: str, base: str) -> None:
        """Commit new files to a new branch, all in one commit."""
        files = [
            {
                "operation": "create",
                "path": f"ws/{name}",
                "content": base64.b64encode(text.encode()).decode(),
            }
            for name, text in texts.items()
        ]
        told = {"files": files, "branch": base, "new_branch": branch, "message": "many"}
        self.repository.ask("POST", "/contents", told, user=self.alice)


def join(house: House, server: Gitea, folder: Path) -> Team:
    """Make a repository on a forge, and have a CodeHub follow it.

    Args:
        house: The CodeHub.
        server: The forge.
        folder: Where its token is kept.
    """
    alice, bot = server.user("alice"), server.user("hub-bot")
    # A forge serves many tests, and has each name once.
    repository = server.new_repository(alice, house.prefix.strip("-"))
    repository.ask("PUT", f"/collaborators/{bot.name}", {"permission": "write"})
    token = folder / "forge-token"
    token.write_text(bot.token.get_secret_value())
    token.chmod(0o600)
    extra = {
        "CODEHUB_REPO": f"{server.url}/{repository.name}.git",
        "CODEHUB_REPO_PATH": "ws",
        "CODEHUB_REPO_POLL": "1s",
        "CODEHUB_FORGE": "gitea",
        "CODEHUB_FORGE_URL": server.url,
        "CODEHUB_FORGE_REPOSITORY": repository.name,
        "CODEHUB_FORGE_TOKEN_FILE": str(token),
    }
    return Team(replace(house, extra=extra), repository, alice, bot)
