"""Notices of one real daemon and engine: what they alone prove is that real rows lead to them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from state_index.phases import Phase
from tests import leaks
from tests.stacks.house import DAEMON, House
from tests.stacks.notices.receivers import Posted, http_server
from tests.waiting import until

pytestmark = pytest.mark.engine

CANARY = "canary-daemon-61"
KEY = "canary-key-62-0123456789"

SOON = f"from stacks.notices import outbox\noutbox.SPACING = 0.5\n{DAEMON}"
"""The daemon, with less time between two messages."""


def secret(path: Path, text: str) -> str:
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def told(posted: Posted) -> list[tuple[str, str, str]]:
    """What was told until now, in order: kind, workspace, reason."""
    notices = [one for got in posted.requests for one in got.body["notices"]]
    return [(one["kind"], one["workspace"], one["reason"]) for one in notices]


async def pids(house: House, id_: str, limit: int) -> None:
    path = f"containers/{house.prefix}{id_}/update"
    await house.docker._query_json(path, method="POST", data={"PidsLimit": limit})


def _process_list() -> str:
    """All arguments and environments that can be read."""
    return "\n".join([*leaks.arguments(), *leaks.environments()])


async def test_failure_drift_their_ends_and_a_restart(house: House) -> None:
    with http_server() as posted:
        house = replace(
            house,
            extra={
                "CODEHUB_NOTIFY_WEBHOOK_FILE": secret(house.root / "url", f"{posted.url}/{CANARY}"),
                "CODEHUB_NOTIFY_WEBHOOK_KEY_FILE": secret(house.root / "key", KEY),
                "CODEHUB_BASE_URL": "https://hub.example.org",
            },
        )

        def has(*expected: tuple[str, str, str]) -> Callable[[], bool]:
            return lambda: told(posted)[: len(expected)] == list(expected)

        failure = ("failure", "alice", "IMAGE_MISSING")
        drift = ("drift", "bob", "DRIFT")
        async with house.daemon(script=SOON):
            house.write("alice", image="codehub-test-no-such-image:1")
            house.write("bob", drift="report")
            await until(has(failure), "the failure", within=60)
            await house.until_phase("bob", Phase.RUNNING)
            await pids(house, "bob", 999)
            await until(has(failure, drift), "the drift", within=60)
            assert CANARY not in _process_list()
            assert KEY not in _process_list()
        first = posted.requests[0].body["notices"][0]
        assert first["url"] == "https://hub.example.org/workspaces/alice"
        assert (first["owner"], first["phase"]) == ("alice", "ERROR")
        assert "Build or pull the image" in first["remedy"]

        # Nothing again after a restart: the next that is told is what is new.
        other = ("failure", "carol", "IMAGE_MISSING")
        async with house.daemon(script=SOON, name="second"):
            house.write("carol", image="codehub-test-no-such-image:1")
            await until(has(failure, drift, other), "the other failure", within=60)
            house.write("alice")
            house.write("bob", drift="heal")
            ends = {("recovered", "alice", "IMAGE_MISSING"), ("drift-ended", "bob", "DRIFT")}
            await until(lambda: set(told(posted)[3:]) == ends, "the ends", within=60)
        assert len(told(posted)) == 5
        assert {got.path for got in posted.requests} == {f"/{CANARY}"}
    _nothing_secret(house)


async def test_an_engine_that_is_away_is_one_message(house: House) -> None:
    with http_server() as posted:
        house = replace(
            house,
            extra={
                "CODEHUB_DOCKER_HOST": f"unix://{house.root}/none.sock",
                "CODEHUB_NOTIFY_SLACK_FILE": secret(house.root / "slack", posted.url),
                "CODEHUB_NOTIFY_AFTER": "3s",
            },
        )
        for number in range(5):
            house.write(f"w{number}")
        async with house.daemon(script=SOON):
            await until(lambda: posted.requests, "the message", within=60)
            house.write("late")
            await until(lambda: len(posted.requests) == 2, "the other message", within=60)
        head, *sections = posted.requests[0].body["blocks"]
        assert head["text"]["text"] == "CodeHub: 5 failed"
        assert len([one for one in sections if "ENGINE_UNAVAILABLE" in one["text"]["text"]]) == 5
        assert posted.requests[1].body["text"] == "CodeHub: late failed (ENGINE_UNAVAILABLE)"


def _nothing_secret(house: House) -> None:
    """Look for the canaries in the data tree and the logs."""
    assert json.loads((house.root / "data/notices/webhook.json").read_text())["waiting"] == []
    shutil.rmtree(house.root / "data" / "run", ignore_errors=True)
    for path in [*(house.root / "data").rglob("*"), *house.root.glob("*.log")]:
        if path.is_file():
            content = path.read_bytes()
            assert CANARY.encode() not in content, path
            assert KEY.encode() not in content, path
