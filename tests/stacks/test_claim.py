"""Who may lead: the lock and the lease together, what proves a death, and who is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from settings.load import load
from settings.model import RunnerSettings
from stacks.claim import Claim, is_gone, is_stuck, process_of, shown
from stacks.engine.processes import boot_id, kill_process, read_process
from stacks.lock import Holder, RunnerLock
from state_index.errors import IndexBusyError, IndexCorruptError, IndexReplacedError, LeaseLostError
from state_index.index import Index
from state_index.lease import Look, Row
from tests.waiting import until

ROW = Row(holder="a pid 1 x", token=1, heartbeat=5)
FORMER = Holder(pid=1, lease="a pid 1 x", boot="this")


@pytest.mark.parametrize(
    ("former", "gone"),
    [
        (FORMER, True),
        (replace(FORMER, boot="another"), False),
        (replace(FORMER, lease="a pid 1 y"), False),
        (Holder(boot="this"), False),
    ],
)
def test_gone_is_who_said_in_the_lock_that_it_holds_the_lease(
    *, former: Holder, gone: bool
) -> None:
    assert is_gone(ROW, former, boot="this") is gone


def test_of_a_free_lease_nobody_is_gone() -> None:
    assert not is_gone(Row(holder="", token=0, heartbeat=0), Holder(boot="this"), boot="this")


@pytest.mark.parametrize(
    ("look", "holder", "stuck"),
    [
        (Look(ROW, free=True), FORMER, True),
        (Look(ROW, free=False), FORMER, False),
        (Look(ROW, free=True), replace(FORMER, lease="a pid 1 y"), False),
        (Look(Row(holder="", token=1, heartbeat=5), free=True), Holder(), False),
    ],
)
def test_stuck_is_who_has_the_lock_and_a_heartbeat_that_stands_still(
    *, look: Look, holder: Holder, stuck: bool
) -> None:
    assert is_stuck(look, holder) is stuck


LEADER = """
import sys
from settings.load import load
from settings.load import load
from settings.model import RunnerSettings
from stacks.claim import Claim

claim = Claim(load(RunnerSettings), daemon=True)
assert claim.attempt().grant
print("leads", flush=True)
for line in sys.stdin:
    claim.renew()
    print("renewed", flush=True)
