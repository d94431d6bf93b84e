"""The plan: every mix of file, row and container, and every accepted key."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spec
from spec import Problem, WorkspaceSpec
from stacks import plan as planning
from stacks.homes import Proof
from stacks.ledger_entries import UNREADABLE, Entry
from stacks.plan import Action, Change, Known, Wish, last_wish, plan_one
from stacks.planned import Former
from stacks.power import Container, HomeVolume, Inventory
from stacks.programs.inputs import LABEL_OWNER, LABEL_SPEC_HASH, HomeInputs
from stacks.rendering import HASH_LENGTH, Facts, desired_hash, render
from stacks.source import Snapshot
from stacks.telling import described
from stacks.tombstones import REMOVING
from state_index.models import HistoryRow, Published, utc_now
from state_index.phases import Phase, Sync

FACTS = Facts(
    name_prefix="x-", network="x-net", run="/run/x", versions={"program": "1", "plugin": "p1"}
)
HOME = HomeVolume(workspace="ws", number=1, name="x-ws-home-1", owner="alice")
PROBLEM = Problem("w.yaml", 1, 1, "owner", "is missing", "write it")


def spec_of(**keys: Any) -> WorkspaceSpec:
    return WorkspaceSpec.model_validate({"id": "ws", "owner": "alice", "image": "light"} | keys)


def hashes(found: WorkspaceSpec, facts: Facts = FACTS) -> tuple[str, str]:
    inputs = render(found, facts=facts, home=HomeInputs(number=1, owner="alice"))
    return inputs.spec_hash, desired_hash(inputs, facts.versions)


def container(found: WorkspaceSpec, state: str = "running") -> Container:
    labels = {LABEL_SPEC_HASH: hashes(found)[0]}
    return Container(
        id="c", name="x-ws", workspace="ws", state=state, image=found.image, labels=labels
    )


def row(phase: Phase, found: WorkspaceSpec | None = None, **more: Any) -> Published:
    applied = hashes(found)[1] if found else ""
    told = {"applied_hash": applied, "desired_hash": applied, "sync": Sync.SYNCED} | more
    return Published(id="ws", owner="alice", phase=phase, **told)


def settled(found: WorkspaceSpec, phase: Phase = Phase.RUNNING) -> Known:
    """A workspace that is as its file says."""
    state = "running" if phase is Phase.RUNNING else "exited"
    return Known(
        id="ws",
        spec=found,
        row=row(phase, found),
        container=container(found, state),
        homes=(HOME,),
        wanted=phase is Phase.RUNNING,
    )


def decide(known: Known, *, wish: Wish | None = None, facts: Facts = FACTS) -> Change:
    specs = {known.id: known.spec} if known.spec else {"other": spec_of(id="other")}
    return plan_one(known, snapshot=Snapshot(specs=specs), facts=facts, wish=wish or Wish())


def test_a_new_file_is_created_and_started() -> None:
    change = decide(Known(id="ws", spec=spec_of()))
    assert (change.action, change.on, change.refresh) == (Action.CREATE, True, True)
    assert change.sync is Sync.OUT_OF_SYNC
    assert change.inputs is not None
    assert change.inputs.home == HomeInputs(number=1, owner="alice", exists=False)
    assert change.inputs.run_folder == "/run/x/ws"
    assert len(change.desired_hash) == HASH_LENGTH


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.WARM])
def test_what_is_as_it_should_be_is_left_alone(phase: Phase) -> None:
    change = decide(settled(spec_of(), phase))
    assert (change.action, change.sync, change.reason) == (Action.NOTHING, Sync.SYNCED, "")


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        ({"owner": "bob"}, Action.REPLACE),
        ({"image": "other"}, Action.REPLACE),
        ({"resources": {"cpu": 1}}, Action.REPLACE),
        ({"resources": {"memory": 1 << 30}}, Action.UPDATE),
        ({"resources": {"pids": 100}}, Action.REPLACE),
        ({"env": {"A": "b"}}, Action.REPLACE),
        ({"state": "warm"}, Action.STOP),
        ({"formerly": "old"}, Action.REPLACE),
        ({"drift": "report"}, Action.NOTHING),
    ],
)
def test_each_key_of_the_file_changes_the_plan(keys: Mapping[str, Any], action: Action) -> None:
    known = replace(settled(spec_of()), spec=spec_of(**keys))
    if "drift" in keys:
        known = replace(known, container=None)  # as by another hand
        assert decide(replace(known, spec=spec_of())).action is Action.CREATE
    if "formerly" in keys:
        old = replace(HOME, workspace="old", name="x-old-home-1")
        known = replace(known, homes=(old,), former=Former(id="old", homes=(old,)))
    assert decide(known).action is action


def test_every_key_is_in_the_table_above() -> None:
    mark = test_each_key_of_the_file_changes_the_plan.pytestmark[0]
    tried = {key for keys, _ in mark.args[1] for key in keys}
    assert tried == set(spec.WorkspaceSpec.model_fields) - {"id"}
    resources = {name for keys, _ in mark.args[1] for name in keys.get("resources", {})}
    assert resources == set(spec.Resources.model_fields)


@pytest.mark.parametrize("before", [None, row(Phase.TOMBSTONED, spec_of()), row(Phase.ERROR)])
@pytest.mark.parametrize("there", [True, False])
def test_a_home_found_again_waits_when_its_owner_is_another(
    before: Published | None, there: bool
) -> None:
    found = container(spec_of()) if there else None
    known = Known(id="ws", spec=spec_of(owner="bob"), row=before, container=found, homes=(HOME,))
    change = decide(known, wish=Wish(force=True))
    assert (change.action, change.inputs) == (Action.BLOCKED, None)
    assert change.error is not None
    assert change.error.message == "the home of ws belonged to alice, and its file says bob"
    assert described(change).get("owner", "alice") != "bob"


def test_a_home_that_changed_hands_is_known_by_its_container() -> None:
    labels = {**container(spec_of()).labels, LABEL_OWNER: "bob"}
    found = replace(container(spec_of()), labels=labels)
    known = Known(id="ws", spec=spec_of(owner="bob"), container=found, homes=(HOME,))
    assert decide(known).action is Action.REPLACE


@pytest.mark.parametrize(
    ("asked", "action"), [(None, Action.NOTHING), (True, Action.START), (False, Action.STOP)]
)
def test_what_neither_file_nor_index_know_is_switched_when_asked(
    asked: bool | None, action: Action
) -> None:
    known = Known(id="ws", row=row(Phase.PENDING), container=container(spec_of()), asked=asked)
    change = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert change.action is action


@pytest.mark.parametrize(("state", "action"), [("running", Action.START), ("exited", Action.STOP)])
def test_what_the_index_does_not_know_is_seen_again_as_it_is(state: str, action: Action) -> None:
    known = Known(id="ws", row=row(Phase.UNKNOWN), container=container(spec_of(), state))
    change = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert change.action is action


def test_running_pins_the_power_on() -> None:
    known = replace(settled(spec_of(), Phase.WARM), spec=spec_of(state="running"))
    assert decide(known).action is Action.START


@pytest.mark.parametrize("key", ["program", "plugin", "pulumi"])
def test_a_new_program_or_plugin_is_tried_without_replacing(key: str) -> None:
    facts = replace(FACTS, versions={**FACTS.versions, key: "2"})
    change = decide(settled(spec_of()), facts=facts)
    assert (change.action, change.reason) == (Action.UPDATE, "its limits or our program changed")


def test_a_container_removed_by_hand_is_made_again_with_its_home() -> None:
    change = decide(replace(settled(spec_of()), container=None))
    assert (change.action, change.refresh, change.on) == (Action.CREATE, True, True)
    assert change.inputs is not None
    assert change.inputs.home.exists


def test_a_lost_index_is_found_again_by_an_update() -> None:
    known = replace(settled(spec_of()), row=None, wanted=None)
    change = decide(known)
    assert (change.action, change.on) == (Action.UPDATE, True)
    stopped = replace(known, container=container(spec_of(), "exited"))
    assert decide(stopped).action is Action.UPDATE


@pytest.mark.parametrize("phase", [Phase.PROVISIONING, Phase.UPDATING])
def test_interrupted_work_is_taken_up(phase: Phase) -> None:
    known = replace(settled(spec_of()), row=row(phase, spec_of()))
    assert decide(known).action is Action.UPDATE


@pytest.mark.parametrize(
    ("phase", "running", "wanted", "action"),
    [
        (Phase.STARTING, True, True, Action.START),
        (Phase.STARTING, False, True, Action.START),
        (Phase.STOPPING, True, False, Action.STOP),
        (Phase.STOPPING, False, False, Action.STOP),
        (Phase.RUNNING, False, True, Action.START),
        (Phase.WARM, True, False, Action.START),
        (Phase.UNKNOWN, True, None, Action.START),
        (Phase.UNKNOWN, False, None, Action.STOP),
        (Phase.PENDING, False, None, Action.STOP),
    ],
)
def test_power_follows_the_last_wish(
    phase: Phase, running: bool, wanted: bool | None, action: Action
) -> None:
    found = container(spec_of(), "running" if running else "exited")
    known = replace(settled(spec_of()), row=row(phase, spec_of()), container=found, wanted=wanted)
    assert decide(known).action is action


@pytest.mark.parametrize(("asked", "action"), [(True, Action.START), (False, Action.STOP)])
def test_what_is_asked_now_counts_over_the_last_wish(asked: bool, action: Action) -> None:
    phase = Phase.WARM if asked else Phase.RUNNING
    assert decide(replace(settled(spec_of(), phase), asked=asked)).action is action


def test_a_pin_counts_over_what_is_asked() -> None:
    known = replace(settled(spec_of(state="running")), asked=False)
    assert decide(known).action is Action.NOTHING


def test_a_missing_home_blocks() -> None:
    proof = Proof(source="index", had_home=True)
    change = decide(replace(settled(spec_of()), homes=(), proofs=(proof,)))
    assert change.action is Action.BLOCKED
    assert change.error is not None
    assert change.error.reason == "HOME_MISSING"
    assert change.inputs is None


def test_a_lasting_error_waits_for_a_change_or_a_person() -> None:
    told = row(Phase.ERROR, spec_of(), reason="IMAGE_MISSING")
    failed = replace(settled(spec_of()), row=told, container=None)
    assert decide(failed).action is Action.NOTHING
    assert decide(failed).sync is Sync.OUT_OF_SYNC
    assert decide(failed, wish=Wish(force=True)).action is Action.CREATE
    assert decide(replace(failed, asked=True)).action is Action.CREATE
    assert decide(replace(failed, spec=spec_of(image="other"))).action is Action.CREATE
    for passing in (replace(told, retry_at=utc_now()), replace(told, reason="")):
        assert decide(replace(failed, row=passing)).action is Action.CREATE


HAD_ONE = Proof(source="index", had_home=True)
DATED: dict[str, Any] = {"grace_end": 7, "removal": "r", "expires_at": utc_now()}
COUNTED = Entry(removal="r", volumes=("x-ws-home-1",))
GONE_FILE = Snapshot(specs={"other": spec_of(id="other")})


def test_a_gone_file_deletes_only_with_prune() -> None:
    known = replace(settled(spec_of()), spec=None)
    kept = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert (kept.action, kept.sync) == (Action.NOTHING, Sync.OUT_OF_SYNC)
    assert "--prune" in kept.reason
    pruned = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish(prune=True))
    assert pruned.action is Action.DELETE


THIN = [
    Snapshot(complete=False, unreadable=True, error="no such file"),
    Snapshot(complete=False, error="the folder holds no workspace file"),
    Snapshot(complete=False, doubt="a generator is wrong", error="a generator is wrong"),
    Snapshot(specs={"other": spec_of(id="other")}, pending=frozenset({"ws"})),
    Snapshot(invalid={"ws": (PROBLEM,)}),
]


@pytest.mark.parametrize("snapshot", THIN)
@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.DELETING}))
def test_a_thin_reading_deletes_nothing(snapshot: Snapshot, phase: Phase) -> None:
    for found in (None, container(spec_of())):
        known = Known(id="ws", row=row(phase, spec_of()), container=found, homes=(HOME,))
        change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=Wish(prune=True))
        assert change.action not in {Action.DELETE, Action.FORGET}


def test_what_may_have_a_file_is_not_told_to_be_gone() -> None:
    known = replace(settled(spec_of()), spec=None)
    snapshot = Snapshot(specs={"other": spec_of(id="other")}, complete=False, doubt="d", error="d")
    change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=Wish(prune=True))
    assert (change.action, change.sync) == (Action.NOTHING, Sync.SYNCED)
    assert change.reason == "the files are unknown: d"


def test_asked_for_by_id_it_is_removed_even_when_the_folder_is_empty() -> None:
    known = replace(settled(spec_of()), spec=None)
    wish = Wish(remove=True)
    assert plan_one(known, snapshot=THIN[1], facts=FACTS, wish=wish).action is Action.DELETE


def test_an_interrupted_removal_goes_on() -> None:
    known = replace(settled(spec_of()), spec=None, row=row(Phase.DELETING, spec_of()))
    assert plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish()).action is Action.DELETE
    away = replace(known, row=row(Phase.UNKNOWN, spec_of()), before=Phase.DELETING)
    assert plan_one(away, snapshot=GONE_FILE, facts=FACTS, wish=Wish()).action is Action.DELETE


def test_a_tombstone_is_left_alone_and_revived_by_its_file() -> None:
    gone = Known(
        id="ws", row=row(Phase.TOMBSTONED, spec_of(), **DATED), homes=(HOME,), entry=COUNTED
    )
    assert plan_one(gone, snapshot=GONE_FILE, facts=FACTS, wish=Wish()).action is Action.NOTHING
    revived = decide(replace(gone, spec=spec_of()))
    assert (revived.action, revived.on, revived.refresh) == (Action.CREATE, True, True)
    assert revived.inputs is not None
    assert revived.inputs.home.exists


def test_a_row_that_never_had_anything_is_forgotten() -> None:
    known = Known(id="ws", row=row(Phase.ERROR))
    assert plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish()).action is Action.FORGET


def test_an_invalid_file_says_so_and_keeps_the_workspace() -> None:
    known = replace(settled(spec_of()), spec=None)
    snapshot = Snapshot(invalid={"ws": (PROBLEM, PROBLEM)})
    change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=Wish(prune=True))
    assert (change.action, change.sync) == (Action.INVALID, Sync.INVALID)
    assert (change.reason, len(change.problems)) == ("its file has 2 problems", 2)
    stop = plan_one(replace(known, asked=False), snapshot=snapshot, facts=FACTS, wish=Wish())
    assert (stop.action, stop.sync) == (Action.STOP, Sync.INVALID)


def test_without_a_file_start_uses_the_container_as_it_is() -> None:
    known = replace(settled(spec_of(), Phase.WARM), spec=None, asked=True)
    change = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert (change.action, change.spec_hash) == (Action.START, hashes(spec_of())[0])
    failed = replace(known, asked=None, row=row(Phase.ERROR, spec_of()))
    assert plan_one(failed, snapshot=GONE_FILE, facts=FACTS, wish=Wish()).action is Action.NOTHING


def test_interrupted_work_without_a_file_says_that_it_cannot_go_on() -> None:
    known = Known(id="ws", row=row(Phase.UPDATING, spec_of()), homes=(HOME,))
    snapshot = Snapshot(invalid={"ws": (PROBLEM,)})
    change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=Wish())
    assert change.action is Action.BLOCKED
    assert change.error is not None
    assert change.error.reason == "INVALID_FILE"


def test_the_plan_covers_files_rows_and_containers() -> None:
    stranger = replace(container(spec_of()), workspace="stranger")
    changes = planning.plan(
        entries={},
        snapshot=Snapshot(specs={"ws": spec_of()}),
        published={"old": replace(row(Phase.WARM, spec_of()), id="old")},
        inventory=Inventory(containers={"stranger": stranger}),
        facts=FACTS,
        wish=Wish(asked={"ws": False}),
        proofs={"ws": (Proof(source="index", had_home=False),)},
    )
    assert {id_: change.action for id_, change in changes.items()} == {
        "old": Action.NOTHING,
        "stranger": Action.NOTHING,
        "ws": Action.CREATE,
    }
    assert not changes["ws"].on


def history(*phases: Phase | None) -> list[HistoryRow]:
    return [
        HistoryRow(
            workspace_id="ws",
            from_phase=None,
            to_phase=phase,
            event="",
            cause="",
            actor="",
            request_id="",
            revision="",
            at=utc_now(),
        )
        for phase in phases
    ]


@pytest.mark.parametrize(
    ("phase", "before", "wish"),
    [
        (Phase.RUNNING, [], True),
        (Phase.STARTING, [], True),
        (Phase.WARM, [Phase.RUNNING], False),
        (Phase.UPDATING, [Phase.UPDATING, Phase.RUNNING], True),
        (Phase.UPDATING, [Phase.UPDATING, Phase.WARM, Phase.RUNNING], False),
        (Phase.ERROR, [Phase.ERROR, Phase.STARTING, Phase.WARM], True),
        (Phase.UNKNOWN, [None, Phase.STOPPING], False),
        (Phase.PROVISIONING, [Phase.PROVISIONING, Phase.PENDING], None),
        (Phase.PROVISIONING, [Phase.PENDING, Phase.TOMBSTONED, Phase.WARM], True),
        (Phase.ERROR, [Phase.ERROR, Phase.PROVISIONING, Phase.TOMBSTONED, Phase.WARM], True),
        (Phase.WARM, [Phase.PROVISIONING, Phase.PENDING, Phase.TOMBSTONED, Phase.RUNNING], False),
        (Phase.TOMBSTONED, [Phase.DELETING, Phase.RUNNING], None),
        (None, [], None),
    ],
)
def test_the_last_wish_survives_updates_and_errors(
    phase: Phase | None, before: list[Phase | None], wish: bool | None
) -> None:
    assert last_wish(row(phase) if phase else None, history(*before)) is wish


SPECS = st.builds(
    spec_of,
    image=st.sampled_from(["light", "other"]),
    env=st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["1", "2"])),
    state=st.sampled_from(["auto", "running", "warm"]),
    owner=st.sampled_from(["alice", "bob"]),
)
KNOWN = st.builds(
    Known,
    id=st.just("ws"),
    spec=st.none() | SPECS,
    row=st.none()
    | st.builds(row, st.sampled_from(list(Phase)), st.none() | SPECS, retry_at=st.none()),
    container=st.none() | st.builds(container, SPECS, st.sampled_from(["running", "exited"])),
    homes=st.sampled_from([(), (HOME,)]),
    proofs=st.sampled_from([(), (Proof(source="index", had_home=True),)]),
    wanted=st.none() | st.booleans(),
    asked=st.none() | st.booleans(),
)
SNAPSHOTS = st.sampled_from([*THIN, GONE_FILE])


def test_a_home_that_is_there_though_it_is_said_to_be_removed_is_kept() -> None:
    known = Known(id="ws", row=row(Phase.DELETED), homes=(HOME,))
    change = plan_one(known, snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert change.action is Action.FORGET
    assert "its home is there" in change.reason
    found = plan_one(replace(known, row=None), snapshot=GONE_FILE, facts=FACTS, wish=Wish())
    assert found.action is Action.KEEP


@given(known=KNOWN, thin=SNAPSHOTS, wish=st.builds(Wish, prune=st.booleans()))
def test_whatever_is_known_nothing_is_lost_or_made_up(
    known: Known, thin: Snapshot, wish: Wish
) -> None:
    snapshot = Snapshot(specs={"ws": known.spec}) if known.spec else thin
    change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=wish)
    if change.action is Action.DELETE:
        assert known.spec is None
        assert known.phase is Phase.DELETING or (snapshot.complete and wish.prune)
    if change.inputs is not None:
        assert change.inputs.home.exists == bool(known.homes)
        assert known.homes or not known.proofs, "a new home where there was one"
    if change.action.needs_pulumi and change.action is not Action.DELETE:
        assert known.spec is not None
        assert change.desired_hash
    if change.action is Action.START:
        assert known.container is not None
        assert change.spec_hash == known.container.labels[LABEL_SPEC_HASH]
    if change.action is Action.FORGET:
        # An older index may call gone what is there: forgotten, it is found as it is.
        nothing = known.container is None and not known.homes
        assert nothing or known.phase is Phase.DELETED


@given(known=KNOWN)
def test_once_done_nothing_more_is_to_do(known: Known) -> None:
    """Applying what the plan says leads to a plan of nothing, but for errors."""
    if known.spec is None:
        return
    change = decide(known, wish=Wish(force=True))
    if change.inputs is None:
        whole = known.phase not in planning._INTERRUPTED
        stopped_first = whole and known.asked is False and known.running and not change.on
        assert change.action is (Action.STOP if stopped_first else Action.BLOCKED)
        return
    phase = Phase.RUNNING if change.on else Phase.WARM
    done = replace(
        known,
        row=replace(row(phase), applied_hash=change.desired_hash, desired_hash=change.desired_hash),
        container=container(known.spec, "running" if change.on else "exited"),
        homes=known.homes or (replace(HOME, owner=known.spec.owner),),
        proofs=(),
        wanted=change.on,
        asked=None,
    )
    labels = {LABEL_SPEC_HASH: change.spec_hash}
    assert done.container is not None
    done = replace(done, container=replace(done.container, labels=labels))
    assert decide(done).action is Action.NOTHING


INVALID = Snapshot(invalid={"ws": (PROBLEM,)}, owners={"ws": "mallory"})


def test_who_wrote_a_bad_first_file_is_shown_it() -> None:
    change = plan_one(Known(id="ws"), snapshot=INVALID, facts=FACTS, wish=Wish())
    assert change.action is Action.INVALID
    assert described(change)["owner"] == "mallory"


@pytest.mark.parametrize(
    "known",
    [settled(spec_of()), Known(id="ws", row=row(Phase.DELETED), homes=(HOME,))],
    ids=["applied", "a home is kept"],
)
def test_a_bad_file_takes_nothing_from_an_owner(known: Known) -> None:
    change = plan_one(replace(known, spec=None), snapshot=INVALID, facts=FACTS, wish=Wish())
    assert "owner" not in described(change)


def someone_elses(**more: Any) -> Known:
    """A running workspace whose file names another owner than its home's."""
    found = settled(spec_of())
    return replace(found, spec=spec_of(owner="bob"), row=row(Phase.ERROR), **more)


