"""What is a leftover and what only looks like one, case by case."""

import pytest

from stacks.gc.decide import CHANGED, PROOF, RUNS, again
from stacks.gc.known import INDEX_LOST, Workspaces
from stacks.gc.model import Entry, Fate, Found, InTree, Kind, Stack, Table
from stacks.isolation.containers import LABEL as PROBE
from stacks.isolation.containers import LIFE
from stacks.source import Snapshot
from state_index.phases import Phase
from tests.stacks.gc.scenes import (
    NETWORK,
    NOW,
    OTHER,
    PREFIX,
    container,
    found,
    home,
    known,
    labels,
    row,
    scene,
    told,
    valid,
)


def test_a_container_that_nothing_knows_is_left_over() -> None:
    assert told(containers=(container(),)) == [("container", f"{PREFIX}ghost", "found")]


@pytest.mark.parametrize(
    "look_alike",
    [
        pytest.param(container(labels={}), id="our name without our labels"),
        pytest.param(container(labels=labels(tree=OTHER)), id="another data tree's"),
        pytest.param(container(labels=labels(tree="")), id="nobody's, from before trees had ids"),
        pytest.param(container(labels=labels(prefix="u-ws-")), id="another prefix"),
        pytest.param(container(labels=labels("")), id="no workspace's"),
        pytest.param(container("alice"), id="a workspace that lives"),
        pytest.param(
            Found(id="x", name=f"{NETWORK}-probe-a-{'0' * 16}", labels={PROBE: "u-net"}),
            id="a probe on another network",
        ),
        pytest.param(
            Found(id="x", name="mine", labels={PROBE: NETWORK}, created=1), id="no probe's name"
        ),
    ],
)
def test_a_look_alike_is_not(look_alike: Found) -> None:
    assert told(containers=(look_alike,)) == []


def test_what_runs_is_told_and_left_alone_whatever_its_labels_say() -> None:
    """Labels can be forged; what is in use is somebody's."""
    (item,) = found(containers=(container(running=True),))
    assert (item.fate, item.remedy) == (Fate.KEPT, RUNS)
    probe = Found(
        id="x", name=f"{NETWORK}-probe-a-{'0' * 16}", labels={PROBE: NETWORK}, created=1.0
    )
    assert told(containers=(probe,))[0][2] == "found"
    running = Found(**{**vars(probe), "running": True})
    assert told(containers=(running,))[0][2] == "kept"


def test_what_an_operation_is_making_is_no_leftover() -> None:
    busy = known(busy=frozenset({"ghost"}))
    stack = {"ghost": Stack()}
    folder = Entry(kind=Kind.RUN_FOLDER, path="ghost", stem="ghost")
    for there in (
        {"containers": (container(),)},
        {"volumes": (home(),)},
        {"tree": InTree(stacks=stack, entries=(folder,))},
    ):
        assert told(workspaces=busy, **there) == []
        assert told(**there), "the same without the operation"


@pytest.mark.parametrize("workspace", ["alice", "ghost"])
def test_a_copy_that_somebody_made_is_told_and_left_alone(workspace: str) -> None:
    """Labels go along with `docker commit`: it may be all that is left of what was in there."""
    copy = container(workspace, name="alice-copy")
    (item,) = found(containers=(copy,))
    assert (item.name, item.fate) == ("alice-copy", Fate.KEPT)
    assert "docker rm alice-copy" in item.remedy


def test_a_container_that_changed_since_it_was_listed_stays() -> None:
    listed = container()
    assert again(scene(), listed) == ""
    assert again(scene(), container(running=True)) == RUNS
    assert "docker rm mine" in again(scene(), container(name="mine"))
    assert again(scene(), container(labels={})) == CHANGED
    recorded = InTree(stacks={"ghost": Stack(containers=frozenset({listed.id}))})
    assert "codehub destroy ghost" in again(scene(tree=recorded), listed)


def test_a_renamed_container_of_a_living_workspace_is_pulumis() -> None:
    stray = container("alice", name="alice-copy")
    recorded = InTree(stacks={"alice": Stack(containers=frozenset({stray.id}))})
    assert told(containers=(stray,), tree=recorded) == []