claim.release()
"""


@dataclass(frozen=True)
class Place:
    """A data tree and its settings; the longest timeout, as what is proven needs no waiting."""

    root: Path
    timeout: str = "12s"

    @property
    def env(self) -> dict[str, str]:
        return {"CODEHUB_DATA": str(self.root), "CODEHUB_LEASE_TIMEOUT": self.timeout}

    @property
    def settings(self) -> RunnerSettings:
        return load(RunnerSettings, self.env, cwd=self.root)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "data")
    made.root.mkdir(mode=0o700)
    made.settings.paths.make()
    return made


@contextmanager
def leader(house: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that leads, and beats when it is told."""
    with subprocess.Popen(
        [sys.executable, "-c", LEADER],
        env={**os.environ, **house.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "leads\n"
            yield process
        finally:
            process.kill()


@contextmanager
def claiming(settings: RunnerSettings) -> Iterator[Claim]:
    claim = Claim(settings, daemon=True)
    try:
        yield claim
    finally:
        claim.release()


def test_one_that_was_killed_on_this_machine_is_succeeded_at_once(place: Place) -> None:
    with claiming(place.settings) as claim:
        with leader(place) as former:
            tried = claim.attempt()
            assert tried.grant is None
            assert tried.locked
            assert f"pid {former.pid} " in tried.leader
        tried = claim.attempt()
        assert tried.grant is not None
        assert tried.proven


def test_a_death_that_was_proven_stays_so_while_the_index_is_busy(place: Place) -> None:
    """The try that fails has written its own name over the dead one's."""
    with claiming(place.settings) as claim:
        with leader(place):
            assert claim.attempt().locked
        with closing(sqlite3.connect(place.settings.paths.index_db)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(IndexBusyError):
                claim.attempt()
            writer.rollback()
        assert claim.attempt().grant


def test_one_that_was_killed_before_this_boot_or_elsewhere_is_waited_for(place: Place) -> None:
    lock = place.settings.paths.runner_lock
    with claiming(place.settings) as claim:
        with leader(place):
            pass
        lock.write_text(lock.read_text().replace(boot_id(), "another"))
        tried = claim.attempt()
        assert tried.grant is None
        assert not tried.locked
        assert tried.leader.endswith(f"pid {RunnerLock(lock).holder().pid}")
        assert not RunnerLock(lock).is_held(), "commands may use it meanwhile"


def test_one_that_ended_leaves_nothing_behind(place: Place) -> None:
    with leader(place) as former:
        former.communicate()
    with claiming(place.settings) as claim:
        tried = claim.attempt()
        assert (tried.grant is not None, tried.proven) == (True, True)
    assert RunnerLock(place.settings.paths.runner_lock).holder() == Holder()


@pytest.fixture
def quick(place: Place) -> Place:
    return replace(place, timeout="2s")


async def test_one_that_stands_still_is_killed(quick: Place) -> None:
    with leader(quick) as former, claiming(quick.settings) as claim:
        former.send_signal(signal.SIGSTOP)
        await until(lambda: claim.attempt().grant)
        assert former.wait(10) == -signal.SIGKILL


async def test_one_that_goes_on_has_until_the_second_try(quick: Place) -> None:
    """It may only not have reached its index, and see to it itself."""
    with leader(quick) as former, claiming(quick.settings) as claim:
        await until(lambda: claim._stuck == 1 or claim.attempt().grant)
        assert former.poll() is None
        claim.attempt()
        assert former.wait(10) == -signal.SIGKILL


async def test_one_that_beats_again_is_spared(quick: Place) -> None:
    with leader(quick) as former, claiming(quick.settings) as claim:
        await until(lambda: claim._stuck == 1 or claim.attempt().grant)
        assert former.stdin is not None
        assert former.stdout is not None
        former.stdin.write("beat\n")
        former.stdin.flush()
        assert former.stdout.readline() == "renewed\n"
        assert claim.attempt().locked
        assert claim._stuck == 0
        assert former.poll() is None


@pytest.mark.parametrize(
    ("name", "value"), [("boot", "another"), ("namespace", "pid:[1]"), ("started", 1), ("pid", 1)]
)
async def test_nobody_is_killed_who_is_not_surely_that_one(
    quick: Place, name: str, value: str | int
) -> None:
    lock = RunnerLock(quick.settings.paths.runner_lock)
    with leader(quick) as former, claiming(quick.settings) as claim:
        holder = replace(lock.holder(), **{name: value})  # type: ignore[arg-type]
        assert process_of(holder) is None
        former.send_signal(signal.SIGSTOP)
        text = quick.settings.paths.runner_lock.read_text()
        known = vars(lock.holder())[name]
        quoted = '"{}": "{}"' if isinstance(known, str) else '"{}": {}'
        changed = text.replace(quoted.format(name, known), quoted.format(name, value))
        assert changed != text
        quick.settings.paths.runner_lock.write_text(changed)
        await until(lambda: claim._stuck > 3 or claim.attempt().grant)
        assert former.poll() is None


async def test_no_claim_kills_its_own_process(quick: Place) -> None:
    with claiming(quick.settings) as first, claiming(quick.settings) as second:
        assert first.attempt().grant
        assert second.attempt().locked
        await until(lambda: second._stuck > 3 or second.attempt().grant)


def test_a_process_is_killed_by_id_and_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = read_process(process.pid)
        assert found is not None
        assert not kill_process(process.pid, started=found.started + 1)
        assert kill_process(process.pid, started=found.started)
        assert process.wait() == -signal.SIGKILL
    assert not kill_process(process.pid, started=found.started)


def test_a_lease_is_not_renewed_on_another_index(place: Place) -> None:
    with claiming(place.settings) as claim:
        assert claim.attempt().grant
        claim.renew()
        for path in place.settings.paths.root.glob("index.db*"):
            path.unlink()
        with pytest.raises(IndexReplacedError):
            claim.renew()
        # Also when another part of this process noticed it first.
        Index.migrate(place.settings.index_url)
        with pytest.raises((IndexReplacedError, LeaseLostError)):
            claim.renew()


def test_a_spoiled_index_is_opened_anew_by_the_next_try(place: Place) -> None:
    index = place.settings.paths.index_db
    with claiming(place.settings) as claim:
        with leader(place):
            assert claim.attempt().locked
        for path in place.settings.paths.root.glob("index.db*"):
            path.unlink()
        index.write_bytes(b"no database at all" * 100)
        for kind in (IndexReplacedError, IndexCorruptError):
            with pytest.raises(kind):
                claim.attempt()
        index.unlink()
        assert claim.attempt().grant


def test_a_lease_that_can_not_be_given_back_is_proven_to_be_free(place: Place) -> None:
    with claiming(place.settings) as claim:
        assert claim.attempt().grant
        _spoil_schema(place.settings.paths.index_db)
    assert RunnerLock(place.settings.paths.runner_lock).holder().pid == os.getpid()


def _spoil_schema(path: Path) -> None:

    with sqlite3.connect(path, timeout=30) as connection:
        connection.execute("DROP TABLE lease")
    connection.close()


def test_a_holder_is_shown_without_what_makes_it_unique() -> None:
    assert shown("hub pid 12 0123abcd") == "hub pid 12"
    assert shown("") == ""