@pytest.mark.parametrize(
    "known",
    [
        someone_elses(),
        replace(settled(spec_of()), homes=(), proofs=(Proof(source="index", had_home=True),)),
    ],
    ids=["another's home", "no home"],
)
def test_what_its_home_blocks_can_still_be_stopped(known: Known) -> None:
    assert decide(known).action is Action.BLOCKED
    stop = decide(replace(known, asked=False))
    assert (stop.action, stop.sync, stop.spec) == (Action.STOP, Sync.OUT_OF_SYNC, None)
    assert described(stop).get("owner", "alice") != "bob"
    assert decide(replace(known, asked=True)).action is Action.BLOCKED
    off = replace(known, asked=False, container=container(spec_of(), "exited"))
    assert decide(off).action is Action.BLOCKED
    pinned = replace(known, asked=False, spec=spec_of(owner="bob", state="running"))
    assert decide(pinned).action is Action.BLOCKED


def test_a_stop_does_not_wait_for_a_shape_that_may_not_come_about() -> None:
    known = replace(settled(spec_of()), spec=spec_of(image="missing"))
    assert decide(known).action is Action.REPLACE
    stop = decide(replace(known, asked=False))
    assert (stop.action, stop.sync, stop.inputs) == (Action.STOP, Sync.OUT_OF_SYNC, None)
    assert "spec_json" not in described(stop)
    interrupted = replace(known, row=row(Phase.UPDATING, spec_of()), asked=False)
    assert decide(interrupted).action is Action.REPLACE


