"""Edits, intents and drift at random while everything is killed, filled, locked and put forward.

Twenty minutes and two hundred kills in `scripts/test --all`; a cut of it in every run. See
docs/explanation/runner.md for how to read its log and repeat a run.
"""

import os
import secrets
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak import records
from tests.soak.hub import soaked
from tests.soak.machine import Course, machine
from tests.soak.soak import Soak

pytestmark = pytest.mark.engine

SEED = int(os.environ.get("SOAK_SEED") or secrets.randbelow(2**32))
SECONDS = float(os.environ.get("SOAK_SECONDS") or 20 * 60)
KILLS = int(os.environ.get("SOAK_KILLS") or 200)
CUT_SECONDS = float(os.environ.get("SOAK_CUT_SECONDS") or 120)
"""Of the cut in every run: with set-up, the heal under way and the end it takes three minutes."""

CUT_KILLS = 5
"""Owed by it, for an example ends with four: on an idle machine there are twenty."""

MOST = 2.5
"""How many times its seconds a run may take for what it owes; then it fails."""


def run(folder: Path, *, seconds: float, owes: int, pairs: bool) -> list[records.Kill]:
    """Run one soak; gives its log.

    Args:
        folder: Where its logs are kept.
        seconds: How long it takes at least.
        owes: How many kills it owes: on a busy machine it takes longer for them.
        pairs: Whether it owes each target in each phase too.
    """
    log = records.Log(Path(os.environ.get("SOAK_LOG") or folder / "kills.jsonl"))
    print(f"SOAK_SEED={SEED}, log: {log.path}")  # noqa: T201 - pytest shows it with a failure
    with soaked() as (hub, engine):
        soak, began = Soak(hub, engine, log, seed=SEED), time.monotonic()

        def over() -> bool:
            passed, kills = time.monotonic() - began, log.kills()
            whole = len(kills) >= owes and not (pairs and records.missing(kills))
            return passed > seconds * MOST or (passed > seconds and whole)

        course = Course(soak, over)
        try:
            soak.move_in()
            number = 0
            while course.goes_on:
                _drive(course, number=number)
                number += 1
            if course.failure is None:
                soak.check_gc()
        finally:
            soak.close()
            (folder / "done.txt").write_text("\n".join(soak.done), encoding="utf-8")
            for text in hub.place.glob("*.log"):
                shutil.copy(text, folder)
        print(records.table(log.kills()))  # noqa: T201 - as above
        if course.failure is not None:
            course.failure.add_note(
                "\n".join([f"SOAK_SEED={SEED}, logs: {folder}", *soak.done[-20:]])
            )
            raise course.failure
    return log.kills()


def _drive(course: Course, *, number: int) -> None:
    course.examples = 0
    rules = seed(SEED + number)(machine(course))
    run_state_machine_as_test(
        rules,
        settings=settings(
            max_examples=20,
            stateful_step_count=12,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(CUT_SECONDS * MOST + 300)
def test_a_cut_of_it(tmp_path: Path) -> None:
    kills = run(tmp_path, seconds=CUT_SECONDS, owes=CUT_KILLS, pairs=False)
    assert len(kills) >= CUT_KILLS, records.table(kills)


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.timeout(SECONDS * MOST + 600)
def test_twenty_minutes_and_each_target_in_each_phase(tmp_path: Path) -> None:
    began = time.monotonic()
    kills = run(tmp_path, seconds=SECONDS, owes=KILLS, pairs=True)
    taken = time.monotonic() - began
    short = records.shortfall(kills, seconds=taken, least=KILLS, of_seconds=SECONDS)
    assert not short, records.table(kills)
