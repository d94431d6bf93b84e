"""A GitHub of one pull request for the tests of jobs: a server on this machine that keeps what it is told.

Each request and each answer is held against GitHub's own description of its API.
"""

from typing import Any

from pydantic import SecretStr

from tests.forges.openapi import check_reply, check_request, example
from tests.forges.server import Reply, Seen

TOKEN = SecretStr("ghs-0123456789-canary")
US = "github-actions[bot]"
NOT_ALLOWED = Reply(403, {"message": "Resource not accessible by integration"})


class GitHub:
    """What it answers; `serving(GitHub(...))` serves it."""

    def __init__(self, *, base: str, head: str, fork: bool = False) -> None:
        self.base, self.head, self.fork = base, head, fork
        self.merged = False
        self.pushed_over = ""
        """The head that it has from the first status on: somebody pushes."""
        self.refused: dict[str, Reply] = {}
        """Answers to operations that are not done, by the operation's id."""
        self.asked: list[str] = []
        self.comments: list[str] = []
        self.statuses: list[tuple[str, str, str]] = []
        self.wrong: list[Exception] = []

    def __call__(self, seen: Seen) -> Reply:
        """Answer a request; what is no request of GitHub's is kept, to be told by the test."""
        try:
            return self._answered(seen)
        except Exception as error:
            self.wrong.append(error)
            raise

    def _answered(self, seen: Seen) -> Reply:
        assert seen.headers["Authorization"] == f"Bearer {TOKEN.get_secret_value()}"
        found = check_request(seen)
        name = str(found["operationId"])
        self.asked.append(name)
        if name in self.refused:
            return self.refused[name]
        reply = self._done(name, seen)
        check_reply(found, reply)
        return reply

    def _done(self, name: str, seen: Seen) -> Reply:
        if name == "pulls/get":
            return Reply(data=self._pull())
        if name == "repos/create-commit-status":
            told = seen.data
            sha = seen.path.rpartition("/")[2]
            self.statuses.append((sha, told["state"], told["description"]))
            assert told["context"] == "codehub/preview"
            self.head = self.pushed_over or self.head
            return Reply(201, example(name, 201))
        if name == "issues/list-comments":
            return Reply(data=[self._comment(n, body) for n, body in enumerate(self.comments, 1)])
        assert name in {"issues/create-comment", "issues/update-comment"}, name
        if name == "issues/create-comment":
            self.comments.append(seen.data["body"])
            return Reply(201, example(name, 201))
        self.comments[int(seen.path.rpartition("/")[2]) - 1] = seen.data["body"]
        return Reply(data=example(name))

    def _pull(self) -> dict[str, Any]:
        told: dict[str, Any] = example("pulls/get")
        head = told["head"] | {"sha": self.head, "ref": "proposed"}
        if self.fork:
            head["repo"] = head["repo"] | {"id": head["repo"]["id"] + 1}
        base = told["base"] | {"sha": self.base, "ref": "main"}
        changed = {"number": 7, "merged": self.merged}
        return told | {"head": head, "base": base, **changed}

    def _comment(self, number: int, body: str) -> dict[str, Any]:
        made: dict[str, Any] = example("issues/get-comment")
        return made | {"id": number, "body": body, "user": made["user"] | {"login": US}}