def test_why_a_prune_keeps_what_has_no_file() -> None:
    known = replace(settled(spec_of()), spec=None)
    kept = plan_one(known, snapshot=THIN[1], facts=FACTS, wish=Wish(prune=True))
    assert kept.reason == "its file is gone, but it is kept: the folder holds no workspace file"
    assert "--prune" in plan_one(known, snapshot=THIN[1], facts=FACTS, wish=Wish()).reason


def test_a_container_without_the_trees_id_is_made_anew() -> None:
    facts = replace(FACTS, tree="0123456789abcdef")
    change = decide(settled(spec_of()), facts=facts)
    assert change.action is Action.REPLACE
    assert change.reason == "its container is not marked as this data tree's"
    assert change.inputs is not None
    assert change.inputs.tree == facts.tree


def removing(**more: Any) -> Known:
    """A workspace whose home is being removed."""
    begun = row(Phase.DELETING, spec_of(), step=REMOVING, **DATED)
    return Known(id="ws", row=begun, **({"entry": COUNTED} | more))


@pytest.mark.parametrize("found", [None, spec_of()])
def test_a_removal_whose_end_was_not_told_is_told_first(found: WorkspaceSpec | None) -> None:
    change = decide(removing(spec=found, entry=replace(COUNTED, removed=COUNTED.volumes)))
    assert (change.action, change.by_name) == (Action.PURGE, False)
    assert change.reason == "its removal was interrupted"


