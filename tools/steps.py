"""The engine of the set-up: named steps, each done once, in the order of their needs, some side by side.

A step says itself whether it is done (`check`), so an interrupted set-up goes on where it was: nothing here
remembers anything. How a step shows on the screen is the display's business.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from tools.commands import Say
from tools.errors import BuildError, StepFailedError, ToolError

TRIES = 2
"""A source may be edited while it is built, and another set-up may clear away what was made: once more then."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to have on this machine.

    Attributes:
        name: a short word, unique in a set-up.
        title: what a person reads.
        estimate: seconds it took on 2 cores, for the display.
        check: whether it is done; fast, called before and after.
        run: does it; safe to repeat after an interruption at any point.
        needs: names of the steps that must be done before.
    """

    name: str
    title: str
    estimate: float
    check: Callable[[], bool]
    run: Callable[[Say], object]
    needs: tuple[str, ...] = ()


class Display(Protocol):
    """Shows how the steps go; called from several threads."""

    def begin(self, step: Step) -> None:
        """The step has to run and does so now."""

    def line(self, step: Step, text: str) -> None:
        """The step said something."""

    def end(self, step: Step, seconds: float, error: ToolError | None) -> None:
        """The step is over."""


def run_steps(steps: Sequence[Step], display: Display, *, workers: int = 2) -> list[str]:
    """Bring every step to done.

    Args:
        steps: in an order in which each follows what it needs.
        display: is told what runs.
        workers: how many run at once.

    Returns:
        The names of the steps that had to run, as they ended.

    Raises:
        StepFailedError: a step failed; what runs beside it ends first, nothing new begins.
    """
    done: set[str] = set()
    ran: list[str] = []
    waiting = list(steps)
    running: dict[Future[None], Step] = {}
    failure: StepFailedError | None = None
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while running or (waiting and failure is None):
            if failure is None:
                waiting = _launch(waiting, done, running, pool, display)
            if not running:
                continue
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                step = running.pop(future)
                failure = failure or _failure(step, future)
                done.add(step.name)
                ran.append(step.name)
    if failure:
        raise failure
    return ran


def _launch(
    waiting: list[Step],
    done: set[str],
    running: dict[Future[None], Step],
    pool: ThreadPoolExecutor,
    display: Display,
) -> list[Step]:
    """Start what may start; return what still has to wait."""
    left: list[Step] = []
    for step in waiting:
        if not done.issuperset(step.needs):
            left.append(step)
        elif step.check():
            done.add(step.name)
        else:
            running[pool.submit(_perform, step, display)] = step
    if len(left) == len(waiting) and not running:
        names = ", ".join(step.name for step in left)
        raise ValueError(f"these steps need what no step gives: {names}")
    return left


def _perform(step: Step, display: Display) -> None:
    display.begin(step)
    started = time.monotonic()
    error: ToolError | None = None
    try:
        _make(step, lambda text: display.line(step, text))
    except ToolError as caught:
        error = caught
        raise
    finally:
        display.end(step, time.monotonic() - started, error)


def _make(step: Step, say: Say) -> None:
    for _ in range(TRIES):
        step.run(say)
        if step.check():
            return
    raise BuildError(
        f"{step.title}: it ran, but what it should have made is not there",
        remedy="If its sources are being edited, or another set-up runs, try again after that.",
    )


def _failure(step: Step, future: Future[None]) -> StepFailedError | None:
    error = future.exception()
    if error is None:
        return None
    if not isinstance(error, ToolError):
        raise error
    failed = StepFailedError(step.name, error)
    failed.__cause__ = error
    return failed
