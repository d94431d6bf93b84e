"""The lease against a model, over many interleavings of three runners with clocks of their own.

The model knows who was granted what and when. Held at every step: tokens grow by one; a write counts
if and only if its grant is the newest and was not given back; nobody is overtaken who renewed within
the timeout, by the follower's clock.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from state_index.errors import LeaseLostError
from state_index.index import Index
from state_index.lease import Grant, Lease
from tests.postgres import Server

TIMEOUT = 10.0
RUNNERS = 3
runners = st.integers(0, RUNNERS - 1)


@dataclass
class Runner:
    """One runner; `moved` is when, by its own clock, the lease last changed in the model."""

    lease: Lease
    grant: Grant | None = None
    stale: list[Grant] = field(default_factory=list)
    moved: float = 0.0


class Machine(RuleBasedStateMachine):
    """Three runners on one index."""

    new_url: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.index = Index.open(type(self).new_url())
        self.clocks = [1000.0 * number for number in range(RUNNERS)]
        self.runners = [self._runner(number) for number in range(RUNNERS)]
        self.newest: Grant | None = None
        self.tokens = 0
        self.held = False
        self.writes = 0

    def _runner(self, number: int) -> Runner:
        clocks = self.clocks
        lease = self.index.lease(f"r{number}", timeout=TIMEOUT, clock=lambda: clocks[number])
        return Runner(lease=lease, moved=clocks[number])

    def teardown(self) -> None:
        self.index.close()

    def _moved(self) -> None:
        for number, one in enumerate(self.runners):
            one.moved = self.clocks[number]

    @rule(
        seconds=st.sampled_from([0.5, 3.0, 6.0, 11.0]),
        rates=st.tuples(*[st.sampled_from([1.0, 0.5, 2.0])] * RUNNERS),
    )
    def time_passes(self, seconds: float, rates: tuple[float, ...]) -> None:
        for number, rate in enumerate(rates):
            self.clocks[number] += seconds * rate

    @rule(number=runners)
    def look(self, number: int) -> None:
        one = self.runners[number]
        grant = one.lease.acquire()
        if grant is None:
            assert self.held, "what is free is taken at once"
            assert one.grant is None or one.grant != self.newest
            one.grant = None
            return
        if grant == one.grant:
            assert grant == self.newest
            return
        assert grant.token == self.tokens + 1
        assert not self.held or self.clocks[number] - one.moved >= TIMEOUT
        self.tokens, self.newest, self.held = grant.token, grant, True
        for other in self.runners:
            if other.grant is not None:
                other.stale.append(other.grant)
        one.grant = grant
        self._moved()

    @rule(number=runners)
    def renew(self, number: int) -> None:
        one = self.runners[number]
        if one.grant is not None and one.grant == self.newest and self.held:
            one.lease.renew()
            assert one.lease.held
            self._moved()
            return
        with pytest.raises(LeaseLostError):
            one.lease.renew()
        assert not one.lease.held
        one.grant = None

    @rule(number=runners)
    def give_back(self, number: int) -> None:
        one = self.runners[number]
        one.lease.release()
        if one.grant is not None and one.grant == self.newest and self.held:
            self.held = False
            self._moved()
        if one.grant is not None:
            one.stale.append(one.grant)
        one.grant = None

    @precondition(lambda self: any(one.grant for one in self.runners))
    @rule(number=runners)
    def write(self, number: int) -> None:
        """By whoever believes to lead; it may have been overtaken long ago."""
        one = self.runners[number]
        if one.grant is None:
            return
        self._write(one.grant, counts=one.grant == self.newest and self.held)

    @precondition(lambda self: any(one.stale for one in self.runners))
    @rule(number=runners)
    def write_late(self, number: int) -> None:
        """What a paused worker of a former term had still to say."""
        for grant in self.runners[number].stale[-2:]:
            self._write(grant, counts=grant == self.newest and self.held)

    def _write(self, grant: Grant, *, counts: bool) -> None:
        step = str(self.writes)
        if not counts:
            with pytest.raises(LeaseLostError):
                self.index.under(grant).publish("a", cause="stale", step=f"stale {step}")
            return
        self.writes += 1
        row = self.index.under(grant).publish("a", cause="step", step=step)
        assert row.generation == self.writes

    @invariant()
    def only_writes_that_count_are_there(self) -> None:
        assert self.index.generation() == self.writes


def explore(new_url: Callable[[], str], examples: int) -> None:
    class Bound(Machine):
        pass

    Bound.new_url = staticmethod(new_url)
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # Shrinking on a database takes longer than a test may: better a long story than none.
            phases=[Phase.generate],
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_any_interleaving_on_sqlite(tmp_path: Path) -> None:
    def new_url() -> str:
        return f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/index.db"

    explore(new_url, 40)


def test_any_interleaving_on_postgresql(postgres: Server) -> None:
    explore(postgres.new_url, 25)


def test_of_many_that_see_it_free_one_gets_it(index: Index) -> None:
    """Ten rounds of five threads at once."""
    for token in range(1, 11):
        leases = [index.lease(f"r{number}") for number in range(5)]
        barrier, grants = Barrier(5), list[Grant | None]()

        def race(
            lease: Lease, barrier: Barrier = barrier, grants: list[Grant | None] = grants
        ) -> None:
            barrier.wait(30)
            grants.append(lease.acquire())

        threads = [Thread(target=race, args=(lease,)) for lease in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        [won] = [grant for grant in grants if grant]
        assert (len(grants), won.token) == (5, token)
        for lease in leases:
            lease.release()


def lead(index: Index, start: Barrier, over: Event) -> int:
    """Publish until the lease is lost (or it is over); how often."""
    count = 0
    start.wait(30)
    try:
        while not over.is_set():
            index.publish("a", cause="step", step=str(count))
            count += 1
    except LeaseLostError:
        return count
    raise AssertionError("nothing refused it")


def test_nothing_is_written_under_an_old_token_once_a_new_one_is_out(url: str) -> None:
    """A leader publishes without a pause while another takes over: its last write is before that."""
    with Index.open(url) as index, Index.open(url) as other, ThreadPoolExecutor(1) as pool:
        time = [0.0]
        first = index.lease("first", timeout=TIMEOUT).acquire()
        assert first is not None
        second = other.lease("second", timeout=TIMEOUT, clock=lambda: time[0])
        assert second.acquire() is None
        start, over = Barrier(2), Event()
        leading = pool.submit(lead, index.under(first), start, over)
        try:
            start.wait(30)
            while other.generation() < 20:
                assert not leading.done()
            time[0] += TIMEOUT
            grant = second.acquire()
            assert grant is not None
            taken_at = other.generation()
            wait([leading], 5)
        finally:
            over.set()
        assert leading.result() == other.generation() == taken_at
        assert other.under(grant).publish("a", cause="mine", step="mine").generation == taken_at + 1