@pytest.mark.parametrize(
    "entry", [COUNTED, None, UNREADABLE, replace(COUNTED, removing=COUNTED.volumes, engine="E1")]
)
def test_a_home_that_is_only_not_seen_was_not_removed(entry: Entry | None) -> None:
    """Under another name prefix, or on another engine, none is seen."""
    assert decide(removing(entry=entry)).action is Action.DELETE
    missed = decide(removing(entry=entry, spec=spec_of(), proofs=(HAD_ONE,)))
    assert missed.error is not None
    assert missed.error.reason == "HOME_MISSING"


def test_an_end_that_was_cut_off_is_undone_where_nothing_says_that_there_was_a_home() -> None:
    """Of a lost index and a lost ledger only the volume tells, which may be out of sight."""
    gone = removing(entry=None)
    assert gone.row is not None
    unknown = replace(gone, row=replace(gone.row, applied_hash=""))
    assert decide(unknown).action is Action.DELETE


def test_a_home_that_may_be_half_empty_is_not_mounted_unless_someone_says_so() -> None:
    torn = Known(
        id="ws",
        row=row(Phase.ERROR, spec_of()),
        spec=spec_of(),
        homes=(HOME,),
        torn=frozenset({HOME.name}),
    )
    refused = decide(torn)
    assert refused.error is not None
    assert (refused.action, refused.error.reason) == (Action.BLOCKED, "HOME_PARTLY_REMOVED")
    adopted = decide(torn, wish=Wish(adopt="alice", force=True))
    assert (adopted.action, adopted.takes) == (Action.CREATE, HOME.name)
    new = decide(torn, wish=Wish(new_home=True, force=True))
    assert new.inputs is not None
    assert (new.inputs.home.number, new.inputs.home.exists) == (2, False)
    whole = decide(
        replace(torn, torn=frozenset({"x-other-home-1"})), wish=Wish(adopt="alice", force=True)
    )
    assert (whole.action, whole.takes) == (Action.CREATE, "")


