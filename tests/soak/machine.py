"""The rules of the soak, drawn by hypothesis. What is drawn never depends on what is there: a seed draws the same again.

Each rule maps its draws onto the world as it is. When the time is over, or something failed, rules do
nothing more, so that neither is a failure that hypothesis would try to repeat on a world that went on.
"""

from collections.abc import Callable
from functools import wraps
from typing import ClassVar, Concatenate, ParamSpec

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.soak.model import Slot
from tests.soak.soak import Soak
from tests.soak.world import FULL_SECONDS, LOCKED_SECONDS

P = ParamSpec("P")

LAST_KILLS = 4

PICKS = st.integers(0, 2**16)
LAGS = st.integers(0, 6).map(lambda tenths: tenths / 10)
KILLS = st.lists(st.tuples(PICKS, PICKS, LAGS), min_size=6, max_size=12)
WORK = st.lists(st.tuples(PICKS, PICKS), min_size=1, max_size=3)
JUMPS = st.sampled_from([-86400.0, -60.0, 0.0, 3600.0, 8 * 86400.0])


class Course:
    """One run: the world, until when it goes on, and what went wrong."""

    def __init__(self, soak: Soak, over: Callable[[], bool]) -> None:
        """Prepare.

        Args:
            soak: The world.
            over: Whether to do nothing more.
        """
        self.soak = soak
        self.failure: Exception | None = None
        self.stopped = False
        self.examples = 0
        self._over = over

    @property
    def goes_on(self) -> bool:
        """Whether anything is still to be done."""
        return not (self.failure or self.stopped or self._over())


def step(
    method: Callable[Concatenate["Rules", P], None],
) -> Callable[Concatenate["Rules", P], None]:
    """Do nothing when the run is over, and keep what goes wrong for the test to tell."""

    @wraps(method)
    def guarded(self: "Rules", /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self.course.goes_on and not self.simplest:
            try:
                method(self, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - see the module's docstring
                self.course.failure = error
            except (
                BaseException
            ):  # someone pressed Ctrl-C: nothing more is done, teardowns included
                self.course.stopped = True
                raise

    return guarded


class Rules(RuleBasedStateMachine):
    """The rules, over the world of one course."""

    course: ClassVar[Course]

    def __init__(self) -> None:
        super().__init__()
        # Hypothesis begins with the simplest example there is: one rule again and again.
        self.course.examples += 1
        self.simplest = self.course.examples == 1

    def slot(self, pick: int) -> Slot:
        """Choose a workspace."""
        return self.course.soak.slots[pick % len(self.course.soak.slots)]

    @rule(pick=PICKS, how=PICKS)
    @step
    def edit(self, pick: int, how: int) -> None:
        if self.course.soak.begin(self.slot(pick)):
            self.course.soak.edit(self.slot(pick), how)

    @rule(pick=PICKS)
    @step
    def remove_or_bring_back(self, pick: int) -> None:
        chosen = self.slot(pick)
        if self.course.soak.begin(chosen):
            if chosen.stands:
                self.course.soak.remove(chosen)
            else:
                self.course.soak.write(chosen)

    @rule(pick=PICKS)
    @step
    def rename(self, pick: int) -> None:
        chosen = self.slot(pick)
        if chosen.stands and chosen.on and self.course.soak.begin(chosen):
            self.course.soak.rename(chosen)

    @rule(pick=PICKS)
    @step
    def intent(self, pick: int) -> None:
        chosen = self.slot(pick)
        if chosen.stands and self.course.soak.begin(chosen):
            self.course.soak.power(chosen, on=not chosen.on)

    @rule(pick=PICKS, how=PICKS)
    @step
    def drift(self, pick: int, how: int) -> None:
        if self.slot(pick).stands and self.course.soak.begin(self.slot(pick)):
            self.course.soak.drift(self.slot(pick), how)

    @rule(by=JUMPS)
    @step
    def clock(self, by: float) -> None:
        self.course.soak.jump(by)

    @rule(work=WORK)
    @step
    def disk(self, work: list[tuple[int, int]]) -> None:
        with self.course.soak.full_disk():
            self._work(work)
            self.course.soak.linger(FULL_SECONDS)
        self.course.soak.heal()

    @rule(work=WORK)
    @step
    def lock(self, work: list[tuple[int, int]]) -> None:
        with self.course.soak.locked():
            self._work(work)
            self.course.soak.linger(LOCKED_SECONDS)
        self.course.soak.heal()

    def _work(self, work: list[tuple[int, int]]) -> None:
        for pick, how in work:
            if self.course.soak.begin(self.slot(pick)):
                self.course.soak.edit(self.slot(pick), how)

    @rule(kills=KILLS)
    @step
    def kills(self, kills: list[tuple[int, int, float]]) -> None:
        self._strike(kills)

    def teardown(self) -> None:
        """End each example with kills, whichever rules it drew."""
        self._last()

    @step
    def _last(self) -> None:
        self._strike([(len(self.course.soak.done), 1, 0.0)] * LAST_KILLS)

    def _strike(self, kills: list[tuple[int, int, float]]) -> None:
        for which, pick, lag in kills:
            if self.course.goes_on:
                target, phase = self.course.soak.wanting(which)
                self.course.soak.strike(target, phase, pick, lag)


def machine(course: Course) -> type[Rules]:
    """Give the rules over one world."""
    return type("Machine", (Rules,), {"course": course})
