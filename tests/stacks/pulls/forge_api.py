"""A forge's API on this machine, as far as the runner asks it: what a Gitea would answer, kept in memory."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from forges.connect import connect
from forges.forge import Forge, Kind
from forges.patience import Patience
from tests.forges.server import Reply, Seen

US = "hub-bot"
REPOSITORY = "acme/fleet"
HERE = f"/api/v1/repos/{REPOSITORY}"


@dataclass
class Board:
    """What the forge knows.

    Attributes:
        pulls: Pull requests by number, as its API tells them.
        merges: The pull request of a commit.
        comments: Bodies by pull request.
        takes_pushes: Whether a push may count as a merge.
        statuses: Context, state and words by commit, the newest last.
        meanwhile: What becomes of a pull request as soon as it is commented.
        down: What it answers to everything instead.
        odd: What it answers instead to a method and what follows the repository's address.
    """

    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    merges: dict[str, int] = field(default_factory=dict)
    comments: dict[int, list[str]] = field(default_factory=dict)
    takes_pushes: bool = False
    statuses: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    meanwhile: dict[int, dict[str, Any]] = field(default_factory=dict)
    down: Reply | None = None
    odd: dict[tuple[str, str], Reply] = field(default_factory=dict)
    url: str = ""
    writes: int = 0
    asked: int = 0
    _exits: ExitStack = field(default_factory=ExitStack)

    def connect(self) -> Forge:
        return connect(
            Kind.GITEA,
            url=self.url,
            repository=REPOSITORY,
            token=SecretStr("gitea-0123456789"),
            patience=Patience(attempts=1),
        )

    def open(
        self,
        number: int,
        head: str,
        *,
        author: str = "alice",
        base: str = "main",
        branch: str = "",
    ) -> None:
        self.pulls[number] = {
            "number": number,
            "title": f"change {number}",
            "body": "please",
            "user": {"login": author},
            "merged": False,
            "merge_commit_sha": None,
            "html_url": f"{self.url}/{REPOSITORY}/pulls/{number}",
            "base": {"ref": base, "sha": head, "repo": {"id": 1}},
            "head": {"ref": branch or f"change-{number}", "sha": head, "repo": {"id": 1}},
        }

    def merge(self, number: int, commit: str, *, by: str = "carol") -> None:
        told = {"merged": True, "merge_commit_sha": commit, "merged_by": {"login": by}}
        self.pulls[number] |= told
        self.merges[commit] = number

    def __call__(self, seen: Seen) -> Reply:
        assert seen.headers["Authorization"] == "token gitea-0123456789"
        self.asked += 1
        if self.down is not None:
            return self.down
        self.writes += seen.method != "GET"
        if seen.path == "/api/v1/user":
            return Reply(data={"login": US})
        assert seen.path.startswith(HERE), seen.path
        if seen.path == HERE:
            return Reply(data={"autodetect_manual_merge": self.takes_pushes})
        if found := self.odd.get((seen.method, seen.path.removeprefix(f"{HERE}/"))):
            return found
        return self._answer(seen, seen.path.removeprefix(f"{HERE}/").split("/"))

    def _answer(self, seen: Seen, parts: list[str]) -> Reply:
        told: Any
        match seen.method, *parts:
            case "GET", "pulls":
                told = [one for one in self.pulls.values() if not one["merged"]]
            case "GET", "pulls", number:
                told = self.pulls[int(number)]
            case "GET", "commits", sha, "pull":
                told = self.pulls.get(self.merges.get(sha, 0))
            case "GET", "issues", number, "comments":
                told = list(self._listed(int(number)))
            case _:
                told = self._write(seen, parts)
        return Reply(404) if told is None else Reply(data=told)

    def _write(self, seen: Seen, parts: list[str]) -> dict[str, Any]:
        match seen.method, *parts:
            case "POST", "issues", number, "comments":
                self.comments.setdefault(int(number), []).append(seen.data["body"])
                self._becomes(int(number))
            case "PATCH", "issues", "comments", number:
                self.comments[int(number)] = [seen.data["body"]]
                self._becomes(int(number))
            case "POST", "statuses", sha:
                told = (seen.data["context"], seen.data["state"], seen.data["description"])
                self.statuses.setdefault(sha, []).append(told)
            case _:
                raise AssertionError((seen.method, parts))
        return {}

    def _becomes(self, number: int) -> None:
        for key, value in self.meanwhile.pop(number, {}).items():
            before = self.pulls[number][key]
            self.pulls[number][key] = {**before, **value} if isinstance(value, dict) else value

    def _listed(self, number: int) -> Iterator[dict[str, Any]]:
        for body in self.comments.get(number, []):
            yield {"id": number, "user": {"login": US}, "body": body}
