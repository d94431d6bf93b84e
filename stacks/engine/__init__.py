"""One Pulumi operation in one killable process; the only importer of `pulumi.automation`.

    async with Engine(config, leftovers=power) as engine:
        outcome = await engine.run(Operation(kind=Kind.UP, stack="alice-api", inputs=...))

It does not decide what to run or when, holds no lock above Pulumi's (the caller holds ours, so
one operation per stack at a time is the caller's promise), and never starts a container.
"""

from typing import TYPE_CHECKING, Any

from stacks.engine.model import (
    SHARED_PROGRAM,
    WORKSPACE_PROGRAM,
    EngineConfig,
    EngineEvent,
    Kind,
    Leftover,
    Leftovers,
    Operation,
    Outcome,
    ResourceChange,
)

if TYPE_CHECKING:
    from stacks.engine.engine import Engine

__all__ = [
    "SHARED_PROGRAM",
    "WORKSPACE_PROGRAM",
    "Engine",
    "EngineConfig",
    "EngineEvent",
    "Kind",
    "Leftover",
    "Leftovers",
    "Operation",
    "Outcome",
    "ResourceChange",
]


def __getattr__(name: str) -> Any:
    """Load `Engine` when it is asked for: most commands need the model only.

    Neither loads Pulumi's SDK: that is for the fork server's process.
    """
    if name != "Engine":
        raise AttributeError(name)
    from stacks.engine.engine import Engine  # noqa: PLC0415

    return Engine
