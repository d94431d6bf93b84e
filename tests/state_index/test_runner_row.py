"""The runner's own row."""

from datetime import UTC, datetime

from state_index.index import Index
from state_index.models import RunnerInfo

INFO = RunnerInfo(
    address="unix:runner.sock",
    pid=4242,
    version="0.1.0",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_nobody_runs_at_first(index: Index) -> None:
    assert index.runner() is None
    assert index.beat() == 0


def test_a_runner_announces_itself_and_beats(index: Index) -> None:
    index.announce(INFO)
    assert index.runner() == INFO
    assert [index.beat(), index.beat()] == [1, 2]
    read = index.runner()
    assert read is not None
    assert read.heartbeat == 2


def test_a_successor_replaces_it(index: Index) -> None:
    index.announce(INFO)
    index.beat()
    successor = RunnerInfo(address="unix:runner.sock", pid=4343, version="0.2.0")
    index.announce(successor)
    assert index.runner() == successor


def test_beats_are_no_change_of_any_workspace(index: Index) -> None:
    index.announce(INFO)
    index.beat()
    assert index.generation() == 0