def test_what_pulumi_knows_goes_by_pulumi() -> None:
    tree = InTree(stacks={"ghost": Stack(containers=frozenset({"c-ghost"}))})
    (item,) = found(containers=(container(),), tree=tree)
    assert item.fate is Fate.KEPT
    assert "codehub destroy ghost" in item.remedy
    unreadable = InTree(stacks={"ghost": Stack(readable=False)})
    assert [item.fate for item in found(containers=(container(),), tree=unreadable)] == ["kept"]


@pytest.mark.parametrize(
    ("workspaces", "why"),
    [
        (known(snapshot=Snapshot(complete=False, unreadable=True, error="gone")), "gone"),
        (known(snapshot=Snapshot(complete=False, error="empty")), "empty"),
        (Workspaces(snapshot=valid("alice"), lost=True), INDEX_LOST),
    ],
)
def test_on_thin_ground_nothing_goes(workspaces: Workspaces, why: str) -> None:
    entry = Entry(kind=Kind.RUN_FOLDER, path="fourth", stem="fourth")
    items = found(
        workspaces=workspaces,
        containers=(container(),),
        volumes=(home("other"),),
        tree=InTree(stacks={"third": Stack()}, entries=(entry,)),
    )
    assert [item.kind for item in items] == ["container", "home", "state", "run folder"]
    assert all(item.fate is Fate.KEPT and why in item.remedy for item in items)


def test_a_home_is_told_and_never_to_be_removed() -> None:
    (item,) = found(volumes=(home(),))
    assert (item.kind, item.fate) == (Kind.HOME, Fate.KEPT)
    assert "codehub purge ghost" in item.remedy
    copied = home(name="backup-of-ghost")
    assert [(each.kind, each.fate) for each in found(volumes=(copied,))] == [("volume", "kept")]


@pytest.mark.parametrize(
    "volume",
    [
        home("alice"),
        home("gone"),
        home(labels={}),
        home(labels={**labels(tree=OTHER), "codehub.home": "1"}),
        home("former"),
    ],
)
def test_homes_that_something_knows_are_not_told(volume: Found) -> None:
    snapshot = valid("alice", formerly={"alice": "former"})
    rows = known(row("alice"), row("gone", Phase.TOMBSTONED), snapshot=snapshot)
    assert told(workspaces=rows, volumes=(volume,)) == []


def test_no_volume_is_ever_found_for_removal() -> None:
    volumes = (home(), home("b", name="x"), home("c", labels=labels("c")), home("alice", "2"))
    kinds = {Kind.HOME, Kind.VOLUME}
    assert not [item for item in found(volumes=volumes) if item.fate is Fate.FOUND]
    assert {item.kind for item in found(volumes=volumes)} == kinds


def test_networks() -> None:
    old = Found(id="n1", name="t-old-net", labels=labels(""))
    cases = {
        "found": [old],
        "kept": [Found(id="n1", name="t-old-net", labels=labels(""), users=("a",))],
        "": [
            Found(id="n1", name=NETWORK, labels=labels("")),
            Found(id="n1", name="t-old-net"),
            Found(id="n1", name="t-old-net", labels=labels("", tree=OTHER)),
        ],
    }
    for fate, networks in cases.items():
        for network in networks:
            assert [each[2] for each in told(networks=(network,))] == ([fate] if fate else [])
    recorded = InTree(stacks={"shared": Stack(networks=frozenset({"n1"}))})
    assert told(networks=(old,), tree=recorded) == []
    unread = InTree(stacks={"shared": Stack(readable=False)})
    assert told(networks=(old,), tree=unread)[0][2] == "kept"


def test_scratch_networks_of_a_check() -> None:
    def scratch(**changes: object) -> Found:
        made = {"id": "n", "name": f"{NETWORK}-0a1b2c3d", "labels": {PROBE: NETWORK}, "created": 1}
        return Found(**{**made, **changes})  # type: ignore[arg-type]

    assert told(networks=(scratch(),))[0][2] == "found"
    assert told(networks=(scratch(users=("probe",)),))[0][2] == "kept"
    for other in ({"created": NOW - 1}, {"labels": {PROBE: "u-net"}}, {"name": f"{NETWORK}-mine"}):
        assert told(networks=(scratch(**other),)) == []
    assert told(networks=(scratch(created=0.0),)) == [], "how old it is, is not told"


