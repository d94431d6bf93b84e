"""A home is there at every moment until its grace was watched to the end, or someone typed its name.

Random files, prunes, purges, clocks that pass and jump, lost indexes, and kills between any two steps;
the model counts for itself how long the tombstone was watched.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
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

from stacks.errors import StacksError
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
        """Seconds that the present tombstone was watched."""

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
            ["write", "write", "remove", "remove", "jump", "wait", "lose", "hand"]
        ),
        years=st.integers(-60, 60),
    )
    def world(self, change: str, years: int) -> None:
        life = self.life
        if change == "write":
            life.write(WS)
        elif change == "remove":
            life.files.pop(WS, None)
        elif change == "jump":
            life.time += timedelta(seconds=years * YEARS)
        elif change == "wait":  # nobody runs
            life.pass_time(1_000 * GRACE)
        elif change == "hand":
            life.power.containers.pop(WS, None)
        else:
            life.lose_index()
            self.watched = 0.0

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
        try:
            async with self.life.runner() as runner:
                for number, (folder, gap) in enumerate(looks):
                    self.life.pass_time(gap)
                    with self._folder(folder):
                        await self._look(runner, gap if number else 0.0, prune=prune)
        except* KilledError:
            self._settle_account()

    @contextmanager
    def _folder(self, state: str) -> Iterator[None]:
        files = self.life.files
        self.life.unreadable = state == "unreadable"
        self.life.files = {} if state == "empty" else files
        try:
            yield
        finally:
            self.life.unreadable, self.life.files = False, files

    async def _look(self, runner: Life, gap: float, *, prune: bool) -> None:
        life, home, dated = self.life, self.life.homes(WS), self._dated()
        self.watched = self.watched + min(gap, LONGEST) if dated else 0.0
        gone = WS not in life.files and bool(life.files) and not life.unreadable
        may_go = dated and self.watched >= GRACE and gone and WS not in life.power.containers
        try:
            await runner.look(prune=prune, force=True)
        finally:
            assert may_go or life.homes(WS) == home or not home, "a home went too early"
            self._settle_account()

    async def _purge(self, kill: int | None) -> None:
        home, life = self.life.homes(WS), self.life
        may_go = WS not in life.files and not life.unreadable and WS not in life.power.containers
        life.death.countdown = -1 if kill is None else kill
        try:
            async with life.runner() as runner:
                try:
                    await runner.purge(WS)
                except StacksError:
                    assert life.homes(WS) == home, "it was refused"
        except* KilledError:
            pass
        assert may_go or life.homes(WS) == home, "a home went though something stood"
        self._settle_account()

    def _dated(self) -> bool:
        """Whether the row says when the home goes; asked too often to open an index each time."""
        with closing(sqlite3.connect(self.life.root / "index.db")) as file:
            found = file.execute("SELECT grace_end FROM workspaces WHERE id = ?", (WS,)).fetchone()
        return found is not None and found[0] is not None

    def _settle_account(self) -> None:
        """A tombstone that is set now has been watched by nobody yet."""
        if not self._dated():
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
        home = life.homes(WS)
        async with life.runner() as runner:
            if WS in life.files:
                for _ in range(3):
                    await runner.look(force=True)
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
            assert life.row(WS) is None
            assert await life.power.find({LABEL_WORKSPACE: WS}) == ()


Homes.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestHomes = Homes.TestCase
