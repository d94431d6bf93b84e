"""A home is there at every moment until its grace was watched to the end, or someone typed its name.

Random files, right and wrong, prunes, purges, clocks that pass and jump, lost indexes, copies of index
and ledger put back alone, folders that cannot be read, and kills between any two steps. The model
counts for itself how long was watched since nothing of the workspace stood, whatever was restored.
"""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from stacks.demand import Demand
from stacks.errors import HomePartlyRemovedError, StacksError
from stacks.programs.inputs import LABEL_WORKSPACE
from state_index.index import Index
from state_index.phases import Phase
from tests.stacks.afterlife import GRACE, LONGEST, Afterlife, KilledError, Life

WS = "ws"
KILL = st.none() | st.integers(0, 30)
GAP = st.sampled_from([0.0, 41.0, 59.0, 59.0, 59.0, 10_000.0])
FOLDER = st.sampled_from(["fine"] * 3 + ["unreadable", "empty"])
YEARS = 365 * 24 * 3600.0


@cache
def _empty_index() -> bytes:
    """A new index, which takes long to make."""
    with tempfile.TemporaryDirectory(prefix="codehub-test-") as folder:
        Index.migrate(f"sqlite:///{folder}/index.db")
        return (Path(folder) / "index.db").read_bytes()


class Homes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="codehub-test-")
        self.life = Afterlife(root=Path(self.folder.name), index=_empty_index())
        self.life.write("other")
        self.watched = 0.0
        """Seconds that were watched since nothing of it stood: neither file nor container."""
        self.was_complete = False
        """Whether the folder was read whole by the look before, of the same runner."""
        self.cut_off = False
        """Whether a runner was killed at anything."""
        self.restored = False
        """Whether index or ledger were put back, or lost, by themselves."""
        self.copies: dict[str, dict[str, bytes]] = {}
        """Copies of index and ledger, by name and file."""

    def teardown(self) -> None:
        try:
            self.life.death.countdown = -1
            asyncio.run(self._ends_well())
        finally:
            self.folder.cleanup()

    # The world.

    @initialize(removed=st.sampled_from([True, True, False]))
    def begin(self, removed: bool) -> None:
        self.life.write(WS)
        self.run(["fine"], [0.0], prune=True, kill=None)
        if removed:
            self.life.files.pop(WS)
            self.run(["fine"], [0.0], prune=True, kill=None)

    @rule(
        change=st.sampled_from(
            [
                *("write", "write", "wrong", "remove", "remove", "remove", "jump", "wait", "hand"),
                *("lose", "copy", "copy", "old index", "old index", "old ledger", "old ledger"),
                "no ledger",
            ]
        ),
        years=st.integers(-60, 60),
    )
    def world(self, change: str, years: int) -> None:
        life = self.life
        if change == "write":
            life.write(WS)
            life.invalid.discard(WS)
        elif change == "wrong":
            life.files.pop(WS, None)
            life.invalid.add(WS)
        elif change == "remove":
            life.files.pop(WS, None)
            life.invalid.discard(WS)
        elif change == "jump":
            life.time += timedelta(seconds=years * YEARS)
        elif change == "wait":  # nobody runs
            life.pass_time(1_000 * GRACE)
        elif change == "hand":
            life.power.containers.pop(WS, None)
        elif change == "lose":
            life.lose_index()
        else:
            self._copied(change)

    def _copied(self, change: str) -> None:
        """Copy what the runner remembers, or put a part of an older copy back."""
        root, ledger = self.life.root, self.life.root / "graces.json"
        if change == "copy":
            self.copies["index"] = {it.name: it.read_bytes() for it in root.glob("index.db*")}
            self.copies["ledger"] = {it.name: it.read_bytes() for it in root.glob("graces.json")}
            return
        self.restored = True
        if change == "no ledger":
            ledger.unlink(missing_ok=True)
        elif found := self.copies.get(change.removeprefix("old ")):
            for path in root.glob("index.db*" if "index" in change else "graces.json"):
                path.unlink()
            for name, content in found.items():
                (root / name).write_bytes(content)

    # The runner.

    @rule(
        folders=st.lists(FOLDER, min_size=5, max_size=5),
        gaps=st.lists(GAP, min_size=1, max_size=5),
        prune=st.sampled_from([True, True, True, False]),
        kill=KILL,
    )
    def run(self, folders: list[str], gaps: list[float], prune: bool, kill: int | None) -> None:
        asyncio.run(self._run(zip(folders, gaps, strict=False), prune=prune, kill=kill))

    @rule(kill=KILL)
    def purge(self, kill: int | None) -> None:
        asyncio.run(self._purge(kill))

    async def _run(
        self, looks: Iterable[tuple[str, float]], *, prune: bool, kill: int | None
    ) -> None:
        self.life.death.countdown = -1 if kill is None else kill
        self.was_complete = False
        try:
            async with self.life.runner() as runner:
                for folder, gap in looks:
                    self.life.pass_time(gap)
                    with self._folder(folder):
                        await self._look(runner, gap, prune=prune)
        except* KilledError:
            self.cut_off = True
            self._settle_account()

    @property
    def _stands(self) -> bool:
        """Whether anything stands by which it may be wanted still."""
        return WS in {*self.life.files, *self.life.invalid} or WS in self.life.power.containers

    @contextmanager
    def _folder(self, state: str) -> Iterator[None]:
        files, invalid = self.life.files, self.life.invalid
        self.life.unreadable = state == "unreadable"
        if state == "empty":
            self.life.files, self.life.invalid = {}, set()
        try:
            yield
        finally:
            self.life.unreadable, self.life.files, self.life.invalid = False, files, invalid

    async def _look(self, runner: Life, gap: float, *, prune: bool) -> None:
        life, home = self.life, self.life.homes(WS)
        complete = bool(life.files) and not life.unreadable
        stood = self._stands
        if stood and complete:
            self.watched = 0.0
        elif complete and self.was_complete:
            self.watched += min(gap, LONGEST)
        self.was_complete = complete
        try:
            await runner.look(prune=prune, force=True)
        finally:
            may_go = self.watched >= GRACE and complete and not stood
            assert may_go or life.homes(WS) == home or not home, "a home went too early"
            self._settle_account()

    async def _purge(self, kill: int | None) -> None:
        home, life = self.life.homes(WS), self.life
        may_go = not self._stands
        life.death.countdown = -1 if kill is None else kill
        try:
            async with life.runner() as runner:
                try:
                    await runner.purge(WS)
                except StacksError:
                    assert life.homes(WS) == home, "it was refused"
        except* KilledError:
            self.cut_off = True
        assert may_go or life.homes(WS) == home, "a home went though something stood"
        self._settle_account()

    def _settle_account(self) -> None:
        """What is in use has been watched by nobody yet."""
        if WS in self.life.power.containers:
            self.watched = 0.0

    # What always holds.

    @invariant()
    def pulumi_knows_no_home_that_is_not_there(self) -> None:
        assert self.life.homes(WS) or WS not in self.life.engine.known

    @invariant()
    def no_container_without_its_home(self) -> None:
        assert self.life.homes(WS) or WS not in self.life.power.containers

    @invariant()
    def a_new_home_was_made_only_after_one_went(self) -> None:
        went = self.life.power.calls.count("remove_home")
        assert self.life.engine.made.get(WS, 0) <= went + 1

    async def _ends_well(self) -> None:
        """Undisturbed, a file without tombstone runs, and without file the home goes in the end."""
        life = self.life
        life.unreadable = False
        life.write("other")
        life.invalid.discard(WS)
        home = life.homes(WS)
        async with life.runner() as runner:
            if WS in life.files:
                for _ in range(3):
                    await runner.look(force=True)
                row = life.row(WS)
                assert row is not None
                if self.cut_off and row.reason == HomePartlyRemovedError.reason:
                    # Its removal had begun: that is said, and whoever knows better takes it.
                    taken = Demand(cause="typed", force=True, adopt=life.files[WS].owner)
                    await runner.queue.submit(WS, taken)
                    row = life.row(WS)
                assert row is not None
                assert row.phase is Phase.RUNNING, row
                assert not home or life.homes(WS) == home
                return
            life.pass_time(2 * 3600)
            for _ in range(6):
                await runner.look(force=True)
                life.pass_time(LONGEST)
            assert not life.homes(WS)
            if life.row(WS) is not None and self.restored:
                # From before its removal: a home that is gone looks like one whose disk is away.
                await runner.purge(WS, forget_missing=True)
            assert life.row(WS) is None
            assert await life.power.find({LABEL_WORKSPACE: WS}) == ()


Homes.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestHomes = Homes.TestCase