def test_what_the_ledger_says_of_a_home_is_a_proof_of_it() -> None:
    lost = decide(Known(id="ws", spec=spec_of(), entry=COUNTED))
    assert lost.error is not None
    assert lost.error.message.endswith("(known from: the ledger of graces)")


def test_a_removal_that_was_cut_off_before_the_home_went_is_undone() -> None:
    assert decide(removing(homes=(HOME,))).action is Action.DELETE
    revived = decide(removing(homes=(HOME,), spec=spec_of()))
    assert (revived.action, revived.on) == (Action.CREATE, True)
    expired = decide(removing(homes=(HOME,)), wish=Wish(watched=7))
    assert (expired.action, expired.by_name) == (Action.PURGE, False)


@pytest.mark.parametrize(
    ("wish", "action"), [(Wish(), Action.KEEP), (Wish(purge=True), Action.PURGE)]
)
def test_a_home_alone_gets_a_tombstone_or_goes_by_its_name(wish: Wish, action: Action) -> None:
    assert decide(Known(id="ws", homes=(HOME,)), wish=wish).action is action


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.TOMBSTONED, Phase.ERROR}))
def test_a_typed_name_removes_nothing_of_what_was_not_removed(phase: Phase) -> None:
    known = Known(id="ws", row=row(phase, spec_of()), homes=(HOME,))
    assert decide(known, wish=Wish(purge=True)).action is not Action.PURGE
    there = replace(known, row=row(Phase.TOMBSTONED), container=container(spec_of()))
    assert decide(there, wish=Wish(purge=True, watched=7)).action is not Action.PURGE


