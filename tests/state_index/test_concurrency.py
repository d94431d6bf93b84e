"""Many processes and threads on one real database: the promises hold when all come at once."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from state_index.index import Index
from state_index.phases import Event, Phase

PROCESSES, THREADS = 4, 5
ROUNDS = 15


class Clients:
    """Clients in PROCESSES times THREADS that ask at once."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        command = [sys.executable, "-m", "tests.state_index.client", url, str(THREADS)]
        pipe = subprocess.PIPE
        self._all = [
            stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
            for _ in range(PROCESSES)
        ]
        assert [self._line(one) for one in self._all] == ["ready\n"] * PROCESSES

    def ask(self, kinds: str) -> list[tuple[str, str]]:
        """What each was answered: new, joined or refused; and the operation, or the phase."""
        for one in self._all:
            assert one.stdin is not None
            one.stdin.write(f"{kinds}\n")
            one.stdin.flush()
        return [(what, which) for one in self._all for what, which in json.loads(self._line(one))]

    def end(self) -> list[int]:
        """Let them go; their exit codes."""
        for one in self._all:
            one.communicate(timeout=30)
        return [one.returncode for one in self._all]

    @staticmethod
    def _line(one: subprocess.Popen[str]) -> str:
        assert one.stdout is not None
        return one.stdout.readline()


@pytest.fixture
def clients(index: Index, url: str) -> Iterator[Clients]:
    with ExitStack() as stack:
        made = Clients(url, stack)
        yield made
        assert made.end() == [0] * PROCESSES


def test_twenty_starts_at_once_are_one_operation(index: Index, clients: Clients) -> None:
    index.publish("a", event=Event.STOPPED, cause="found", owner="alice")
    for _ in range(ROUNDS):
        answers = clients.ask("start")
        kinds = Counter(kind for kind, _ in answers)
        assert kinds == {"new": 1, "joined": PROCESSES * THREADS - 1}
        assert len({operation for _, operation in answers}) == 1
        [taken] = index.take_intents()
        assert taken.id == answers[0][1]
        index.publish("a", event=Event.START, cause="intent")
        index.publish("a", event=Event.READY, cause="healthy")
        index.finish(taken.id)
        index.publish("a", event=Event.STOPPED, cause="stopped")


def test_starts_and_stops_at_once_leave_one_open_intent(index: Index, clients: Clients) -> None:
    for _ in range(ROUNDS):
        # ERROR takes both: whoever comes first decides, and the others join or are refused.
        index.forget("a", "next round")
        index.publish("a", event=Event.FAILED, cause="failed", owner="alice")
        answers = clients.ask("start stop")
        kinds = Counter(kind for kind, _ in answers)
        assert kinds["new"] == 1
        assert kinds["refused"] > 0
        assert {phase for kind, phase in answers if kind == "refused"} == {Phase.ERROR}
        assert len(index.take_intents()) == 1


def test_publishers_at_once_lose_no_generation_and_no_history(url: str) -> None:
    Index.migrate(url)
    barrier = Barrier(THREADS)

    def publish(number: int) -> set[int]:
        with Index.open(url) as index:
            barrier.wait(30)
            return {
                index.publish(f"w{number}", cause="step", step=str(step)).generation
                for step in range(20)
            }

    with ThreadPoolExecutor(THREADS) as pool:
        generations = list(pool.map(publish, range(THREADS)))
    assert set.union(*generations) == set(range(1, THREADS * 20 + 1))


def test_publishers_of_one_new_workspace_at_once_make_one_row(index: Index, url: str) -> None:
    for number in range(ROUNDS):
        barrier = Barrier(THREADS)

        def publish(step: int, number: int = number, barrier: Barrier = barrier) -> int:
            barrier.wait(30)
            return index.publish(f"w{number}", cause="step", step=f"{step}").generation

        with ThreadPoolExecutor(THREADS) as pool:
            generations = sorted(pool.map(publish, range(THREADS)))
        first = number * THREADS + 1
        assert generations == list(range(first, first + THREADS))
        assert len(index.workspaces()) == number + 1


def test_one_index_serves_many_threads(index: Index) -> None:
    barrier = Barrier(20)

    def work(number: int) -> int:
        barrier.wait(30)
        index.publish(f"w{number}", event=Event.PROVISION, cause="new")
        seen = index.generation()
        assert len(index.workspaces()) > 0
        return seen

    with ThreadPoolExecutor(20) as pool:
        seen = list(pool.map(work, range(20)))
    assert index.generation() == 20
    assert all(1 <= generation <= 20 for generation in seen)


def test_intents_are_taken_by_one_of_two_takers(index: Index, url: str) -> None:
    for number in range(40):
        index.publish(f"w{number}", event=Event.STOPPED, cause="found")
        index.request(f"w{number}", "start", actor="alice", request_id="r")
    barrier = Barrier(2)

    def take(_: int) -> list[str]:
        taken = []
        with Index.open(url) as own:
            barrier.wait(30)
            while found := own.take_intents(3):
                taken += [one.id for one in found]
        return taken

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(take, range(2))
    assert len(first) + len(second) == 40
    assert len({*first, *second}) == 40
