"""The data tree's files: what is looked at, and what goes."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from settings.paths import DataPaths
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.errors import NotLeadingError
from stacks.fence import Fence
from stacks.gc import files
from stacks.gc.files import Places
from stacks.gc.model import Entry, InTree, Item, Kind

OLD = time.time() - 7200
NETWORK = "t-net"
PROBE = f".{NETWORK}-probe-a-{'0' * 16}"
RESOURCES = [
    {"urn": "u::c", "type": "docker:index/container:Container", "id": "c1"},
    {"urn": "u::n", "type": "docker:index/network:Network", "id": "n1"},
    {"urn": "u::v", "type": "docker:index/volume:Volume", "id": "v1"},
]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    data = DataPaths(tmp_path / "data")
    data.make()
    return Places(data=data, pulumi_home=tmp_path / "pulumi-home", network=NETWORK)


def found(places: Places, kind: Kind) -> dict[str, Entry]:
    entries = files.look(places).entries
    return {Path(each.path).name: each for each in entries if each.kind is kind}


def remove(places: Places, kind: Kind, id_: str) -> None:
    item = Item(kind=kind, id=id_, name=id_, why="test")
    files.remove(places, item, fence=Fence.always())


def aged(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (OLD, OLD))
    return path


def write_state(places: Places, stack: str, resources: list[dict[str, str]]) -> StateFiles:
    state = StateFiles(places.data.state, stack)
    state.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    content = Checkpoint.fresh(stack).content
    latest = {**content["checkpoint"], "latest": {"resources": resources}}
    state.checkpoint.write_bytes(Checkpoint({**content, "checkpoint": latest}).to_bytes())
    return state


def test_an_empty_tree_holds_nothing(places: Places, tmp_path: Path) -> None:
    assert files.look(places) == InTree()
    nowhere = Places(data=DataPaths(tmp_path / "no"), pulumi_home=tmp_path, network=NETWORK)
    assert files.look(nowhere) == InTree()


def test_stacks_are_read(places: Places) -> None:
    write_state(places, "alice", RESOURCES)
    StateFiles(places.data.state, "broken").checkpoint.write_text("{")
    stacks = files.look(places).stacks
    assert stacks["alice"].containers == {"c1"}
    assert stacks["alice"].networks == {"n1"}
    assert stacks["alice"].volumes == {"v1"}
    assert stacks["alice"].readable
    assert stacks["alice"].size > 100
    assert not stacks["broken"].readable


def test_run_folders_are_told_by_names_of_ours_alone(places: Places) -> None:
    run = places.data.run
    for name in ("alice", PROBE, "Not-An-Id", ".hidden", f".u-net-probe-a-{'0' * 16}"):
        (run / name).mkdir()
    (run / "bob").symlink_to(run / "alice")
    (run / "carol").write_text("a file")
    assert {name: each.stem for name, each in found(places, Kind.RUN_FOLDER).items()} == {
        "alice": "alice",
        PROBE: "",
    }


def test_a_run_folder_goes_and_what_it_links_to_stays(places: Places, tmp_path: Path) -> None:
    """The tenant wrote it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = places.data.run / "ghost"
    (folder / "inner").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "inner" / "link").symlink_to(outside / "kept")
    remove(places, Kind.RUN_FOLDER, "ghost")
    assert not folder.exists()
    assert (outside / "kept").exists()
    remove(places, Kind.RUN_FOLDER, "ghost")
    folder.symlink_to(outside)
    with pytest.raises(OSError, match="symbolic link"):
        remove(places, Kind.RUN_FOLDER, "ghost")
    assert (outside / "kept").exists()


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Lose root's rights for a while, as a runner has none that is not root."""
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Path]:
    """A data tree of user 2000, where that one may go."""
    root = Path(tempfile.mkdtemp(prefix="codehub-test-", dir="/tmp"))
    os.chown(root, 2000, 2000)
    yield root
    shutil.rmtree(root)


def test_what_a_tenant_left_in_a_run_folder_may_not_be_ours_to_remove(theirs: Path) -> None:
    """A folder in it belongs to user 1000: the rest goes, and what is left is told with its remedy."""
    data = DataPaths(theirs / "data")
    with acting_as(2000):
        data.make()
        folder = data.run / "ghost"
        (folder / "mine").mkdir(parents=True)
        (folder / "file").touch()
    inner = folder / "theirs"
    inner.mkdir(mode=0o755)
    (inner / "file").touch()
    for path in (inner, inner / "file"):
        os.chown(path, 1000, 1000)
    places = Places(data=data, pulumi_home=theirs, network=NETWORK)
    item = Item(kind=Kind.RUN_FOLDER, id="ghost", name="ghost", why="test", workspace="ghost")
    with acting_as(2000):
        told = files.remove(places, item, fence=Fence.always())
    assert told == (
        "what its workspace left in it belongs to user 1000, and this one (2000) may not remove it: "
        f"sudo rm -r {folder}"
    )
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert files.remove(places, item, fence=Fence.always()) == ""
    assert not folder.exists()