def test_what_was_purged_leaves_no_row_and_its_id_is_free() -> None:
    purged = Known(id="ws", row=row(Phase.DELETED, spec_of()))
    assert decide(purged).action is Action.FORGET
    new = decide(replace(purged, spec=spec_of(owner="bob")))
    assert (new.action, new.on) == (Action.CREATE, True)
    assert new.inputs is not None
    assert new.inputs.home == HomeInputs(number=1, owner="bob", exists=False)


def test_a_grace_that_was_shown_without_an_end_begins_once_homes_expire() -> None:
    """Whoever turns expiry on must not lose at once what was kept for months."""
    endless = row(Phase.TOMBSTONED, spec_of(), **(DATED | {"expires_at": None}))
    known = Known(id="ws", row=endless, homes=(HOME,), entry=COUNTED)
    begins = decide(known, wish=Wish(watched=10**9))
    assert (begins.action, begins.reason, begins.ends) == (Action.KEEP, "its grace begins", True)
    assert decide(known).action is Action.NOTHING


def renamed(**more: Any) -> Known:
    """One that was `old`, and was removed: its home is kept under that id."""
    found = spec_of(formerly="old")
    told = {"spec_json": found.model_dump_json(), **DATED}
    return Known(id="ws", row=row(Phase.TOMBSTONED, found, **told), entry=COUNTED, **more)


@pytest.mark.parametrize("watched", [0, 7])
def test_a_renamed_tombstone_stays_where_its_home_is_only_not_seen(watched: int) -> None:
    """On another engine, or under another prefix, it is seen under neither id."""
    assert decide(renamed(), wish=Wish(watched=watched)).action is Action.NOTHING
    gone = decide(renamed(former_gone=True), wish=Wish(watched=watched))
    assert (gone.action, gone.reason) == (
        Action.FORGET,
        "its home went under its former id, old",
    )
    assert decide(renamed(former_left=True), wish=Wish(watched=7)).action is Action.PURGE
    assert decide(renamed(), wish=Wish(purge=True)).action is Action.PURGE, "it can be purged"
