"""What is done to the CodeHub of a soak: by people, by hand behind its back, and by its machine."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

from stacks.client import RunnerClient
from stacks.errors import StacksError
from state_index.phases import Phase
from tests.soak.engine import OwnEngine
from tests.soak.hub import SoakHub, logged_in
from tests.soak.model import CPUS, MEMORY, Slot
from tests.soak.reality import Reality
from tests.soak.records import Log
from tests.soak.targets import Targets

SLOTS = 5
LOCKED_SECONDS = 6.0
"""Longer than a writer waits for the database."""

FULL_SECONDS = 3.0
ASK_SECONDS = 60.0

T = TypeVar("T")


class World:
    """The files, and all that is done beside kills; one action at a time."""

    def __init__(self, hub: SoakHub, engine: OwnEngine, log: Log, *, seed: int) -> None:
        self.hub = hub
        self.engine = engine
        self.log = log
        self.seed = seed
        self.slots = [Slot(f"w{number}") for number in range(SLOTS)]
        self.reality = Reality(hub, engine)
        self.targets = Targets(hub, engine)
        self.client = logged_in(hub)
        self.done: list[str] = []
        """What was done, in words, for whoever has to find out why it failed."""
        self.busy: set[str] = set()
        self.disturbed = self.restarted = False
        self._pool = ThreadPoolExecutor(4)
        self.asked: list[Future[None]] = []
        self.before = self.reality.containers()

    def close(self) -> None:
        """Close clients."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.client.close()
        self.reality.client.close()

    # Edits, intents, drift: each leaves its workspace busy until the next heal.

    def begin(self, slot: Slot) -> bool:
        """Mark a workspace as worked on; False when it already is."""
        if slot.id in self.busy:
            return False
        self.busy |= {slot.id, slot.first, f"{slot.first}-r"}
        return True

    def note(self, text: str) -> None:
        """Keep in mind what is done."""
        self.done.append(f"{datetime.now(UTC):%H:%M:%S.%f} {text}")

    def write(self, slot: Slot) -> None:
        """Bring its file to what the model says, in one step."""
        self.note(f"write {slot.id}: {slot.memory}Mi, {slot.cpu} cpu, note {slot.note}")
        # Who comes back is started, whatever it did before.
        slot.on, slot.stands = slot.on or not slot.stands, True
        self.hub.write(slot.id, slot.text())

    def edit(self, slot: Slot, how: int) -> None:
        """Change a limit or the environment."""
        if how % 3 == 0:
            slot.memory = MEMORY[(MEMORY.index(slot.memory) + 1) % len(MEMORY)]
        elif how % 3 == 1:
            slot.cpu = CPUS[(CPUS.index(slot.cpu) + 1) % len(CPUS)]
        else:
            slot.note += 1
        self.write(slot)

    def rename(self, slot: Slot) -> None:
        """Give the file another name, and say whose home it takes."""
        old = self.hub.workspaces / f"{slot.id}.yaml"
        slot.renamed = not slot.renamed
        self.note(f"rename {old.stem} to {slot.id}")
        old.unlink()
        self.hub.write(slot.id, slot.text())

    def remove(self, slot: Slot) -> None:
        """Take the file away, and have the workspace removed by name."""
        self.note(f"remove {slot.id}")
        (self.hub.workspaces / f"{slot.id}.yaml").unlink()
        slot.stands = False
        self.asked.append(self._pool.submit(self._destroy, slot.id))

    def _destroy(self, id_: str) -> None:
        """Ask until it is begun: whoever asked may be cut off, and what is begun ends by itself."""

        async def destroy(runner: RunnerClient) -> None:
            await runner.destroy(id_, actor="soak")

        deadline = time.monotonic() + ASK_SECONDS
        while time.monotonic() < deadline:
            with suppress(StacksError):
                self.ask(destroy)
            row = self.hub.index.workspace(id_)
            if row is None or row.phase in {Phase.DELETING, Phase.TOMBSTONED}:
                break

    def power(self, slot: Slot, *, on: bool) -> None:
        """Ask for a start or a stop as a person does."""
        kind = "start" if on else "stop"
        self.note(f"{kind} {slot.id}")
        answer = self.client.post(f"/api/v1/workspaces/{slot.id}/{kind}")
        assert answer.status_code == 202, answer.text
        slot.on = on

    def drift(self, slot: Slot, how: int) -> None:
        """Do something to its container behind our back."""
        name = self.reality.name(slot.id)
        hands: list[tuple[str, str, dict[str, object]]] = [
            ("POST", f"/containers/{name}/stop?t=0", {}),
            ("DELETE", f"/containers/{name}?force=1", {}),
            ("POST", f"/containers/{name}/update", {"Memory": 99 << 20, "MemorySwap": 99 << 20}),
            (
                "POST",
                f"/networks/{self.hub.name}-net/disconnect",
                {"Container": name, "Force": True},
            ),
        ]
        method, path, body = hands[how % len(hands)]
        self.note(f"by hand: {method} {path}")
        self.reality.by_hand(method, path, **body)

    # What the machine does.

    def jump(self, seconds: float) -> None:
        """Put the runner's wall clock forward or back."""
        self.note(f"clock {seconds:+} s")
        self.disturbed = True
        self.hub.clock.write_text(str(seconds))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave not a byte on the disk of engine and data tree."""
        self.note("the disk is full")
        self.disturbed = True
        ballast = self.engine.root / "ballast"
        with ballast.open("wb", buffering=0) as file:
            free = os.statvfs(self.engine.root)
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, free.f_bfree * free.f_bsize)
            with suppress(OSError):
                file.seek(0, os.SEEK_END)
                while file.write(bytes(4096)):
                    pass
        try:
            yield
        finally:
            ballast.unlink()
            self.note("the disk has room again")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the index as another writer that does not come to an end."""
        self.note("the index is locked")
        self.disturbed = True
        connection = sqlite3.connect(self.hub.root / "data" / "index.db", timeout=30)
        connection.isolation_level = None
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()
            self.note("the index is free")

    def linger(self, seconds: float) -> None:
        """Let a fault last: what is proven is what comes after it."""
        time.sleep(seconds)

    # How the runner is asked.

    def ask(self, ask: Callable[[RunnerClient], Awaitable[T]]) -> T:
        """Ask the runner that leads, by its socket."""

        async def asked() -> T:
            async with RunnerClient(self.hub.root / "data" / "runner.sock") as runner:
                return await ask(runner)

        return asyncio.run(asked())
