"""The phase table, every cell stated again: what each event does in each phase."""

import pytest

from state_index.errors import IllegalTransitionError
from state_index.phases import TABLE, Event, Kind, Phase, decide, transition

# Per phase: an outcome, and the events that have it. An outcome in capitals is the next phase.
MATRIX: dict[Phase, str] = {
    Phase.PENDING: """
        PROVISIONING: provision
        DELETING: delete
        RUNNING: ready
        STARTING: booting
        WARM: stopped
        COLD: archived
        TOMBSTONED: removed
        ERROR: failed home_missing
        UNKNOWN: unreachable
        join: retry
        queue: start update
        keep: vanished
        refuse: stop archive restore revive purge applied restored purged
    """,
    Phase.PROVISIONING: """
        RUNNING: ready
        STARTING: booting
        WARM: applied
        ERROR: failed home_missing
        UNKNOWN: unreachable
        join: provision
        queue: start stop update delete
        keep: stopped vanished
        refuse: archive restore retry revive purge archived restored removed purged
    """,
    Phase.STARTING: """
        STOPPING: stop
        DELETING: delete
        RUNNING: ready
        ERROR: failed home_missing
        PENDING: vanished
        UNKNOWN: unreachable
        join: start
        queue: update
        keep: booting stopped
        refuse: provision archive restore retry revive purge applied archived restored removed purged
    """,
    Phase.RUNNING: """
        STOPPING: stop
        UPDATING: update
        DELETING: delete
        STARTING: booting
        WARM: stopped
        PENDING: vanished
        ERROR: home_missing
        UNKNOWN: unreachable
        keep: ready
        refuse: start provision archive restore retry revive purge applied archived restored removed purged failed
    """,
    Phase.STOPPING: """
        WARM: stopped
        ERROR: failed home_missing
        PENDING: vanished
        UNKNOWN: unreachable
        join: stop
        queue: start update delete
        keep: ready booting
        refuse: provision archive restore retry revive purge applied archived restored removed purged
    """,
    Phase.UPDATING: """
        RUNNING: ready
        STARTING: booting
        WARM: applied
        ERROR: failed home_missing
        UNKNOWN: unreachable
        queue: start stop update delete
        keep: stopped vanished
        refuse: provision archive restore retry revive purge archived restored removed purged
    """,
    Phase.WARM: """
        STARTING: start booting
        UPDATING: update
        ARCHIVING: archive
        DELETING: delete
        RUNNING: ready
        PENDING: vanished
        ERROR: home_missing
        UNKNOWN: unreachable
        keep: stopped
        refuse: stop provision restore retry revive purge applied archived restored removed purged failed
    """,
    Phase.ARCHIVING: """
        STARTING: start booting
        DELETING: delete
        RUNNING: ready
        COLD: archived
        ERROR: failed home_missing
        UNKNOWN: unreachable
        join: archive
        queue: update
        keep: stopped vanished
        refuse: stop provision restore retry revive purge applied restored removed purged
    """,
    Phase.COLD: """
        RESTORING: start restore
        DELETING: delete
        ERROR: home_missing
        queue: update
        keep: archived vanished unreachable
        refuse: stop provision archive retry revive purge ready booting applied stopped restored removed purged failed
    """,
    Phase.RESTORING: """
        WARM: restored
        ERROR: failed home_missing
        UNKNOWN: unreachable
        join: restore
        queue: start stop update delete
        keep: ready booting stopped vanished
        refuse: provision archive retry revive purge applied archived removed purged
    """,
    Phase.DELETING: """
        TOMBSTONED: removed
        DELETED: purged
        ERROR: failed
        UNKNOWN: unreachable
        join: delete
        queue: revive purge
        keep: ready booting stopped vanished home_missing
        refuse: start stop provision update archive restore retry applied archived restored
    """,
    Phase.TOMBSTONED: """
        PENDING: revive
        DELETING: purge
        DELETED: purged
        join: delete
        keep: removed vanished home_missing unreachable
        refuse: start stop provision update archive restore retry ready booting applied stopped archived restored failed
    """,
    Phase.DELETED: """
        refuse: start stop provision update archive restore retry delete revive purge ready booting applied stopped archived restored removed purged failed vanished home_missing unreachable
    """,
    Phase.ERROR: """
        STARTING: start booting
        STOPPING: stop
        PROVISIONING: provision
        UPDATING: update
        RESTORING: restore
        PENDING: retry
        DELETING: delete purge
        RUNNING: ready
        WARM: stopped
        COLD: archived
        keep: failed vanished home_missing unreachable
        refuse: archive revive applied restored removed purged
    """,
    Phase.UNKNOWN: """
        RUNNING: ready
        STARTING: booting
        WARM: stopped
        COLD: archived
        TOMBSTONED: removed
        ERROR: failed home_missing
        PENDING: vanished
        queue: update retry delete
        keep: unreachable
        refuse: start stop provision archive restore revive purge applied restored purged
    """,
}


def _cells() -> dict[tuple[Phase, Event], str]:
    cells: dict[tuple[Phase, Event], str] = {}
    for phase, lines in MATRIX.items():
        for line in lines.strip().splitlines():
            outcome, _, events = line.strip().partition(": ")
            for event in events.split():
                key = phase, Event(event)
                assert key not in cells, f"{phase}, {event} is stated twice"
                cells[key] = outcome
    return cells


CELLS = _cells()


def test_the_matrix_states_every_cell() -> None:
    assert set(CELLS) == {(phase, event) for phase in Phase for event in Event}
    assert set(TABLE) == set(CELLS)


@pytest.mark.parametrize(("phase", "event"), CELLS, ids=str)
def test_cell(phase: Phase, event: Event) -> None:
    expected = CELLS[phase, event]
    verdict = decide(phase, event)
    if expected.islower():
        assert (verdict.kind, verdict.phase) == (Kind(expected), phase)
    else:
        assert (verdict.kind, verdict.phase) == (Kind.MOVE, Phase(expected))
    if expected == "refuse":
        assert not verdict.accepted
        with pytest.raises(IllegalTransitionError) as caught:
            transition(phase, event)
        assert (caught.value.phase, caught.value.event) == (phase, event)
    else:
        assert transition(phase, event) is verdict.phase
