"""A whole gateway in the test's own event loop: real server, real databases, a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from litestar import Litestar

from gateway.app import create_app
from gateway.serve import Server, listening, public_url
from gateway.services import Clocks, Services
from gateway.store import Store, open_store
from settings.load import load
from settings.model import GatewaySettings
from settings.paths import DataPaths
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.waiting import until

ALICE = ("alice", "correct horse battery")
BOB = ("bob", "staple staple staple")
ROOT = ("root-admin", "grandmother's clock")

DEADLINE = 10.0

_WAYS: dict[Phase, tuple[Event, ...]] = {
    Phase.PENDING: (),
    Phase.PROVISIONING: (Event.PROVISION,),
    Phase.STARTING: (Event.BOOTING,),
    Phase.RUNNING: (Event.BOOTING, Event.READY),
    Phase.STOPPING: (Event.BOOTING, Event.READY, Event.STOP),
    Phase.UPDATING: (Event.STOPPED, Event.UPDATE),
    Phase.WARM: (Event.STOPPED,),
    Phase.ERROR: (Event.PROVISION, Event.FAILED),
    Phase.UNKNOWN: (Event.UNREACHABLE,),
    Phase.TOMBSTONED: (Event.REMOVED,),
    Phase.DELETED: (Event.DELETE, Event.REMOVED, Event.PURGE, Event.PURGED),
}


class Clock:
    """A clock that tests move."""

    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Running:
    """A gateway that serves."""

    url: str
    settings: GatewaySettings
    services: Services
    index: Index
    store: Store
    server: Server
    site: Litestar

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A visitor without cookies, who sends the Origin that a browser would send."""
        headers = {"Origin": self.url} | options.pop("headers", {})
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=DEADLINE, **options)

    @asynccontextmanager
    async def visitor(self, who: tuple[str, str] = ALICE) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who is logged in."""
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json=login_of(who))
            assert answer.status_code == 201, answer.text
            yield client

    def publish(self, workspace_id: str, phase: Phase, **changes: Any) -> Published:
        """Publish a workspace as the runner would, by legal steps from where it is."""
        changes = {"owner": "alice", "sync": Sync.SYNCED, "image": "codehub/light"} | changes
        row = self.index.workspace(workspace_id)
        if row is not None and row.phase is phase:
            return self.index.publish(workspace_id, cause="test", **changes)
        if row is not None:
            self.index.forget(workspace_id, "test")
        ways = _WAYS[phase]
        for event in ways[:-1]:
            self.index.publish(workspace_id, event=event, cause="test", owner=changes["owner"])
        last = ways[-1] if ways else None
        return self.index.publish(workspace_id, event=last, cause="test", **changes)


def login_of(who: tuple[str, str]) -> dict[str, str]:
    """The body of a login."""
    return {"username": who[0], "password": who[1]}


def settings_for(folder: Path, **values: str) -> GatewaySettings:
    """Settings for a data tree in a test's folder, on a free port."""
    env = {"CODEHUB_DATA": str(folder / "data"), "CODEHUB_PORT": "0"}
    env |= {f"CODEHUB_{name.upper()}": value for name, value in values.items()}
    return load(GatewaySettings, env=env, cwd=folder)


@cache
def _seeds() -> tuple[bytes, bytes]:
    """An empty index and a store with alice, bob and an admin: made once, hashing takes long."""
    with TemporaryDirectory(prefix="codehub-test-") as folder:
        paths = DataPaths(Path(folder))
        Index.migrate(f"sqlite:///{paths.index_db}")
        with Store(f"sqlite:///{paths.store_db}", idle=60) as store:
            for name, password in (ALICE, BOB, ROOT):
                store.users.add(name, password, admin=(name, password) == ROOT)
        return paths.index_db.read_bytes(), paths.store_db.read_bytes()


def seed(paths: DataPaths) -> None:
    """Put both databases into a data tree, unless a gateway before has left its own there."""
    paths.make()
    if paths.store_db.exists():
        return
    for path, content in zip((paths.index_db, paths.store_db), _seeds(), strict=True):
        path.touch(0o600)
        path.write_bytes(content)


@asynccontextmanager
async def serving(
    folder: Path, *, clocks: Clocks | None = None, **values: str
) -> AsyncIterator[Running]:
    """Run a gateway with alice, bob and an admin for the time of a block."""
    settings = settings_for(folder, **values)
    seed(settings.paths)
    with (
        listening(settings) as (sock, actual),
        Index.open(actual.index_url) as index,
        open_store(actual, now=(clocks or Clocks()).now) as store,
    ):
        # As uvloop has it, on which the command runs: asyncio leaves it out where a socket names no protocol,
        # and each small answer then waits 40 ms for the client's delayed acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gateway = create_app(actual, index=index, store=store, clocks=clocks)
        server = Server(gateway)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve([sock]))
            await until(lambda: server.started or task.done(), "the server starts")
            running = Running(
                public_url(actual), actual, gateway.services, index, store, server, gateway.site
            )
            try:
                yield running
            finally:
                server.should_exit = True
