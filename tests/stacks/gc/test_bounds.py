"""With a real engine and Pulumi: what grew beyond its bounds is pruned, and what is kept still works."""

from pathlib import Path

import pytest

from state_index.index import Index
from state_index.phases import Event
from tests.hub import Hub, hub, wait_for

LIGHT = "owner: alice\nimage: codehub/light\nresources: {cpu: 0.5, memory: 64Mi, pids: 64}\nstate: warm\n"
KEPT = 2
OLD = 12

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


def grow(place: Hub) -> Path:
    """Add what years would: entries of Pulumi's history, backups, changes of phase."""
    pulumi = place.root / "data" / "state" / ".pulumi"
    for kind, form in (("history", "aa-{}.history.json"), ("backups", "aa.{}.json")):
        folder = pulumi / kind / "codehub" / "aa"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(OLD):
            (folder / form.format(1_000_000_000_000_000_000 + number)).write_text("{}")
    with Index.open(f"sqlite:///{place.root}/data/index.db") as index:
        for number in range(OLD):
            for event in (Event.START, Event.FAILED, Event.STOP, Event.STOPPED):
                index.publish("aa", event=event, cause=f"old {number}")
    return pulumi


def test_what_is_kept_still_works() -> None:
    """The daemon prunes; a second `up` changes nothing, and the history shows the newest."""
    settings = {
        "CODEHUB_PULUMI_HISTORY": f"{KEPT}",
        "CODEHUB_HISTORY_ROWS": "20",
        "CODEHUB_UPKEEP_INTERVAL": "1s",
    }
    with hub(settings=settings) as place:
        place.env["CODEHUB_PULUMI_LOGS"] = "1Gi"  # of a folder that others use too
        place.write("aa", LIGHT)
        place.run("up")
        pulumi = grow(place)
        newest = place.run("history", "aa", "-n", "20").stdout
        place.start("run")
        backups = pulumi / "backups" / "codehub" / "aa"
        wait_for(lambda: len(list(backups.iterdir())) == KEPT, "the daemon prunes by itself")
        names = sorted(path.name for path in backups.iterdir())
        assert names == [f"aa.{1_000_000_000_000_000_000 + n}.json" for n in (OLD - 2, OLD - 1)]
        with Index.open(f"sqlite:///{place.root}/data/index.db") as index:
            wait_for(lambda: len(index.history("aa")) == 20, "and the index")
        place.stop("run")
        assert place.run("history", "aa", "-n", "200").stdout == newest
        assert "0 changed, 1 unchanged" in place.run("up").stderr
