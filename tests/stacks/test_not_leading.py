"""A runner whose lease another one took: it publishes nothing more, and calls that no bug."""

from pathlib import Path

from structlog.testing import capture_logs

from stacks.engine import EngineEvent
from stacks.errors import NotLeadingError
from state_index.phases import Phase
from tests.stacks.test_reconciler import UP, bench, spec_of


async def test_in_the_middle_of_an_operation(tmp_path: Path) -> None:
    async with bench(tmp_path, leads=True, retries=True) as found:
        found.files(spec_of("alice"))
        found.power.networks.add("x-net")
        found.engine.going.clear()
        found.engine.later.append(EngineEvent(kind="begin", op="create", resource="home"))
        waiting = found.queue.submit("alice", UP)
        await found.phase("alice", Phase.PROVISIONING)
        successor = found.index.lease("successor")
        assert successor.take(successor.look().row)
        before = found.row("alice"), found.index.history("alice"), found.index.generation()
        with capture_logs() as logs:
            found.engine.going.set()
            result = await waiting
        assert result.reason == NotLeadingError.reason
        assert (
            found.row("alice"),
            found.index.history("alice"),
            found.index.generation(),
        ) == before
        assert "start" not in found.power.calls
        assert "bug" not in {entry["event"] for entry in logs}


async def test_what_is_asked_for_later_is_told_to_go_elsewhere(tmp_path: Path) -> None:
    async with bench(tmp_path, leads=True) as found:
        found.files(spec_of("alice"))
        successor = found.index.lease("successor")
        assert successor.take(successor.look().row)
        (alice,) = await found.queue.sweep(UP)
        assert alice.reason == NotLeadingError.reason
        assert "The runner that leads goes on with it" in alice.remedy
        assert found.engine.done == []
