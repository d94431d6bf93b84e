"""A class by one generator, on a real engine: made, kept while the file is wrong, and one leaves."""

import json
from collections.abc import Iterator

import pytest

from tests.hub import Hub, hub

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

DEFAULTS = "image: codehub/light\nresources: {cpu: 0.5, memory: 64Mi, pids: 64}\nstate: warm\n"
CLASS = """\
id: class-{name}
each:
  - {name: alice}
  - {name: bob, memory: 80Mi}
  - {name: carol}
default: {memory: 72Mi}
workspace:
  owner: "{name}"
  resources: {memory: "{memory}"}
"""


@pytest.fixture
def school() -> Iterator[Hub]:
    with hub() as made:
        (made.workspaces / "_generators").mkdir()
        (made.workspaces / "_defaults.yaml").write_text(DEFAULTS)
        write(made, CLASS)
        yield made


def write(place: Hub, text: str) -> None:
    draft = place.workspaces / "_generators" / ".draft"
    draft.write_text(text)
    draft.rename(place.workspaces / "_generators" / "class.yaml")


def rows(place: Hub) -> dict[str, tuple[str, str]]:
    found = json.loads(place.run("status", "-o", "json").stdout)["workspaces"]
    return {row["id"]: (row["phase"], row["sync"]) for row in found}


def test_a_class_from_its_first_day_to_somebody_s_last(school: Hub) -> None:
    done = school.run("up")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        [f"class-{name}", "create", "WARM", "Synced"] for name in ("alice", "bob", "carol")
    ]
    _is_left_alone_while_files_are_wrong(school)
    write(school, CLASS.replace("  - {name: carol}\n", ""))
    school.run("up")
    assert rows(school)["class-carol"] == ("WARM", "OutOfSync")
    school.run("up", "--prune")
    assert rows(school) == {
        "class-alice": ("WARM", "Synced"),
        "class-bob": ("WARM", "Synced"),
        "class-carol": ("TOMBSTONED", "OutOfSync"),
    }


def _is_left_alone_while_files_are_wrong(place: Hub) -> None:
    """Whatever is wrong, and though removals were asked for, all that stands is as it was."""
    defaults, twice = place.workspaces / "_defaults.yaml", place.workspaces / "class-bob.yaml"
    write(place, "id: [")
    place.run("up", "--prune", check=False)
    assert set(rows(place).values()) == {("WARM", "Synced")}
    write(place, CLASS)
    defaults.write_text(DEFAULTS + "owner: bob\n")
    place.run("up", "--prune", check=False)
    assert set(rows(place).values()) == {("WARM", "Invalid")}
    defaults.write_text(DEFAULTS)
    twice.write_text("owner: bob\n")
    told = place.run("up", "--prune", check=False)
    assert told.returncode == 2
    assert rows(place)["class-bob"] == ("WARM", "Invalid")
    twice.unlink()
    assert place.run("up").stderr.endswith("0 changed, 3 unchanged\n")
