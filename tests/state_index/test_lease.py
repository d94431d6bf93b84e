"""The lease on one machine, clocks turned by hand: who gets it, when, and whose writes count."""

import pytest

from state_index.database import Database
from state_index.errors import (
    IndexSchemaError,
    LeaseLostError,
    StateIndexError,
    UnknownOperationError,
)
from state_index.index import Index
from state_index.lease import Grant, Lease, Row, Sighting, judge, read
from state_index.models import RunnerInfo
from state_index.phases import Event, Phase

TIMEOUT = 10.0


class Monotonic:
    """A runner's own clock."""

    def __init__(self, start: float = 0.0) -> None:
        self.seconds = start

    def __call__(self) -> float:
        return self.seconds


class Candidate:
    """A runner: its clock, its lease, its view of the index."""

    def __init__(self, index: Index, name: str, *, start: float = 0.0) -> None:
        self.clock = Monotonic(start)
        self.lease: Lease = index.lease(name, timeout=TIMEOUT, clock=self.clock)

    def holds(self) -> bool:
        return self.lease.held

    def acquire(self) -> Grant:
        grant = self.lease.acquire()
        assert grant is not None
        return grant


@pytest.fixture
def leader(index: Index) -> Candidate:
    return Candidate(index, "leader")


@pytest.fixture
def follower(index: Index) -> Candidate:
    return Candidate(index, "follower", start=5_000_000.0)


def row(holder: str = "a", token: int = 1, heartbeat: int = 1) -> Row:
    return Row(holder=holder, token=token, heartbeat=heartbeat)


@pytest.mark.parametrize(
    ("seen", "now", "before", "since", "free"),
    [
        (None, row(), 0.0, 1.0, False),
        (None, row(holder=""), 0.0, 1.0, True),
        (Sighting(row(), 5.0), row(), 14.9, 5.0, False),
        (Sighting(row(), 5.0), row(), 15.0, 5.0, True),
        (Sighting(row(), 5.0), row(heartbeat=2), 99.0, 100.0, False),
        (Sighting(row(), 5.0), row(token=2), 99.0, 100.0, False),
        (Sighting(row(), 5.0), row(holder="b"), 99.0, 100.0, False),
        (Sighting(row(), 5.0), row(holder=""), 6.0, 7.0, True),
    ],
)
def test_a_row_is_judged_by_how_long_it_stood_still(
    *, seen: Sighting | None, now: Row, before: float, since: float, free: bool
) -> None:
    verdict = judge(seen, now, before=before, after=before + 1, timeout=TIMEOUT)
    assert verdict == (Sighting(now, since), free)


def test_the_first_gets_it_at_once_with_token_one(leader: Candidate) -> None:
    grant = leader.acquire()
    assert grant.token == 1
    assert grant.holder.startswith("leader ")
    assert leader.lease.held
    assert leader.acquire() == grant, "asking again changes nothing"


def test_a_heartbeat_that_stands_still_is_taken_over(
    leader: Candidate, follower: Candidate
) -> None:
    first = leader.acquire()
    assert follower.lease.acquire() is None
    follower.clock.seconds += TIMEOUT - 0.25
    assert follower.lease.acquire() is None
    follower.clock.seconds += 0.25
    second = follower.acquire()
    assert (second.token, second.holder) == (first.token + 1, follower.lease.holder)
    assert leader.lease.acquire() is None


def test_a_heartbeat_that_moves_is_not(leader: Candidate, follower: Candidate) -> None:
    leader.acquire()
    for _ in range(5):
        assert follower.lease.acquire() is None
        leader.lease.renew()
        follower.clock.seconds += TIMEOUT
    assert follower.lease.acquire() is None


def test_a_wait_begins_with_the_follower_s_first_look(
    leader: Candidate, follower: Candidate
) -> None:
    leader.acquire()
    follower.clock.seconds += 100 * TIMEOUT
    assert follower.lease.acquire() is None


def test_what_is_given_back_is_taken_at_once(leader: Candidate, follower: Candidate) -> None:
    leader.acquire()
    leader.lease.release()
    assert not leader.lease.held
    assert follower.acquire().token == 2
    leader.lease.release()
    assert follower.lease.held
    follower.lease.renew()


def test_who_lost_it_learns_so_when_renewing(leader: Candidate, follower: Candidate) -> None:
    leader.acquire()
    follower.lease.acquire()
    follower.clock.seconds += TIMEOUT
    taken = follower.acquire()
    with pytest.raises(LeaseLostError, match=r"follower .* holds it with token 2") as caught:
        leader.lease.renew()
    lost = caught.value
    assert (lost.token, lost.found, lost.holder) == (1, 2, taken.holder)
    assert not leader.lease.held


