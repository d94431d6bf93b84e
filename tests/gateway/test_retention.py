"""What the store forgets: audit rows by age, sessions that are over; a bounded piece at a time."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from gateway.store import AuditEvent, Store
from gateway.store.store import PRUNED_AT_ONCE
from gateway.store.tables import SessionRow
from tests.gateway.harness import ALICE, Clock, Running, serving
from tests.gateway.test_api import break_table
from tests.gateway.test_store import GOOD, begin, store_url
from tests.waiting import until

__all__ = ["store_url"]

DAY = 86_400.0


def details(store: Store) -> list[str]:
    """The audit rows that are there, oldest first."""
    return [row.detail for row in reversed(store.audit.latest(10_000))]


def session_keys(store: Store) -> list[str]:
    with store._database.read() as session:
        return list(session.scalars(select(SessionRow.key).order_by(SessionRow.key)))


def test_rows_go_when_they_are_too_old_and_no_sooner(store: Store, clock: Clock) -> None:
    store.audit.add(AuditEvent.LOGIN, detail="old")
    clock.advance(DAY)
    store.audit.add(AuditEvent.LOGIN, detail="young")
    assert store.audit.prune(keep=DAY, limit=10) == 0
    clock.advance(1)
    assert store.audit.prune(keep=DAY, limit=10) == 1
    assert details(store) == ["young"]


def test_the_oldest_go_first_and_only_so_many_at_once(store: Store, clock: Clock) -> None:
    for number in range(5):
        store.audit.add(AuditEvent.LOGIN, detail=str(number))
        clock.advance(1)
    clock.advance(DAY)
    left = []
    more = True
    while more:
        more = store.prune(keep=DAY, limit=2)
        left.append(details(store))
    assert left == [["2", "3", "4"], ["4"], []]


def test_sessions_that_are_over_go_only_so_many_at_once(store: Store, clock: Clock) -> None:
    store.users.add("alice", GOOD)
    for number in range(3):
        assert begin(store, f"idle-{number}", clock)
    assert begin(store, "expired", clock, lasts=3601)
    clock.advance(1800)
    store.sessions.touch("expired", now=clock())
    clock.advance(1801)
    assert begin(store, "alive", clock)
    assert len(session_keys(store)) == 5
    assert store.prune(keep=DAY, limit=3)
    assert len(session_keys(store)) == 2
    assert not store.prune(keep=DAY, limit=3)
    assert session_keys(store) == ["alive"]


def fill(running: Running, count: int) -> None:
    """Put old rows and sessions that are over straight into the file."""
    audit = "INSERT INTO audit VALUES (NULL, 1000, 'login', 'alice', '', '', ?, '')"
    session = (
        "INSERT INTO sessions SELECT ?, id, 1000, 1000, 2000, '' FROM users WHERE name = ? LIMIT 1"
    )
    with closing(sqlite3.connect(running.settings.paths.store_db)) as raw:
        raw.executemany(audit, [(str(number),) for number in range(count)])
        raw.executemany(session, [(f"over-{number}", ALICE[0]) for number in range(count)])
        raw.commit()


async def test_the_gateway_forgets_by_itself_also_more_than_one_piece(tmp_path: Path) -> None:
    async with serving(tmp_path, audit_keep="1d") as first:
        fill(first, 2 * PRUNED_AT_ONCE + 1)
        first.store.audit.add(AuditEvent.LOGIN, detail="young")
    async with serving(tmp_path, audit_keep="1d") as hub:
        await until(lambda: details(hub.store) == ["young"], "old audit rows go")
        await until(lambda: session_keys(hub.store) == [], "old sessions go")


async def test_a_store_that_can_not_be_pruned_is_said_once_a_while(
    tmp_path: Path, logs: io.StringIO
) -> None:
    async with serving(tmp_path) as first:
        break_table(first.settings.paths.store_db, "audit")
    async with serving(tmp_path) as hub:
        await until(lambda: "store_not_pruned" in logs.getvalue(), "a warning")
        async with hub.client() as client:
            assert (await client.get("/login")).status_code == 200
    assert logs.getvalue().count("store_not_pruned") == 1