def test_tables_of_bridges_that_are_gone() -> None:
    table = Table(name="codehub_t-net", handle=7, interface="br-1", is_here=False)
    (item,) = found(tables=(table,))
    assert (item.kind, item.id, item.fate) == (Kind.TABLE, "7", Fate.FOUND)
    here = Table(name="codehub_t-net", handle=7, interface="br-1", is_here=True)
    assert told(tables=(here,)) == []
    assert told(tables=(table,), bridges=frozenset({"br-1"})) == [], "the engine knows it"
    network = Found(id="n", name="t-net")
    assert told(tables=(table,), networks=(network,)) == [], "another data tree's, perhaps"


@pytest.mark.parametrize(
    ("stack", "fate"),
    [
        (Stack(size=3), "found"),
        (Stack(volumes=frozenset({f"{PREFIX}ghost-home-1"})), "kept"),
        (Stack(readable=False), ""),
        (Stack(containers=frozenset({"there"})), ""),
        (Stack(containers=frozenset({"gone"})), "found"),
    ],
)
def test_states_of_stacks_that_nothing_knows(stack: Stack, fate: str) -> None:
    there = Found(id="there", name="x")
    items = found(containers=(there,), tree=InTree(stacks={"ghost": stack}))
    assert [item.fate for item in items] == ([fate] if fate else [])
    if fate == "kept":
        assert items[0].remedy == PROOF


def test_states_that_something_knows() -> None:
    stacks = {"alice": Stack(), "shared": Stack(), "gone": Stack()}
    rows = known(row("alice"), row("gone", Phase.TOMBSTONED))
    assert told(workspaces=rows, tree=InTree(stacks=stacks)) == []
    named = Stack(volumes=frozenset({home().id}))
    items = told(volumes=(home(),), tree=InTree(stacks={"ghost": named}))
    assert [kind for kind, _, _ in items] == ["home"], "told once"


def entries(*each: Entry) -> InTree:
    return InTree(entries=each)


@pytest.mark.parametrize(
    ("entry", "is_left"),
    [
        (Entry(kind=Kind.RUN_FOLDER, path="ghost", stem="ghost"), True),
        (Entry(kind=Kind.RUN_FOLDER, path="alice", stem="alice"), False),
        (Entry(kind=Kind.RUN_FOLDER, path="gone", stem="gone"), True),
        (Entry(kind=Kind.RUN_FOLDER, path="bound", stem="bound"), False),
        (Entry(kind=Kind.RUN_FOLDER, path="stopped", stem="stopped"), False),
        (Entry(kind=Kind.RUN_FOLDER, path=".t-net-probe-a-0", age=LIFE + 1), True),
        (Entry(kind=Kind.RUN_FOLDER, path=".t-net-probe-a-0", age=LIFE), False),
        (Entry(kind=Kind.WORK, path="Pulumi.ghost.yaml", stem="ghost"), True),
        (Entry(kind=Kind.WORK, path="Pulumi.alice.yaml", stem="alice"), False),
        (Entry(kind=Kind.SOCKET, path="/data/nudge/a.sock", dead=True), True),
        (Entry(kind=Kind.SOCKET, path="/data/nudge/a.sock"), False),
        (Entry(kind=Kind.TEMPORARY, path="/data/.tree.0", age=7200), True),
        (Entry(kind=Kind.TEMPORARY, path="/data/.tree.0", age=60), False),
        (Entry(kind=Kind.TEMPORARY, path="/home/w.json", age=7200, dead=True), True),
    ],
)
def test_files(entry: Entry, is_left: bool) -> None:
    rows = known(row("alice"), row("gone", Phase.TOMBSTONED))
    bound = Found(id="b", name="x", binds=frozenset({"/data/run/bound"}))
    containers = (bound, container("stopped", running=True))
    items = found(workspaces=rows, containers=containers, tree=entries(entry))
    assert [item.id for item in items if item.kind is entry.kind] == [entry.path] * is_left
