"""The policy pack in real previews and ups, on programs that break its rules."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from policies.rules import RULES
from stacks.engine import Kind
from stacks.engine.command import environment
from stacks.errors import PolicyViolationError
from tests.stacks.programs.bad import BROKEN
from tests.stacks.room import Room

pytestmark = pytest.mark.engine

BAD = "tests.stacks.programs.bad"
PACK = Path(__file__).resolve().parents[3] / "policies" / "pack"


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_a_broken_rule_stops_the_preview(room: Room, name: str) -> None:
    inputs = room.inputs()
    program = f"{BAD}:{name.upper()}"
    outcome = await room.run_kind(Kind.PREVIEW, inputs, program=program)

    assert isinstance(outcome.error, PolicyViolationError)
    rule = next(rule for rule in RULES if rule.id == BROKEN[name].rule)
    found = [item for item in outcome.error.violations if item.rule == rule.id]
    assert found
    assert found[0].resource == "container"
    assert rule.reason in found[0].message
    assert rule.remedy in found[0].message
    assert rule.docs in found[0].message
    assert {item.rule for item in outcome.error.violations} == {rule.id}


async def test_a_broken_rule_stops_the_up_before_anything_is_made(room: Room) -> None:
    inputs = room.inputs()

    outcome = await room.up(inputs, program=f"{BAD}:PRIVILEGED")

    assert isinstance(outcome.error, PolicyViolationError)
    assert "no-privilege" in str(outcome.error)
    assert await room.power.named("container", inputs.container) is None


async def test_a_home_that_is_not_protected_is_stopped(room: Room) -> None:
    inputs = room.inputs()

    outcome = await room.up(inputs, program=f"{BAD}:LOOSE_HOME")

    assert isinstance(outcome.error, PolicyViolationError)
    assert {item.rule for item in outcome.error.violations} == {"home-retained"}
    assert await room.power.named("volume", inputs.volume) is None


async def test_without_policies_the_same_program_gets_through(room: Room) -> None:
    inputs = room.inputs()

    outcome = await room.up(inputs, program=f"{BAD}:NO_PIDS", policies=False)

    assert outcome.check().changed[0].op == "create"


async def test_our_own_program_breaks_no_rule(room: Room) -> None:
    outcome = (await room.run_kind(Kind.PREVIEW, room.inputs())).check()
    assert outcome.violations == ()


async def test_plain_pulumi_runs_the_pack_from_its_folder(room: Room, tmp_path: Path) -> None:
    """The CLI's own way to start a Python pack: by ``pulumi-analyzer-policy-python``."""
    inputs = room.inputs()
    (await room.up(inputs, program=f"{BAD}:NO_PIDS", policies=False)).check()
    starter = tmp_path / "pulumi-analyzer-policy-python"
    starter.write_text(f'#!/bin/sh\nexec {sys.executable} -u -m pulumi.policy "$@"\n')
    starter.chmod(0o700)
    env = environment(room.config)

    done = await asyncio.to_thread(
        subprocess.run,
        [
            *(str(room.config.pulumi), "policy", "analyze", "--policy-pack", str(PACK)),
            *("--stack", f"organization/codehub/{inputs.id}"),
        ],
        cwd=room.config.work,
        env={**env, "PATH": f"{tmp_path}:{env['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "limit-pids" in done.stdout + done.stderr
    assert "no-privilege" not in done.stdout + done.stderr
