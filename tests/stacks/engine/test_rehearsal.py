"""A program is rendered ahead: what it leaves behind is what the SDK keeps, and nothing else."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pulumi_docker as docker
import pytest
from pulumi.runtime.settings import SETTINGS, get_root_resource

from stacks.engine.rehearsal import rehearse
from stacks.programs.docker import WORKSPACE
from stacks.programs.program import Program

FIRST_AND_SECOND = """
import sys
from stacks.engine.rehearsal import rehearse
from stacks.programs.docker import WORKSPACE
from pulumi import _types

found = []
for _ in range(2):
    rehearse(WORKSPACE)
    found.append((_types._types_from_py_properties.cache_info().misses, len(sys.modules)))
print(found[0] == found[1], found[0][0] > 5)
"""


def test_a_second_time_nothing_is_worked_out_or_loaded_any_more() -> None:
    told = subprocess.run(
        [sys.executable, "-c", FIRST_AND_SECOND], check=True, capture_output=True, text=True
    )
    assert told.stdout == "True True\n"


def test_nothing_is_left_behind() -> None:
    before, threads = whom_it_works_for(), threading.active_count()
    rehearse(WORKSPACE)
    assert threading.active_count() == threads
    assert whom_it_works_for() == before
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def whom_it_works_for() -> list[object]:
    """Give what the SDK knows of the operation at hand."""
    told = ("project", "stack", "monitor", "engine", "rpc_manager", "organization")
    return [*(getattr(SETTINGS, name) for name in told), get_root_resource()]


def test_the_sample_is_what_is_rendered() -> None:
    seen: list[tuple[Mapping[str, Any], frozenset[str], docker.Volume]] = []

    def render(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
        seen.append((data, adopt, docker.Volume("home", name="x")))

    rehearse(Program(render=render, sample={"id": "x"}))
    ((data, adopt, _),) = seen
    assert (data, adopt) == ({"id": "x"}, frozenset())


def test_a_program_that_fails_is_told() -> None:
    def render(data: Mapping[str, Any], adopt: frozenset[str]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rehearse(Program(render=render))
