"""Many processes and threads on one real SQLite file: the promises hold when all come at once."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from threading import Barrier
from typing import Any

from state_index.errors import InvalidStateError
from state_index.index import Index
from state_index.phases import Event, Phase

PROCESSES, THREADS = 4, 5
ROUNDS = 15

Answer = tuple[str, str]


def _ask(index: Index, kind: Any, actor: str) -> Answer:
    try:
        intent = index.request("a", kind, actor=actor, request_id=f"r-{actor}")
    except InvalidStateError as error:
        return "refused", error.phase
    return ("joined" if intent.joined else "new"), intent.id


def _client(url: str, pipe: Connection) -> None:
    """A process of THREADS clients: for each kind it is sent, all ask at once."""
    with Index.open(url) as index, ThreadPoolExecutor(THREADS) as pool:
        pipe.send("ready")
        while kinds := pipe.recv():
            barrier = Barrier(THREADS)

            def one(number: int, barrier: Barrier = barrier, kinds: Any = kinds) -> Answer:
                barrier.wait(30)
                return _ask(index, kinds[number % len(kinds)], f"u{number}")

            pipe.send(list(pool.map(one, range(THREADS))))


def _with_clients(url: str, work: Callable[[list[Connection]], None]) -> None:
    context = multiprocessing.get_context("fork")
    pipes, workers = [], []
    for _ in range(PROCESSES):
        ours, theirs = context.Pipe()
        workers.append(context.Process(target=_client, args=(url, theirs), daemon=True))
        pipes.append(ours)
    for worker in workers:
        worker.start()
    assert [pipe.recv() for pipe in pipes] == ["ready"] * PROCESSES
    work(pipes)
    for pipe in pipes:
        pipe.send(None)
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES


def _all_ask(pipes: list[Connection], kinds: tuple[str, ...]) -> list[Answer]:
    for pipe in pipes:
        pipe.send(kinds)
    return [answer for pipe in pipes for answer in pipe.recv()]


def test_twenty_starts_at_once_are_one_operation(url: str) -> None:
    Index.migrate(url)

    def rounds(pipes: list[Connection]) -> None:
        with Index.open(url) as index:
            index.publish("a", event=Event.STOPPED, cause="found", owner="alice")
            for _ in range(ROUNDS):
                answers = _all_ask(pipes, ("start",))
                kinds = Counter(kind for kind, _ in answers)
                assert kinds == {"new": 1, "joined": PROCESSES * THREADS - 1}
                assert len({operation for _, operation in answers}) == 1
                [taken] = index.take_intents()
                assert taken.id == answers[0][1]
                index.publish("a", event=Event.START, cause="intent")
                index.publish("a", event=Event.READY, cause="healthy")
                index.finish(taken.id)
                index.publish("a", event=Event.STOPPED, cause="stopped")

    _with_clients(url, rounds)


def test_starts_and_stops_at_once_leave_one_open_intent(url: str) -> None:
    Index.migrate(url)

    def rounds(pipes: list[Connection]) -> None:
        with Index.open(url) as index:
            for _ in range(ROUNDS):
                # ERROR takes both: whoever comes first decides, and the others join or are refused.
                index.forget("a", "next round")
                index.publish("a", event=Event.FAILED, cause="failed", owner="alice")
                answers = _all_ask(pipes, ("start", "stop"))
                kinds = Counter(kind for kind, _ in answers)
                assert kinds["new"] == 1
                assert kinds["refused"] > 0
                assert {phase for kind, phase in answers if kind == "refused"} == {Phase.ERROR}
                assert len(index.take_intents()) == 1

    _with_clients(url, rounds)


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
