"""What `status` says of sync windows."""

from datetime import UTC, datetime
from pathlib import Path

from cli import windows
from policies.windows import Window
from settings.load import load
from settings.model import RunnerSettings
from state_index.index import Index
from state_index.models import Changes
from tests.cli.conftest import Cli

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEVER = 'windows: [{kind: deny, zone: UTC, workspaces: ["class-*"], reason: exams}]\n'


def test_those_are_named_together_of_whom_the_same_is_said() -> None:
    lessons = Window(allows=False, begin=8 * 60, end=14 * 60, workspaces=("class-*",), reason="why")
    ids = [f"class-{number}" for number in range(8)]
    closed = "sync windows keep changes back until Mon 2026-11-23 14:00 UTC (why)"
    assert windows.lines((lessons,), ["bob", *ids], NOON) == [
        f"{closed}: class-0, class-1, class-2, class-3, class-4, class-5 and 2 more"
    ]
    assert windows.lines((lessons,), ["class-0"], NOON.replace(hour=15)) == [
        "sync windows let changes in until Tue 2026-11-24 08:00 UTC: class-0"
    ]
    assert windows.lines((), ids, NOON) == []


def test_status_tells_what_is_kept_back(place: Path, cli: Cli) -> None:
    url = load(RunnerSettings, {"CODEHUB_DATA": str(place / "data")}, cwd=place).index_url
    (place / "data").mkdir()
    with Index.open(url) as index:
        for id_ in ("class-01", "bob"):
            index.publish(id_, cause="up", **Changes(owner="alice"))
    assert "sync windows" not in cli("status").stderr
    (place / "workspaces.d" / "_policies.yaml").write_text(NEVER)
    told = cli("status").stderr
    assert "sync windows keep changes back for the next 16 days (exams): class-01\n" in told
    followed = {"CODEHUB_REPO": "https://git.example.org/w.git"}
    assert "sync windows" not in cli("status", env=followed).stderr
    (place / "workspaces.d").rename(place / "elsewhere")
    assert "sync windows" not in cli("status").stderr
