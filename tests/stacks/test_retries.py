"""When what failed is tried again, and what a retry is refused for."""

import pytest

from spec import Problem, WorkspaceSpec
from stacks import retries
from stacks.errors import InvalidFileError, NothingToRetryError
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase, Sync

SPEC = WorkspaceSpec.model_validate({"id": "alice", "owner": "alice", "image": "light"})
HERE = Snapshot(specs={"alice": SPEC})
PROBLEM = Problem("alice.yaml", 3, 1, "colour", "is not a key", "leave it out")


def row(phase: Phase, reason: str = "") -> Published:
    return Published(id="alice", owner="alice", phase=phase, sync=Sync.SYNCED, reason=reason)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 2.0), (2, 4.0), (3, 8.0), (8, 256.0), (9, 300.0), (100_000, 300.0)],
)
def test_the_backoff_doubles_up_to_five_minutes(failures: int, seconds: float) -> None:
    assert retries.backoff(failures, chance=0.0) == seconds
    assert retries.backoff(failures, chance=1.0) == pytest.approx(seconds * 0.8)


def test_jitter_never_exceeds_the_cap_and_spreads_there_too() -> None:
    delays = {retries.backoff(50, chance=n / 10) for n in range(11)}
    assert max(delays) == retries.MOST == 300.0
    assert len(delays) == 11


def test_an_error_may_ask_for_more() -> None:
    assert retries.backoff(1, chance=0.5, least=3600.0) == 3600.0
    assert retries.backoff(5, chance=0.0, least=1.0) == 32.0


@pytest.mark.parametrize(
    "failed",
    [row(Phase.ERROR, "IMAGE_MISSING"), row(Phase.UNKNOWN), row(Phase.WARM, "RUN_FOLDER")],
)
def test_what_failed_may_be_tried_again(failed: Published) -> None:
    retries.check("alice", failed, HERE)


@pytest.mark.parametrize(
    ("found", "snapshot", "message", "remedy"),
    [
        (row(Phase.RUNNING), HERE, "alice is RUNNING: nothing failed", "codehub up"),
        (row(Phase.PENDING), HERE, "alice is PENDING: nothing failed", "codehub status"),
        (None, HERE, "alice is not brought up yet: nothing failed", "codehub up"),
        (row(Phase.ERROR), Snapshot(), "the file of alice is gone", "codehub destroy"),
        (
            row(Phase.ERROR),
            Snapshot(pending=frozenset({"alice"})),
            "the file of alice is being written",
            "in a moment",
        ),
    ],
)
def test_what_there_is_not_to_retry(
    found: Published | None, snapshot: Snapshot, message: str, remedy: str
) -> None:
    with pytest.raises(NothingToRetryError) as caught:
        retries.check("alice", found, snapshot)
    assert caught.value.message == message
    if remedy.startswith("codehub destroy"):
        assert "`codehub start`, `stop` or `destroy`" in caught.value.remedy
    else:
        assert remedy in caught.value.remedy


def test_a_file_with_errors_is_to_be_mended_first() -> None:
    snapshot = Snapshot(invalid={"alice": (PROBLEM,)})
    with pytest.raises(InvalidFileError, match="the file of alice has errors"):
        retries.check("alice", row(Phase.ERROR), snapshot)
