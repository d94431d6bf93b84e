"""What a program is to the engine room: how to render, and what to do after an `up`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program by its two halves.

    Attributes:
        render: Declares the resources. Takes the inputs and the names of the resources that
            are to be adopted from the engine instead of made.
        settle: For what the provider cannot express, after an `up` that ended well and before it is
            reported. Idempotent. It runs in the same process, in another thread, and begins once all
            steps are done and none failed: the CLI may still fail to write that down, and then what
            this did stays and is not told. Takes the inputs and the engine's address (None: the
            default).
        sample: Inputs of nobody, to be rendered ahead: see `stacks.engine.rehearsal`.
    """

    render: Callable[[Mapping[str, Any], frozenset[str]], None]
    settle: Callable[[Mapping[str, Any], str | None], None] | None = None
    sample: Mapping[str, Any] = field(default_factory=dict)
