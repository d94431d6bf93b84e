"""Every way from a phase to work is legal by the phase table, and ends where that work goes on."""

from collections.abc import Mapping

import pytest

from stacks import paths
from state_index.phases import Event, Phase, transition

LATER = {Phase.ARCHIVING, Phase.COLD, Phase.RESTORING}
"""Phases that nothing leads to yet."""

WAYS: list[tuple[Mapping[Phase, paths.Path], set[Phase], Event]] = [
    (paths.TO_APPLY, {Phase.PROVISIONING, Phase.UPDATING}, Event.FAILED),
    (paths.TO_CREATE, {Phase.PROVISIONING, Phase.UPDATING}, Event.FAILED),
    (paths.TO_START, {Phase.STARTING}, Event.READY),
    (paths.TO_DELETE, {Phase.DELETING}, Event.REMOVED),
    (paths.TO_PURGE, {Phase.DELETING}, Event.PURGED),
]


def walk(phase: Phase, path: paths.Path) -> Phase:
    for event in path:
        phase = transition(phase, event)
    return phase


@pytest.mark.parametrize(("ways", "goals", "after"), WAYS)
def test_each_way_is_legal_and_leads_to_its_work(
    ways: Mapping[Phase, paths.Path], goals: set[Phase], after: Event
) -> None:
    for phase, path in ways.items():
        end = walk(phase, path)
        assert end in goals, phase
        transition(end, after)
        transition(end, Event.UNREACHABLE)


def test_each_way_to_a_stop_ends_warm() -> None:
    for phase, path in paths.TO_STOP.items():
        assert transition(walk(phase, path), Event.STOPPED) is Phase.WARM, phase


def test_after_an_update_both_on_and_off_are_near() -> None:
    for phase in (Phase.PROVISIONING, Phase.UPDATING):
        assert walk(phase, paths.TO_START[phase]) is Phase.STARTING
        assert walk(phase, paths.TO_STOP[phase]) is Phase.WARM


@pytest.mark.parametrize("phase", sorted(set(Phase) - LATER))
def test_every_phase_has_its_ways(phase: Phase) -> None:
    gone = {Phase.TOMBSTONED, Phase.DELETED}
    assert phase in paths.TO_APPLY or phase in {Phase.DELETING, Phase.DELETED}
    assert phase in paths.TO_START or phase in gone | {Phase.DELETING}
    assert phase in paths.TO_STOP or phase in gone | {Phase.DELETING}
    assert phase in paths.TO_DELETE or phase in gone
