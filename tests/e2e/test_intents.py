"""Twenty clients at two gateways, and the real runner: one operation and one transition each time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.gateway.intents.model import Asked, Kind
from tests.gateway.intents.parties import WORKSPACE, Clients
from tests.gateway.process import process
from tests.hub import PASSWORD, Hub, hub, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

CLIENTS = 20
ROUNDS: tuple[tuple[Kind, str], ...] = (("stop", "WARM"), ("start", "RUNNING"), ("stop", "WARM"))
FILE = """\
owner: alice
image: codehub/light
resources: {cpu: 1, memory: 256Mi, pids: 128}
"""


@pytest.fixture
def served() -> Iterator[Hub]:
    with hub() as made:
        made.write(WORKSPACE, FILE)
        made.add_user("alice")
        made.start("run")
        made.start("gateway")
        made.wait_until_serving()
        made.run("wait", WORKSPACE, "--for", "phase=RUNNING")
        yield made


@pytest.fixture
def clients(served: Hub) -> Iterator[Clients]:
    login = {"username": "alice", "password": PASSWORD}
    answer = httpx.post(f"{served.url}/api/v1/session", json=login, headers={"Origin": served.url})
    cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    with ExitStack() as stack:
        _, second = stack.enter_context(process(served.root))
        made = Clients([served.url, second], CLIENTS, cookie)
        stack.callback(made.close)
        yield made


def test_one_operation_and_one_transition_whoever_asks(served: Hub, clients: Clients) -> None:
    for kind, phase in ROUNDS:
        answers = [call.what for call in clients.ask([kind] * CLIENTS)]
        new = [what.which for what in answers if isinstance(what, Asked) and what.answer == "new"]
        assert len(new) == 1
        served.run("wait", WORKSPACE, "--for", f"phase={phase}")
        wait_for(lambda new=new: clients.operation(new[0])["status"] == "done", "its end")  # type: ignore[misc]
    with Index.open(f"sqlite:///{served.root}/data/index.db") as index:
        begun = Counter(row.event for row in index.history(WORKSPACE) if row.request_id)
    assert begun[Event.STOP] == 2
    assert begun[Event.START] == 1
