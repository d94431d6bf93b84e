"""Renders a program once against nothing, so that forks share what the SDK works out at first use.

It resolves the types of resources from annotations, reads sources for stack traces and loads
modules late: more than half of the time that a program takes in a process where it is the first.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_pulumi_func

from stacks.programs.program import Program


class _Nobody(Mocks):
    """Says of all that is asked for that it was made as it was asked for."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, args.inputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        return args.args, None


def rehearse(program: Program) -> None:
    """Render a program's sample.

    No thread and no loop is left behind. What the SDK is told of whom it works for holds in the loop's
    task only, as for a real program.
    """
    loop, answers = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        # The SDK asks in a thread, where what answers would make itself a loop and leave it.
        with ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(answers,)) as pool:
            loop.set_default_executor(pool)
            loop.run_until_complete(_played(program))
    finally:
        answers.close()
        loop.close()


async def _played(program: Program) -> None:
    set_mocks(_Nobody())
    await run_pulumi_func(lambda: program.render(program.sample, frozenset()))
