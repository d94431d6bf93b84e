"""Two database roles with least grants: the how-to's SQL as it stands, a gateway that works by its role,
and each write that it must not do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from gateway.errors import StoreUnavailableError
from gateway.store import AuditEvent, Store
from state_index.errors import IndexUnavailableError
from state_index.index import Index
from state_index.models import RunnerInfo, utc_now
from state_index.phases import Event
from tests.gateway.harness import ALICE, login_of
from tests.gateway.process import process
from tests.hub import wait_for
from tests.postgres import Server, serving

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "postgresql.md"
OWNER, RUNNER, GATEWAY = "codehub_owner", "codehub_runner", "codehub_gateway"

FORBIDDEN = {
    "publish": "UPDATE hub_index.workspaces SET owner = 'mallory'",
    "lock a row": "SELECT 1 FROM hub_index.workspaces FOR UPDATE",
    "add a workspace": "INSERT INTO hub_index.workspaces SELECT * FROM hub_index.workspaces WHERE false",
    "forget a workspace": "DELETE FROM hub_index.workspaces",
    "change the generation": "UPDATE hub_index.index_clock SET generation = 0",
    "finish an operation": "UPDATE hub_index.intents SET status = 'done'",
    "remove an operation": "DELETE FROM hub_index.intents",
    "finish an edit": "UPDATE hub_index.edits SET status = 'done'",
    "add an edit as made by a commit": "INSERT INTO hub_index.edits (id, workspace_id, action, actor, base, message, admin,"
    " request_id, created_at, status, commit) SELECT 'x', 'a', 'change', 'alice', '', '', false, '', now(), 'done', 'c'",
    "remove an edit": "DELETE FROM hub_index.edits",
    "approve what is held": "INSERT INTO hub_index.review_approvals SELECT * FROM hub_index.review_approvals WHERE false",
    "let go what is held": "DELETE FROM hub_index.review_holds",
    "say what was reviewed": "UPDATE hub_index.reviews SET head = ''",
    "write history": "INSERT INTO hub_index.history SELECT * FROM hub_index.history WHERE false",
    "change history": "UPDATE hub_index.history SET cause = ''",
    "say who runs": "UPDATE hub_index.runner SET address = 'unix:elsewhere.sock'",
    "say that a commit is applied": "UPDATE hub_index.repository SET applied = 'x'",
    "add a repository": "INSERT INTO hub_index.repository SELECT * FROM hub_index.repository WHERE false",
    "remove what is asked": "DELETE FROM hub_index.repository_wishes",
    "read the lease": "SELECT * FROM hub_index.lease",
    "take the lease": "UPDATE hub_index.lease SET holder = 'mallory'",
    "change the version": "UPDATE hub_index.state_index_version SET version_num = '0'",
    "add an account": "INSERT INTO hub_store.users SELECT * FROM hub_store.users WHERE false",
    "make an admin": "UPDATE hub_store.users SET admin = true",
    "change a password": "UPDATE hub_store.users SET password_hash = ''",
    "remove an account": "DELETE FROM hub_store.users",
    "lengthen a session": "UPDATE hub_store.sessions SET expires = 9e9",
    "rewrite the audit log": "UPDATE hub_store.audit SET detail = ''",
    "empty the audit log at once": "TRUNCATE hub_store.audit",
    "make a table in the index": "CREATE TABLE hub_index.mine (x int)",
    "make a table in the store": "CREATE TABLE hub_store.mine (x int)",
    "make a column": "ALTER TABLE hub_store.users ADD COLUMN mine int",
    "remove a table": "DROP TABLE hub_index.history",
}
FORBIDDEN_TO_RUNNER = {
    "read accounts": "SELECT * FROM hub_store.users",
    "read sessions": "SELECT * FROM hub_store.sessions",
    "change the version": "UPDATE hub_index.state_index_version SET version_num = '0'",
    "make a table": "CREATE TABLE hub_index.mine (x int)",
    "remove a table": "DROP TABLE hub_index.history",
}


@dataclass(frozen=True)
class Place:
    """The database of the how-to."""

    server: Server

    def url(self, role: str, schema: str) -> str:
        where = f"host={self.server.folder}&options=-csearch_path%3D{schema}"
        return f"postgresql+psycopg://{role}@/codehub?{where}"

    def index(self, role: str) -> Index:
        return Index.open(self.url(role, "hub_index"))

    def store(self, role: str) -> Store:
        return Store(self.url(role, "hub_store"), idle=3600)

    def run(self, role: str, statements: str, database: str = "codehub") -> None:
        where = f"host={self.server.folder} user={role} dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            for statement in filter(str.strip, statements.split(";")):
                connection.execute(statement.encode())

    def attempt(self, role: str, statement: str) -> None:
        """Do it and take it back."""
        where = f"host={self.server.folder} user={role} dbname=codehub"
        with psycopg.connect(where) as connection:
            connection.execute(statement.encode())
            connection.rollback()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    roles, schemas, grants = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with serving() as server:
        made = Place(server)
        made.run("postgres", roles, database="postgres")
        made.run(OWNER, schemas)
        made.index(OWNER).close()
        with made.store(OWNER) as store:
            store.users.add(*ALICE)
        made.run(OWNER, grants)
        yield made


def test_a_gateway_works_by_its_role_and_a_runner_by_its_own(place: Place, tmp_path: Path) -> None:
    urls = {
        "index_url": place.url(GATEWAY, "hub_index"),
        "store_url": place.url(GATEWAY, "hub_store"),
    }
    (tmp_path / "data").mkdir(mode=0o700)
    with place.index(RUNNER) as runner, process(tmp_path, **urls) as (_, url):
        runner.lease("test").acquire()
        runner.announce(
            RunnerInfo(
                address="unix:runner.sock", pid=1, version="test", started_at=utc_now(), heartbeat=0
            )
        )
        assert runner.beat() == 1
        runner.publish("a", event=Event.STOPPED, cause="found", owner=ALICE[0])
        with httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as alice:
            assert alice.post("/api/v1/session", json=login_of(ALICE)).status_code == 201
            wait_for(lambda: alice.get("/api/v1/workspaces/a").status_code == 200, "the workspace")
            started = alice.post("/api/v1/workspaces/a/start").json()["operation"]
            assert not started["joined"]
            assert alice.post("/api/v1/workspaces/a/start").json()["operation"]["joined"]
            assert [taken.id for taken in runner.take_intents()] == [started["id"]]
            runner.publish("a", event=Event.START, cause="asked")
            runner.publish("a", event=Event.READY, cause="answers")
            runner.finish(started["id"])
            operation = alice.get(f"/api/v1/operations/{started['id']}").json()
            assert operation["status"] == "done"
            with place.index(GATEWAY) as gateway:
                edit = gateway.edits.ask("a", "delete", actor=ALICE[0], base="", text=None)
            assert [taken.id for taken in runner.edits.take()] == [edit.id]
            runner.edits.finish(edit.id)
            phases = alice.get("/api/v1/workspaces/a/history").json()["phases"]
            assert [phase["after"] for phase in phases] == ["RUNNING", "STARTING", "WARM"]
            assert alice.get("/api/v1/repository").json()["followed"] is False
            assert alice.get("/workspaces/a/details").status_code == 200
            assert alice.delete("/api/v1/session").status_code == 204
        runner.forget("a", "test")


def test_a_store_by_the_gateways_role_keeps_sessions_and_prunes(place: Place) -> None:
    with place.store(GATEWAY) as store:
        who = store.users.credentials(ALICE[0])
        assert who is not None
        assert store.sessions.create("k", who, now=1000, expires=2000, user_agent="")
        store.sessions.touch("k", now=1001)
        store.audit.add(AuditEvent.LOGIN, user=ALICE[0])
        store.check()
        store.prune(keep=0)
        assert store.sessions.alive(["k"], now=1500) == set()
        with pytest.raises(StoreUnavailableError, match="permission denied"):
            store.users.disable(ALICE[0])


def test_an_index_by_the_gateways_role_publishes_nothing(place: Place) -> None:
    with place.index(GATEWAY) as index:
        with pytest.raises(IndexUnavailableError, match="permission denied"):
            index.publish("b", cause="mallory")
        with pytest.raises(IndexUnavailableError, match="permission denied"):
            index.take_intents()


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=list(FORBIDDEN))
def test_what_the_gateways_role_must_not_do(place: Place, statement: str) -> None:
    place.attempt(OWNER, statement)  # it is not refused for another reason
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        place.attempt(GATEWAY, statement)


@pytest.mark.parametrize("statement", FORBIDDEN_TO_RUNNER.values(), ids=list(FORBIDDEN_TO_RUNNER))
def test_what_the_runners_role_must_not_do(place: Place, statement: str) -> None:
    place.attempt(OWNER, statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        place.attempt(RUNNER, statement)


def test_nobody_but_the_owner_makes_temporary_tables(place: Place) -> None:
    for role in (GATEWAY, RUNNER):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            place.attempt(role, "CREATE TEMPORARY TABLE mine (x int)")