def test_work_files_without_a_stack(places: Places) -> None:
    write_state(places, "alice", [])
    for name in ("Pulumi.ghost.yaml", "Pulumi.alice.yaml", "ghost.session", "passphrase"):
        (places.data.work / name).write_text("x")
    (places.data.work / "Pulumi.yaml").write_text("x")
    assert sorted(found(places, Kind.WORK)) == ["Pulumi.ghost.yaml", "ghost.session"]
    remove(places, Kind.WORK, "ghost.session")
    assert sorted(found(places, Kind.WORK)) == ["Pulumi.ghost.yaml"]


def test_a_state_goes_with_all_that_is_beside_it(places: Places) -> None:
    state, other = (write_state(places, name, RESOURCES) for name in ("ghost", "ghosts"))
    for one in (state, other):
        one.backup.touch()
        one.checkpoint.with_name(f"{one.checkpoint.name}.corrupt-1").touch()
        (places.data.work / f"Pulumi.{one.stack}.yaml").touch()
        one.locks.mkdir(parents=True)
        (one.locks / "lock").touch()
    remove(places, Kind.STATE, "ghost")
    left = [path.name for path in state.checkpoint.parent.iterdir()]
    assert sorted(left) == ["ghosts.json", "ghosts.json.bak", "ghosts.json.corrupt-1"]
    assert [path.name for path in places.data.work.iterdir()] == ["Pulumi.ghosts.yaml"]
    assert list(state.locks.iterdir()) == []
    remove(places, Kind.STATE, "ghost")


SOCKETS = """
import socket, sys
for name, kind in (("stream", socket.SOCK_STREAM), ("datagrams", socket.SOCK_DGRAM)):
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(sys.argv[1] + "/" + name + "-dead.sock")
"""


def test_sockets_that_nobody_has(places: Places, tmp_path: Path) -> None:
    nudge = places.data.nudge
    short = tmp_path / "s"
    short.symlink_to(nudge)
    subprocess.run([sys.executable, "-c", SOCKETS, str(short)], check=True)
    (nudge / "file.sock").touch()
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream,
    ):
        datagrams.bind(f"{short}/live.sock")
        stream.bind(f"{short}/live-stream.sock")
        stream.listen()
        dead = found(places, Kind.SOCKET)
        assert sorted(dead) == ["datagrams-dead.sock", "stream-dead.sock"]
        remove(places, Kind.SOCKET, str(nudge / "live.sock"))
        for each in dead.values():
            remove(places, Kind.SOCKET, each.path)
    left = sorted(path.name for path in nudge.iterdir())
    assert left == ["file.sock", "live-stream.sock", "live.sock"]


def test_drafts_that_were_never_renamed(places: Places) -> None:
    root, stacks = places.data.root, StateFiles(places.data.state, "").checkpoint.parent
    ours = (root / ".tree.0a1b2c3d", root / ".isolation.json.12", stacks / "a.json.new")
    for path in (*ours, root / ".tree.mine", root / "index.db", stacks / "a.json"):
        aged(path)
    drafts = found(places, Kind.TEMPORARY)
    assert sorted(drafts) == sorted(path.name for path in ours)
    assert all(each.age > 7000 and not each.dead for each in drafts.values())
    remove(places, Kind.TEMPORARY, str(ours[0]))
    assert not ours[0].exists()


def test_what_pulumi_noted_down_of_data_trees_that_are_gone(places: Places, tmp_path: Path) -> None:
    folder = places.pulumi_home / "workspaces"
    folder.mkdir(parents=True)

    def note(digit: str, *urls: str, project: str = "codehub") -> None:
        stacks = ", ".join(f'"{url}": "organization/codehub/s"' for url in urls)
        path = folder / f"{project}-{digit * 40}-workspace.json"
        path.write_text(f'{{"stacks": {{{stacks}}}}}')

    note("0", f"file://{tmp_path}/a%20tree/gone?metadata=skip")
    note("1", f"file://{tmp_path}/gone", f"file://{tmp_path}")
    note("2", "https://api.pulumi.com")
    note("3")
    note("4", f"file://{tmp_path}/gone", project="somebody")
    (folder / f"codehub-{'5' * 40}-workspace.json").write_text("{")
    (folder / f"codehub-{'6' * 40}-workspace.json").write_text("[]")
    (item,) = found(places, Kind.TEMPORARY).values()
    assert item.dead
    assert "0" * 40 in item.path


def test_nothing_goes_without_the_right_to_act(places: Places) -> None:
    (places.data.run / "ghost").mkdir()
    item = Item(kind=Kind.RUN_FOLDER, id="ghost", name="ghost", why="test")
    with pytest.raises(NotLeadingError):
        files.remove(places, item, fence=Fence())
    assert (places.data.run / "ghost").exists()
