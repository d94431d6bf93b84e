"""Twenty clients behind a barrier, two gateway processes, one runner: what they saw fits the model.

Each round all ask at once: for starts, for stops, or for both mixed. The seed, which is in
the test's name, decides who asks for what and how long the runner takes for its steps.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import httpx
import pytest

from gateway.store import Store
from settings.paths import DataPaths
from state_index.index import Index
from state_index.phases import Event
from tests.gateway.harness import ALICE, login_of
from tests.gateway.intents.model import Asked, Call, Kind, State, check
from tests.gateway.intents.parties import WORKSPACE, Clients, Runner
from tests.gateway.process import process
from tests.hub import wait_for
from tests.postgres import serving

CLIENTS = 20
SEED = 20261121


@pytest.fixture(params=["sqlite", "postgresql"])
def index_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    kind: Literal["sqlite", "postgresql"] = request.param
    if kind == "sqlite":
        yield f"sqlite:///{DataPaths(tmp_path / 'data').index_db}"
        return
    with serving() as server:
        yield server.new_url()


@pytest.fixture
def index(index_url: str, tmp_path: Path) -> Iterator[Index]:
    DataPaths(tmp_path / "data").make()
    with Index.open(index_url) as opened:
        opened.publish(WORKSPACE, event=Event.STOPPED, cause="test", owner=ALICE[0])
        yield opened


@pytest.fixture
def clients(index: Index, index_url: str, tmp_path: Path) -> Iterator[Clients]:
    with Store(f"sqlite:///{DataPaths(tmp_path / 'data').store_db}", idle=3600) as store:
        store.users.add(*ALICE)
    with ExitStack() as stack:
        # Nobody reads their logs meanwhile: thousands of lines would fill the pipe.
        settings = {"index_url": index_url, "log_level": "error"}
        made = [stack.enter_context(process(tmp_path, **settings)) for _ in range(2)]
        urls = [url for _, url in made]
        cookie = log_in(urls[0])
        clients = Clients(urls, CLIENTS, cookie)
        stack.callback(clients.close)
        yield clients


def log_in(url: str) -> str:
    answer = httpx.post(f"{url}/api/v1/session", json=login_of(ALICE), headers={"Origin": url})
    assert answer.status_code == 201, answer.text
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def wishes(choices: random.Random) -> list[Kind]:
    ratio = choices.choice((0.0, 0.5, 1.0))
    return ["start" if choices.random() < ratio else "stop" for _ in range(CLIENTS)]


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(10, id=f"cut-seed-{SEED}"),
        pytest.param(
            200, id=f"whole-seed-{SEED}", marks=[pytest.mark.long, pytest.mark.timeout(600)]
        ),
    ],
)
def test_at_most_one_new_operation_a_transition_whoever_asks(
    index: Index, clients: Clients, rounds: int
) -> None:
    choices = random.Random(SEED)
    runner = Runner(index, random.Random(SEED + 1))
    asked: list[Call] = []
    with runner.working():
        for _ in range(rounds):
            asked += clients.ask(wishes(choices))
        new = [what.which for what in whats(asked) if what.answer == "new"]
        wait_for(lambda: all(settled(index, each) for each in new), "the last operation")
    last = check([*asked, *runner.calls], State("WARM"))
    row = index.workspace(WORKSPACE)
    assert row is not None
    assert last == {State(row.phase)}
    assert runner.transitions == len(new) == len(set(new))
    assert {"new", "joined", "refused"} == {what.answer for what in whats(asked)}
    assert clients.operation(new[-1])["status"] in {"done", "failed"}


def whats(calls: list[Call]) -> list[Asked]:
    return [call.what for call in calls if isinstance(call.what, Asked)]


def settled(index: Index, operation: str) -> bool:
    found = index.intent(operation)
    return found is None or found.status in {"done", "failed"}  # old ones are pruned