def test_what_one_never_held_can_not_be_renewed(leader: Candidate) -> None:
    with pytest.raises(LeaseLostError, match="nobody holds it"):
        leader.lease.renew()


def test_a_holder_that_could_not_renew_knows_by_its_own_clock(leader: Candidate) -> None:
    leader.acquire()
    leader.clock.seconds += TIMEOUT - 0.25
    assert leader.holds()
    leader.lease.renew()
    leader.clock.seconds += TIMEOUT
    assert not leader.holds()
    leader.lease.renew()
    assert leader.holds(), "nobody took it meanwhile"


def test_a_lost_race_for_the_takeover_is_no_takeover(
    index: Index, leader: Candidate, follower: Candidate
) -> None:
    leader.acquire()
    third = Candidate(index, "third")
    for one in (follower, third):
        assert one.lease.acquire() is None
        one.clock.seconds += TIMEOUT
    with index._database.read() as connection:
        stale = read(connection)
    leader.lease.renew()
    assert third.lease.take(stale) is None, "it beat after all"
    with index._database.read() as connection:
        stale = read(connection)
    assert follower.lease.acquire() is None
    follower.clock.seconds += TIMEOUT
    follower.acquire()
    assert third.lease.take(stale) is None, "it read the row before the other one took it"


WRITES = {
    "publish": lambda index: index.publish("a", event=Event.STOP, cause="stale"),
    "forget": lambda index: index.forget("a", "stale"),
    "take_intents": lambda index: index.take_intents(),
    "finish": lambda index: index.finish("f" * 32),
    "supersede": lambda index: index.supersede("a", "start"),
    "reopen_intents": lambda index: index.reopen_intents(),
    "announce": lambda index: index.announce(RunnerInfo(address="x", pid=1, version="0")),
    "beat": lambda index: index.beat(),
}


def image(index: Index) -> tuple[object, ...]:
    """All that a runner's write could change."""
    rows = index.workspaces()
    return index.generation(), rows, index.history("a"), index.runner(), index.intent(INTENT[0])


INTENT = [""]


@pytest.mark.parametrize("write", WRITES)
def test_each_write_of_a_former_holder_is_refused_and_changes_nothing(
    index: Index, leader: Candidate, follower: Candidate, write: str
) -> None:
    index.publish("a", event=Event.READY, cause="up")
    INTENT[0] = index.request("a", "stop", actor="alice", request_id="r").id
    former = index.under(leader.acquire())
    leader.lease.release()
    with pytest.raises(LeaseLostError, match="nobody holds it"):
        WRITES[write](former)
    newest = index.under(follower.acquire())
    before = image(index)
    with pytest.raises(LeaseLostError, match="holds it with token 2"):
        WRITES[write](former)
    assert image(index) == before
    try:
        WRITES[write](newest)
    except StateIndexError as error:
        assert isinstance(error, UnknownOperationError)  # noqa: PT017 - it was let through


def test_the_holder_s_writes_count(index: Index, leader: Candidate) -> None:
    ours = index.under(leader.acquire())
    assert ours.publish("a", event=Event.STOPPED, cause="found").phase is Phase.WARM
    intent = ours.request("a", "start", actor="alice", request_id="r")
    assert [one.id for one in ours.take_intents()] == [intent.id]
    ours.finish(intent.id)
    assert index.generation() == 1


def test_users_may_ask_whoever_leads(index: Index, leader: Candidate, follower: Candidate) -> None:
    former = index.under(leader.acquire())
    former.publish("a", event=Event.STOPPED, cause="found")
    leader.lease.release()
    follower.acquire()
    assert former.request("a", "start", actor="alice", request_id="r").status == "open"


def test_an_index_made_anew_does_not_know_the_tokens_of_the_old(
    index: Index, leader: Candidate
) -> None:
    """Tokens begin again with it, holders do not: a former holder's token one is not this one."""
    former = index.under(Grant(holder="leader of the lost index", token=1))
    leader.acquire()
    with pytest.raises(LeaseLostError):
        former.publish("a", cause="stale")


def test_a_lease_without_its_row_is_no_lease(index: Index, url: str, leader: Candidate) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM lease")
    database.close()
    with pytest.raises(IndexSchemaError, match="lost the row of its lease"):
        leader.lease.acquire()


def test_beats_of_the_lease_are_no_change_of_any_workspace(index: Index, leader: Candidate) -> None:
    leader.acquire()
    leader.lease.renew()
    assert index.generation() == 0
