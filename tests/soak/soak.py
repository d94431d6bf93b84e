"""One soak: what is done to a CodeHub, what is killed meanwhile, and what has to hold after each heal."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from stacks.client import RunnerClient
from stacks.errors import StacksError
from stacks.gc.model import Fate, Item
from stacks.gc.model import Kind as Left
from stacks.steps import Result
from state_index.models import Published
from state_index.phases import Phase
from tests.hub import wait_for
from tests.soak.engine import OwnEngine
from tests.soak.hub import SoakHub, logged_in
from tests.soak.model import CPUS, MEMORY, Scene, Slot, differences, moved
from tests.soak.reality import Reality
from tests.soak.records import OF_OPERATIONS, OPERATING, PAIRS, Kill, Log, Target, missing
from tests.soak.targets import Pids, Targets

SLOTS = 5
HEAL_SECONDS = 120.0
"""Much more than anything takes; backoff of what failed twice is eight seconds."""

CATCH_SECONDS = 20.0
TRIES = 6
"""Operations that are begun for one kill: it has to be within a phase that may last 0.2 s."""

LOCKED_SECONDS = 6.0
"""Longer than a writer waits for the database."""

FULL_SECONDS = 3.0


REST_SECONDS = 1.5
"""What has come to rest for so long does not go on to the phase that was waited for."""

POLL_SECONDS = 0.002
LOOK_SECONDS = 0.1

T = TypeVar("T")


class SoakError(AssertionError):
    """Something that has to hold does not."""

    def __init__(self, what: str, found: list[str]) -> None:
        super().__init__("\n  ".join([what, *found]))


class Soak:
    """The world that the rules work on; one action at a time."""

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
        self._busy: set[str] = set()
        self._disturbed = self._restarted = False
        self._pool = ThreadPoolExecutor(4)
        self._asked: list[Future[None]] = []
        self._before = self.reality.containers()

    def close(self) -> None:
        """Close clients."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.client.close()
        self.reality.client.close()

    def move_in(self) -> None:
        """Begin with most workspaces there: each has a home with something in it."""
        for slot in self.slots[:-1]:
            self.begin(slot)
            self.write(slot)
        self.heal()

    # Edits, intents, drift: each leaves its workspace busy until the next heal.

    def begin(self, slot: Slot) -> bool:
        """Mark a workspace as worked on; False when it already is."""
        if slot.id in self._busy:
            return False
        self._busy |= {slot.id, slot.first, f"{slot.first}-r"}
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
        self._asked.append(self._pool.submit(self._destroy, slot.id))

    def _destroy(self, id_: str) -> None:
        async def destroy(runner: RunnerClient) -> None:
            await runner.destroy(id_, actor="soak")

        # The daemon may be killed meanwhile: whether it was done is looked at later.
        with suppress(StacksError):
            self._ask(destroy)

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
        self._disturbed = True
        self.hub.clock.write_text(str(seconds))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave not a byte on the disk of engine and data tree."""
        self.note("the disk is full")
        self._disturbed = True
        ballast = self.engine.root / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * (1 << 20)):
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
        self._disturbed = True
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

    # Kills.

    def strike(self, target: Target, phase: Phase, pick: int, lag: float) -> bool:
        """Bring a workspace into a phase and kill within it; whether it was possible.

        Args:
            target: What is killed.
            phase: Of the victim, by its published row.
            pick: Chooses among workspaces and ways.
            lag: Seconds within the phase before the kill, if it lasts so long.
        """
        for attempt in range(TRIES):
            self.heal()
            struck = self._try(target, phase, pick + attempt, lag / (attempt + 1))
            if struck:
                self._restarted = target is Target.ENGINE
                self.targets.recover(target, struck)
            self.heal()
            if struck:
                return True
        return False

    def _try(self, target: Target, phase: Phase, pick: int, lag: float) -> Pids:
        victim = self._fitting(phase, pick)
        of = victim
        if target in OF_OPERATIONS and phase not in OPERATING:
            of, lag = self._companion(victim, pick), 0.0
            self.edit(of, 2)
            wait_for(lambda: self.targets.find(target, of.id), f"an operation of {of.id}", every=0)
        asked = self.hub.index.generation()
        self._lead_to(phase, victim, pick)
        if not self._reached(phase, victim, asked, lag):
            return ()
        return self._kill(target, phase, victim, of)

    def _fitting(self, phase: Phase, pick: int) -> Slot:
        """Choose a workspace that can be led to a phase; another is brought there first where none is."""
        wanted: Callable[[Slot], bool] = {
            Phase.PROVISIONING: lambda slot: not slot.stands,
            Phase.STARTING: lambda slot: slot.stands and not slot.on,
            Phase.STOPPING: lambda slot: slot.stands and slot.on,
        }.get(phase, lambda slot: slot.stands)
        while not (fitting := [slot for slot in self.slots if wanted(slot)]):
            self._make_fitting(phase, self.slots[pick % SLOTS])
            self.heal()
        chosen = fitting[pick % len(fitting)]
        self.begin(chosen)
        return chosen

    def _make_fitting(self, phase: Phase, slot: Slot) -> None:
        self.begin(slot)
        if phase is Phase.PROVISIONING:
            self.remove(slot)
        elif not slot.stands:
            self.write(slot)
        else:
            self.power(slot, on=phase is Phase.STOPPING)

    def _companion(self, victim: Slot, pick: int) -> Slot:
        others = [slot for slot in self.slots if slot is not victim]
        chosen = others[pick % len(others)]
        self.begin(chosen)
        return chosen

    def _lead_to(self, phase: Phase, slot: Slot, pick: int) -> None:
        if phase is Phase.PROVISIONING:
            self.write(slot)
        elif phase is Phase.UPDATING:
            self.edit(slot, 1 + pick % 2)
        elif phase is Phase.DELETING:
            self.remove(slot)
        else:
            self.power(slot, on=phase is Phase.STARTING)

    def _reached(self, phase: Phase, victim: Slot, asked: int, lag: float) -> bool:
        """Wait until a row says the phase for so long; False when it has come to rest since."""
        since = rest = 0.0
        deadline = time.monotonic() + CATCH_SECONDS
        while (now := time.monotonic()) < deadline:
            row = self.hub.index.workspace(victim.id)
            if row is not None and row.phase is phase:
                since = since or now
                if now - since >= lag:
                    return True
            elif since:
                return False
            elif row is not None and row.phase is victim.phase and row.generation > asked:
                rest = rest or now
                if now - rest > REST_SECONDS:
                    return False
            time.sleep(POLL_SECONDS)
        return False

    def _kill(self, target: Target, phase: Phase, victim: Slot, of: Slot) -> Pids:
        """Kill when the target is there, and as long as the row says the phase; gives what was killed."""
        while True:
            pids = self.targets.find(target, of.id)
            asked = time.monotonic()
            row = self.hub.index.workspace(victim.id)
            if row is None or row.phase is not phase:
                return ()
            if pids and self.targets.kill(target, pids):
                self._record(target, row, of, pids, time.monotonic() - asked)
                return pids

    def _record(self, target: Target, row: Published, of: Slot, pids: Pids, late: float) -> None:
        kill = Kill(
            at=datetime.now(UTC).isoformat(),
            target=target,
            phase=row.phase,
            step=row.step,
            workspace=row.id,
            of=of.id if target in OF_OPERATIONS else "",
            pids=pids,
            late=round(late, 4),
            seed=self.seed,
        )
        self.log.add(kill)
        self.note(f"kill {target} while {row.id} is {row.phase}: {row.step}")

    def wanting(self, pick: int) -> tuple[Target, Phase]:
        """Choose a pair: one that is not in the log yet, if there is any."""
        pairs = missing(self.log.kills()) or list(PAIRS)
        return pairs[pick % len(pairs)]

    # Heals.

    def heal(self) -> None:
        """Wait until all is as it should be, and check what only then can be told."""
        if not (self._busy or self._disturbed or self._restarted):
            return
        for asked in self._asked:
            asked.result(HEAL_SECONDS)
        self._asked.clear()
        scene = self._converged()
        if ended := [name for name, it in self.hub.processes.items() if it.poll() is not None]:
            raise SoakError("a process ended by itself", ended)
        if found := moved(
            self._before, scene.containers, spared=self._busy, restarted=self._restarted
        ):
            raise SoakError("a fault touched what it had no business with", found)
        self._check_second_up()
        self._check_leftovers()
        for slot in self.slots:
            if slot.stands and not slot.marker:
                slot.marker = self.reality.leave_marker(slot.home, f"{self.seed} {slot.first}")
        self._busy.clear()
        self._disturbed = self._restarted = False
        self._before = self.reality.containers()
        self.note("healed")

    def _converged(self) -> Scene:
        scene, found = Scene(), ["nothing was seen"]
        deadline = time.monotonic() + HEAL_SECONDS
        while found:
            if time.monotonic() > deadline:
                raise SoakError(f"not healed within {HEAL_SECONDS:g} s", found)
            time.sleep(LOOK_SECONDS)
            try:
                scene = self.reality.scene()
            except (httpx.HTTPError, KeyError) as error:  # something is just going
                found = [f"not seen: {error}"]
            else:
                found = differences(self.slots, scene)
        return scene

    def _check_second_up(self) -> None:
        async def up(runner: RunnerClient) -> list[str]:
            results = await runner.up(actor="soak")
            return [
                f"{it.id}: {it.action} {it.reason} {it.message}" for it in results if _worked(it)
            ]

        if found := self._ask(up):
            raise SoakError("a second `up` found something to do", found)

    def _check_leftovers(self) -> None:
        async def gc(runner: RunnerClient) -> list[str]:
            return [
                f"{it.kind} {it.name}: {it.why} {it.remedy}"
                for it in await runner.gc()
                if self._left(it)
            ]

        if found := self._ask(gc):
            raise SoakError("something is left over", found)

    def _left(self, item: Item) -> bool:
        """Whether a fault left it; what removals leave to `gc` without any fault is explained."""
        standing = {slot.id for slot in self.slots if slot.stands}
        explained = {
            Left.PRUNED: True,  # records beyond their bounds: upkeep prunes them each hour
            Left.RUN_FOLDER: item.workspace not in standing,
        }
        return item.fate is not Fate.KEPT and not explained.get(item.kind, False)

    def check_gc(self) -> None:
        """Have everything removed that is left over, at the end: then nothing is, and all still stands."""

        async def gc(runner: RunnerClient) -> list[str]:
            removed = await runner.gc(remove=True, actor="soak")
            bad = [f"{it.kind} {it.name}: {it.remedy}" for it in removed if it.fate is Fate.FAILED]
            return bad + [f"{it.kind} {it.name}: {it.why}" for it in await runner.gc()]

        self.heal()
        if found := self._ask(gc):
            raise SoakError("`gc` does not come to an end", found)
        self._disturbed = True
        self.heal()

    def _ask(self, ask: Callable[[RunnerClient], Awaitable[T]]) -> T:
        async def asked() -> T:
            async with RunnerClient(self.hub.root / "data" / "runner.sock") as runner:
                return await ask(runner)

        return asyncio.run(asked())


def _worked(result: Result) -> bool:
    return result.changed or bool(result.reason)
