"""Runs operations of the runner: this process's own under the lock, or the daemon's that holds it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from cli import garbage
from cli.frame import Frame
from cli.output import talk

if TYPE_CHECKING:
    from settings.model import RunnerSettings
    from stacks.operator import Operator
    from stacks.steps import OnStep, Result, Step

T = TypeVar("T")


def operate(
    frame: Frame, work: "Callable[[Operator], Awaitable[T]]", *, exclusive: bool = True
) -> T:
    """Open what can do operations on the data tree, do the work, and close it again.

    Args:
        frame: says where the settings are.
        work: what to do with it.
        exclusive: False for reading logs only, which needs no lock.

    Raises:
        SettingsError: something is wrong with the settings.
        StacksError: the work failed; perhaps in a group, for a runner has a task group.
    """
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    return asyncio.run(_operate(settings, work, exclusive=exclusive))


async def _operate(
    settings: "RunnerSettings", work: "Callable[[Operator], Awaitable[T]]", *, exclusive: bool
) -> T:
    from stacks import open_runner
    from telemetry import context

    with context.bind(request_id=context.new_request_id()):
        async with open_runner(settings, exclusive=exclusive) as operator:
            garbage.loaded()
            try:
                return await work(operator)
            except asyncio.CancelledError:
                _say_who_goes_on(operator)
                raise


def _say_who_goes_on(operator: "Operator") -> None:
    """At Ctrl-C: what a daemon was told to do, it does without us."""
    from stacks.client import RunnerClient

    if isinstance(operator, RunnerClient) and operator.handed_over:
        kinds = ", ".join(f"`{kind}`" for kind in dict.fromkeys(operator.handed_over))
        talk(f"the daemon goes on with {kinds}; to watch: codehub status --watch")


def on_each(
    frame: Frame,
    names: Iterable[str],
    work: "Callable[[Operator, str, OnStep], Awaitable[Result]]",
) -> "list[Result]":
    """Do something with several workspaces at once, and tell the steps; raises as `operate`."""
    tell = telling()
    return operate(frame, lambda operator: each(names, lambda name: work(operator, name, tell)))


async def each(ids: Iterable[str], work: "Callable[[str], Awaitable[Result]]") -> "list[Result]":
    """Do something with several workspaces at once; a refusal is a result too."""
    from stacks.errors import StacksError
    from stacks.plan import Action
    from stacks.results import failed

    async def one(workspace: str) -> "Result":
        try:
            return await work(workspace)
        except StacksError as error:
            return failed(workspace, Action.BLOCKED, None, error)

    return list(await asyncio.gather(*(one(workspace) for workspace in dict.fromkeys(ids))))


def telling() -> "OnStep":
    """A listener that says each step once, on standard error."""
    last: dict[str, tuple[str, str]] = {}

    def tell(step: "Step") -> None:
        told = (step.phase, step.step)
        if last.get(step.id) != told:
            last[step.id] = told
            talk(f"{step.id}: {step.phase}{f', {step.step}' if step.step else ''}")

    return tell
