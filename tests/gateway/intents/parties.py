"""Who takes part in a history: clients of real gateways, and a runner that works on the real index."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from state_index.index import Index
from state_index.models import Intent
from state_index.phases import Event
from tests.gateway.intents.model import Asked, Call, Finished, Kind, Moved, Took, What

WORKSPACE = "alice-api"
PATIENCE = 30.0


class Runner:
    """Takes and finishes intents as the runner does, without an engine; records its calls."""

    def __init__(self, index: Index, choices: random.Random) -> None:
        self.calls: list[Call] = []
        self.transitions = 0
        self._index = index
        self._choices = choices
        self._ended = threading.Event()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work in a thread of its own while the block runs; what goes wrong there raises here."""
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(self._work)
            try:
                yield
            finally:
                self._ended.set()
                work.result(PATIENCE)

    def _work(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            taken = self._index.take_intents()
            self._note(began, Took(tuple(intent.id for intent in taken)))
            for intent in taken:
                self._do(intent)
            self._linger()

    def _do(self, intent: Intent) -> None:
        self.transitions += 1
        starts = intent.kind == "start"
        fails = starts and self._choices.random() < 0.2
        last = (Event.FAILED if fails else Event.READY) if starts else Event.STOPPED
        for event in (Event.START if starts else Event.STOP, last):
            began = time.monotonic()
            row = self._index.publish(WORKSPACE, event=event, cause="test")
            self._note(began, Moved(event.value, row.phase.value))
            self._linger()
        began = time.monotonic()
        self._index.finish(intent.id, "no luck" if fails else "")
        self._note(began, Finished(intent.id))

    def _linger(self) -> None:
        # Work takes its time: so requests meet each of its steps.
        self._ended.wait(self._choices.uniform(0, 0.02))

    def _note(self, began: float, what: What) -> None:
        if what != Took(()):  # thousands, that say little
            self.calls.append(Call(began, time.monotonic(), what))


class Clients:
    """Clients with one session, each with a connection of its own to one of the gateways."""

    def __init__(self, urls: Sequence[str], count: int, cookie: str) -> None:
        self._clients = [
            httpx.Client(
                base_url=urls[number % len(urls)],
                headers={"Origin": urls[number % len(urls)], "Cookie": cookie},
                timeout=PATIENCE,
            )
            for number in range(count)
        ]
        self._barrier = threading.Barrier(count)
        self._pool = ThreadPoolExecutor(count)

    def close(self) -> None:
        """End the threads and connections."""
        self._pool.shutdown()
        for client in self._clients:
            client.close()

    def ask(self, kinds: Sequence[Kind]) -> list[Call]:
        """Ask all at once, each for its kind."""
        return list(self._pool.map(self._ask, self._clients, kinds))

    def _ask(self, client: httpx.Client, kind: Kind) -> Call:
        self._barrier.wait(PATIENCE)
        began = time.monotonic()
        answer = client.post(f"/api/v1/workspaces/{WORKSPACE}/{kind}")
        return Call(began, time.monotonic(), _what(kind, answer))

    def operation(self, id_: str) -> dict[str, object]:
        """Where an operation stands, by the second gateway."""
        answer = self._clients[-1].get(f"/api/v1/operations/{id_}")
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body


def _what(kind: Kind, answer: httpx.Response) -> Asked:
    body = answer.json()
    if answer.status_code == 409:
        assert body["error"]["code"] == "INVALID_STATE", body
        return Asked(kind, "refused", body["error"]["details"]["phase"])
    assert answer.status_code == 202, answer.text
    operation = body["operation"]
    assert answer.headers["location"] == f"/api/v1/operations/{operation['id']}"
    return Asked(kind, "joined" if operation["joined"] else "new", operation["id"])
