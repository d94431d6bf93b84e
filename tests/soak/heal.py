"""What has to hold after each heal: waited for by condition, with a bound."""

import time

import httpx

from stacks.client import RunnerClient
from stacks.gc.model import Fate, Item
from stacks.gc.model import Kind as Left
from tests.soak.model import Scene, differences, moved, worked
from tests.soak.world import World

HEAL_SECONDS = 120.0
"""Much more than anything takes; backoff of what failed twice is eight seconds."""

LOOK_SECONDS = 0.1


class SoakError(AssertionError):
    """Something that has to hold does not."""

    def __init__(self, what: str, found: list[str]) -> None:
        super().__init__("\n  ".join([what, *found]))


class Healing(World):
    """The world, and how it comes to rest."""

    def move_in(self) -> None:
        """Begin with most workspaces there: each has a home with something in it."""
        for slot in self.slots[:-1]:
            self.begin(slot)
            self.write(slot)
        self.heal()

    def heal(self) -> None:
        """Wait until all is as it should be, and check what only then can be told."""
        if not (self.busy or self.disturbed or self.restarted):
            return
        for asked in self.asked:
            asked.result(HEAL_SECONDS)
        self.asked.clear()
        scene = self._converged()
        if ended := [name for name, it in self.hub.processes.items() if it.poll() is not None]:
            raise SoakError("a process ended by itself", ended)
        if found := moved(
            self.before, scene.containers, spared=self.busy, restarted=self.restarted
        ):
            raise SoakError("a fault touched what it had no business with", found)
        self._check_second_up()
        self._check_leftovers()
        for slot in self.slots:
            if slot.stands and not slot.marker:
                slot.marker = self.reality.leave_marker(slot.home, f"{self.seed} {slot.first}")
        self.busy.clear()
        self.disturbed = self.restarted = False
        self.before = self.reality.containers()
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
            return worked(
                {slot.id for slot in self.slots if slot.stands}, await runner.up(actor="soak")
            )

        if found := self.ask(up):
            raise SoakError("a second `up` found something to do", found)

    def _check_leftovers(self) -> None:
        async def gc(runner: RunnerClient) -> list[str]:
            return [
                f"{it.kind} {it.name}: {it.why} {it.remedy}"
                for it in await runner.gc()
                if self._left(it)
            ]

        if found := self.ask(gc):
            raise SoakError("something is left over", found)

    def _left(self, item: Item) -> bool:
        """Whether a fault left it; what removals leave to `gc` without any fault is explained."""
        standing = {slot.id for slot in self.slots if slot.stands}
        explained = {
            Left.PRUNED: True,  # records beyond their bounds: upkeep prunes them each hour
            Left.RUN_FOLDER: item.workspace not in standing,
            Left.TABLE: self.hub.name not in item.name,  # of another test: the kernel keeps them
        }
        return item.fate is not Fate.KEPT and not explained.get(item.kind, False)

    def check_gc(self) -> None:
        """Have everything removed that is left over, at the end: then nothing is, and all still stands."""

        async def gc(runner: RunnerClient) -> list[str]:
            removed = await runner.gc(remove=True, actor="soak")
            bad = [f"{it.kind} {it.name}: {it.remedy}" for it in removed if it.fate is Fate.FAILED]
            return bad + [f"{it.kind} {it.name}: {it.why}" for it in await runner.gc()]

        self.heal()
        if found := self.ask(gc):
            raise SoakError("`gc` does not come to an end", found)
        self.disturbed = True
        self.heal()
