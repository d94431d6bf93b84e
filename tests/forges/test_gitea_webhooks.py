"""Webhooks as a real Gitea sends them: what it signs, and what of them a forger could do."""

import pytest
from pydantic import SecretStr

from forges.deliveries import Deliveries
from forges.errors import ReplayError, SignatureError
from forges.forge import Kind
from forges.webhooks import Event, verify_webhook
from tests.forges.gitea import Repository, User
from tests.forges.server import Reply, Seen, serving
from tests.waiting import until

SECRET = SecretStr("shared-with-the-forge")


def event(one: Seen) -> str:
    return one.headers["X-Gitea-Event"]


async def test_deliveries_of_a_push_and_of_a_pull_request(
    repository: Repository, alice: User
) -> None:
    async with serving(lambda _seen: Reply(204)) as receiver:
        hook = repository.hook(f"{receiver.url}/hook", SECRET.get_secret_value())
        path = "workspaces.d/hooked.yaml"
        sha = repository.write(alice, path, "owner: alice\n", branch="hooked", base="main")
        told = {"base": "main", "head": "hooked", "title": "Hooked"}
        number = repository.ask("POST", "/pulls", told, user=alice)["number"]
        await until(lambda: {"push", "pull_request"} <= set(map(event, receiver.seen)), "both")
        repository.ask("DELETE", f"/hooks/{hook}")
        seen = Deliveries()
        found = {}
        for one in receiver.seen:
            delivery = verify_webhook(one.headers, one.body, SECRET, kind=Kind.GITEA)
            found[delivery.event] = delivery
            seen.admit(delivery)
    push, pull = found[Event.PUSH], found[Event.PULL_REQUEST]
    assert (push.repository, push.branch, push.sha) == (repository.name, "hooked", sha)
    assert (pull.pull, pull.branch, pull.sha, pull.action) == (number, "main", sha, "opened")
    # Whoever read one along the way.
    (first, *_) = receiver.seen
    replayed = dict(first.headers) | {"X-Gitea-Delivery": "another-one"}
    with pytest.raises(ReplayError):
        seen.admit(verify_webhook(replayed, first.body, SECRET, kind=Kind.GITEA))
    with pytest.raises(SignatureError):
        verify_webhook(first.headers, first.body + b" ", SECRET, kind=Kind.GITEA)
    with pytest.raises(SignatureError):
        verify_webhook(first.headers, first.body, SecretStr("not the secret"), kind=Kind.GITEA)
