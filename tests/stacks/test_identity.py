"""Which home goes to whom, over every mix of files, volumes, owners and containers that there may be."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec import Problem, WorkspaceSpec
from stacks import identity, previews, renames
from stacks.errors import (
    FormerStandsError,
    HomeConflictError,
    HomeMissingError,
    HomeOwnerError,
)
from stacks.homes import Proof
from stacks.plan import plan, plan_one
from stacks.planned import Action, Change, Known, Wish
from stacks.power import Container, HomeVolume, Inventory
from stacks.programs.inputs import LABEL_FORMERLY, LABEL_OWNER, LABEL_PREFIX, HomeInputs
from stacks.rendering import Facts, render, spec_hash
from stacks.source import Snapshot
from stacks.telling import described, is_quiet
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync

FACTS = Facts(name_prefix="x-", network="x-net", run="/run/x")
OWNERS = st.sampled_from(["alice", "bob"])


def spec_of(id_: str = "ada", **keys: str) -> WorkspaceSpec:
    told = {"id": id_, "owner": "alice", "image": "light", **keys}
    return WorkspaceSpec.model_validate(told)


def home(id_: str, number: int = 1, owner: str = "alice") -> HomeVolume:
    name = f"x-{id_}-home-{number}"
    return HomeVolume(workspace=id_, number=number, name=name, owner=owner, tree="t")


def container(id_: str, mounts: HomeVolume, *, owner: str = "alice") -> Container:
    labels = {LABEL_OWNER: owner, LABEL_PREFIX: "x-"}
    if mounts.workspace != id_:
        labels[LABEL_FORMERLY] = mounts.workspace
    return Container(
        id=f"c-{id_}",
        name=f"x-{id_}",
        workspace=id_,
        state="running",
        image="light",
        labels=labels,
        home=mounts.name,
    )


def row_of(id_: str, spec: WorkspaceSpec | None = None, **more: object) -> Published:
    told = {"owner": "alice", "phase": Phase.RUNNING, "sync": Sync.SYNCED} | more
    if spec is not None:
        told |= {"applied_hash": "h", "owner": spec.owner, "spec_json": spec.model_dump_json()}
    return Published(id=id_, **told)  # type: ignore[arg-type]


def planned(
    *specs: WorkspaceSpec,
    homes: tuple[HomeVolume, ...] = (),
    containers: tuple[Container, ...] = (),
    rows: tuple[Published, ...] = (),
    wish: Wish | None = None,
    **snapshot: object,
) -> dict[str, Change]:
    by_id: dict[str, tuple[HomeVolume, ...]] = {}
    for each in homes:
        by_id[each.workspace] = (*by_id.get(each.workspace, ()), each)
    found = {each.id: each for each in specs}
    return plan(
        entries={},
        snapshot=Snapshot(specs=found or {"zz": spec_of("zz")}, **snapshot),  # type: ignore[arg-type]
        published={row.id: row for row in rows},
        inventory=Inventory(containers={each.workspace: each for each in containers}, homes=by_id),
        facts=FACTS,
        wish=wish or Wish(),
    )


# Renames.


def test_a_rename_takes_over_from_what_has_the_home() -> None:
    old = home("old")
    changes = planned(
        spec_of(formerly="old"),
        homes=(old,),
        containers=(container("old", old),),
        rows=(row_of("old", spec_of("old")),),
    )
    new = changes["ada"]
    assert (new.action, set(new.retires), new.reason) == (Action.CREATE, {"old"}, "it was old")
    assert new.inputs is not None
    assert new.inputs.volume == "x-old-home-1"
    assert new.inputs.home_identity == {"codehub.workspace": "old", "codehub.prefix": "x-"}
    assert changes["old"].action is Action.NOTHING
    assert changes["old"].reason == "it was renamed: it is ada now"


def test_what_was_renamed_goes_when_its_heir_asks_only() -> None:
    old = home("old")
    known = Known(
        id="old",
        row=row_of("old", spec_of("old")),
        container=container("old", old),
        homes=(old,),
        heir="ada",
    )
    snapshot = Snapshot(specs={"ada": spec_of(formerly="old")})
    for wish, action in (
        (Wish(), Action.NOTHING),
        (Wish(prune=True), Action.NOTHING),
        (Wish(watched=10**12), Action.NOTHING),
        (Wish(retire="ada"), Action.RETIRE),
        (Wish(remove=True), Action.DELETE),
    ):
        assert plan_one(known, snapshot=snapshot, facts=FACTS, wish=wish).action is action
    done = replace(known, row=None, container=None)
    for wish in (Wish(), Wish(retire="ada")):
        assert plan_one(done, snapshot=snapshot, facts=FACTS, wish=wish).action is Action.FORGET


@pytest.mark.parametrize("broken", ["invalid", "pending"])
def test_a_file_that_cannot_be_read_just_now_gives_up_nothing(broken: str) -> None:
    old, spec = home("old"), spec_of(formerly="old")
    problem = (Problem("ada.yaml", 1, 1, "", "is wrong", "mend it"),)
    told = {"invalid": {"ada": problem}} if broken == "invalid" else {"pending": frozenset({"ada"})}
    for containers in ((), (container("ada", old),)):
        changes = planned(homes=(old,), containers=containers, rows=(row_of("ada", spec),), **told)
        assert "old" not in changes
    assert "old" in planned(homes=(old,), **told)  # nothing says that it was renamed


def test_a_renamed_home_begins_its_grace_when_its_heirs_file_and_container_are_gone() -> None:
    changes = planned(homes=(home("old"),), rows=(row_of("ada", spec_of(formerly="old")),))
    assert changes["old"].action is Action.KEEP


REMOVED = {"phase": Phase.TOMBSTONED, "removal": "r", "grace_end": 5}
RENAMED = spec_of(formerly="old")
LEFT = "only its home is there: it was renamed to"


@pytest.mark.parametrize(
    ("rows", "ends", "told"),
    [
        ((row_of("ada", RENAMED, **REMOVED),), True, f"{LEFT} ada, which was removed"),
        # The ledger could not be used: whose removal it is is known, its grace is yet to begin.
        (
            (row_of("ada", RENAMED, **REMOVED | {"grace_end": None}),),
            True,
            f"{LEFT} ada, which was removed",
        ),
        ((row_of("ada", RENAMED),), False, f"{LEFT} ada; it is kept without an end"),
        # Found after a lost index.
        (
            (row_of("ada", RENAMED, phase=Phase.TOMBSTONED),),
            False,
            f"{LEFT} ada; it is kept without an end",
        ),
        (
            (row_of("ada", RENAMED, **REMOVED), row_of("abby", RENAMED)),
            False,
            f"{LEFT} abby and ada; it is kept without an end",
        ),
        ((row_of("ada", spec_of(), **REMOVED),), False, "only its home is there: the index was"),
    ],
)
def test_a_home_under_a_former_id_has_an_end_when_somebody_had_its_heir_removed(
    rows: tuple[Published, ...], ends: bool, told: str
) -> None:
    change = planned(homes=(home("old"),), rows=rows)["old"]
    assert (change.action, change.ends) == (Action.KEEP, ends)
    assert change.reason.startswith(told)
    # The same for one whose tombstone was set before that was known.
    kept = planned(homes=(home("old"),), rows=(*rows, row_of("old", phase=Phase.TOMBSTONED)))["old"]
    assert (kept.action, kept.reason) == (
        (Action.KEEP, f"its grace begins; {told}") if ends else (Action.NOTHING, "")
    )


def test_the_removal_of_an_heir_with_a_home_of_its_own_says_nothing_of_the_former_ids() -> None:
    homes = (home("old"), home("ada", 2))
    change = planned(homes=homes, rows=(row_of("ada", RENAMED, **REMOVED),))["old"]
    assert (change.action, change.ends) == (Action.KEEP, False)


def test_a_former_id_that_has_a_file_keeps_its_home() -> None:
    old = home("old")
    change = planned(
        spec_of(formerly="old"), homes=(old,), containers=(container("old", old),),
        invalid={"old": ()},
    )["ada"]  # fmt: skip
    assert isinstance(change.error, FormerStandsError)
    assert not change.retires


def test_back_to_the_first_id_all_that_has_the_home_goes() -> None:
    old = home("old")
    change = planned(spec_of("old"), homes=(old,), containers=(container("ada", old),))["old"]
    assert (change.action, set(change.retires)) == (Action.CREATE, {"ada"})


def test_a_second_rename_takes_over_from_the_first() -> None:
    old = home("old")
    change = planned(
        spec_of("third", formerly="old"), homes=(old,), containers=(container("second", old),)
    )["third"]
    assert (change.action, set(change.retires)) == (Action.CREATE, {"second"})
    lost = planned(
        spec_of("third", formerly="second"), homes=(old,), containers=(container("second", old),)
    )["third"]
    assert isinstance(lost.error, HomeMissingError)
    assert lost.error.remedy == "Second had the home of old: write `formerly: old`."


HANDED = spec_of("bobs", owner="bob", formerly="old")


@pytest.mark.parametrize(
    "mine", [spec_of(formerly="old"), spec_of("old")], ids=["by its former id", "by its own id"]
)
@pytest.mark.parametrize("phase", [Phase.TOMBSTONED, Phase.WARM])
def test_a_home_that_was_renamed_and_handed_over_is_not_the_first_owners_again(
    mine: WorkspaceSpec, phase: Phase
) -> None:
    # The label says alice for ever, and the former id's row went when it was renamed.
    old, now = home("old"), row_of("bobs", HANDED, phase=phase)
    change = planned(mine, homes=(old,), rows=(now,))[mine.id]
    assert isinstance(change.error, HomeOwnerError)
    assert "belonged to bob" in change.error.message
    bobs = spec_of(mine.id, owner="bob", **({"formerly": "old"} if mine.formerly else {}))
    assert planned(bobs, homes=(old,), rows=(now,))[mine.id].action is Action.CREATE
    adopted = planned(mine, homes=(old,), rows=(now,), wish=Wish(adopt="alice"))[mine.id]
    assert adopted.action is Action.CREATE


def test_the_row_of_a_former_id_that_was_never_made_proves_nothing() -> None:
    never = row_of("old", phase=Phase.TOMBSTONED)
    rows = (row_of("bobs", HANDED, phase=Phase.TOMBSTONED), never)
    change = planned(spec_of(formerly="old"), homes=(home("old"),), rows=rows)["ada"]
    assert isinstance(change.error, HomeOwnerError)


def test_the_row_of_a_workspace_that_had_another_home_says_nothing_of_a_former_ids() -> None:
    rows = (row_of("bobs", HANDED), row_of("ada", spec_of()))
    change = planned(spec_of(formerly="old"), homes=(home("old"),), rows=rows)["ada"]
    assert isinstance(change.error, HomeOwnerError)


def test_of_all_who_had_a_former_ids_home_the_last_one_counts() -> None:
    before = row_of("bobs", HANDED, phase=Phase.TOMBSTONED, since=utc_now() - timedelta(days=1))
    mine = spec_of(formerly="old")
    last = row_of("ada", mine, phase=Phase.TOMBSTONED)
    never = row_of("eves", spec_of("eves", owner="eve", formerly="old"))
    change = planned(
        mine, homes=(home("old"),), rows=(before, last, replace(never, applied_hash=""))
    )
    assert change["ada"].action is Action.CREATE


def test_who_looks_into_a_home_by_hand_is_no_workspace() -> None:
    old = home("old")
    stranger = replace(container("debug", old), name="someones")
    change = planned(spec_of(formerly="old"), homes=(old,), containers=(stranger,))["ada"]
    assert not change.retires


def test_a_home_of_its_own_stands_against_a_former_ids() -> None:
    change = planned(spec_of(formerly="old"), homes=(home("old"), home("ada")))["ada"]
    assert isinstance(change.error, HomeConflictError)
    newer = planned(spec_of(formerly="old"), homes=(home("old"), home("ada", 2)))["ada"]
    assert newer.inputs is not None
    assert newer.inputs.volume == "x-ada-home-2"


def test_what_is_done_asks_for_nothing_more() -> None:
    old, spec = home("old"), spec_of(formerly="old")
    made = planned(spec, homes=(old,))["ada"]
    assert made.inputs is not None
    there = container("ada", old)
    there = replace(there, labels={**there.labels, "codehub.spec-hash": made.spec_hash})
    row = replace(row_of("ada", spec), applied_hash=made.desired_hash)
    changes = planned(spec, homes=(old,), containers=(there,), rows=(row,))
    assert (changes["ada"].action, changes["ada"].sync) == (Action.NOTHING, Sync.SYNCED)
    assert is_quiet(changes["ada"])
    left = planned(spec, homes=(old,), containers=(there,), rows=(row, row_of("old")))["ada"]
    assert (left.action, set(left.retires)) == (Action.NOTHING, {"old"})
    assert not is_quiet(left)


@given(
    formerly=st.sampled_from([None, "old"]),
    owner=OWNERS,
    homes=st.lists(
        st.builds(home, st.sampled_from(["ada", "old"]), st.integers(1, 3), OWNERS),
        unique_by=lambda each: each.name,
        max_size=4,
    ),
    held_by=st.sets(st.sampled_from(["ada", "old", "third"])),
    standing=st.sets(st.sampled_from(["old", "third"])),
    applied=st.booleans(),
    proven=st.booleans(),
    recorded=st.sets(st.integers(1, 4)).map(lambda ns: tuple(f"x-ada-home-{n}" for n in ns)),
    wish=st.builds(Wish, adopt=OWNERS | st.just(""), new_home=st.booleans()),
)
def test_no_home_is_made_empty_taken_from_others_or_shared(
    *,
    formerly: str | None,
    owner: str,
    homes: list[HomeVolume],
    held_by: set[str],
    standing: set[str],
    applied: bool,
    proven: bool,
    recorded: tuple[str, ...],
    wish: Wish,
) -> None:
    spec = spec_of(owner=owner, **({"formerly": formerly} if formerly else {}))
    meant = sorted(
        (each for each in homes if each.workspace == (formerly or "ada")),
        key=lambda each: each.number,
    )
    holders = [container(id_, meant[-1], owner=meant[-1].owner) for id_ in held_by if meant]
    snapshot = Snapshot(specs={"ada": spec}, invalid=dict.fromkeys(standing - {formerly}, ()))
    former = renames.former(
        spec,
        row=None,
        container=next((each for each in holders if each.workspace == formerly), None),
        homes=tuple(meant) if formerly else (),
        holders=holders,
        snapshot=snapshot,
    )
    mine = sorted((each for each in homes if each.workspace == "ada"), key=lambda h: h.number)
    own = next((each for each in holders if each.workspace == "ada"), None)
    known = Known(
        id="ada",
        spec=spec,
        row=row_of("ada", spec) if applied else None,
        container=own,
        homes=renames.merged(tuple(mine), former if formerly else None),
        former=former,
        recorded=recorded,
        proofs=(Proof(source="index", had_home=proven),),
    )
    change = plan_one(known, snapshot=snapshot, facts=FACTS, wish=wish)
    if change.action is Action.BLOCKED:
        assert change.error is not None
        assert not change.retires
        if isinstance(change.error, HomeOwnerError):
            assert described(change).get("owner") != owner
        return
    assert change.inputs is not None
    chosen = change.inputs.home
    if chosen.exists:
        assert change.inputs.volume in {each.name for each in homes}
        label = next(each.owner for each in homes if each.name == change.inputs.volume)
        told = own.labels[LABEL_OWNER] if own else label
        assert owner in {label, told} or applied or wish.adopt == owner
    elif not wish.new_home:
        assert (chosen.number, known.homes, formerly, proven, recorded) == (1, (), None, False, ())
    else:
        assert change.inputs.volume not in {each.name for each in homes} | set(recorded)
    if formerly and change.inputs.volume in {each.name for each in meant}:
        assert change.retires >= held_by - {"ada"} if meant else True


# What else is told of it.


@pytest.mark.parametrize(
    ("volume", "number"),
    [("x-a-home-12", 12), ("a-home-1-home-2", 2), ("x-a-home-", None), ("other", None)],
)
def test_the_number_of_a_home_is_in_its_name(volume: str, number: int | None) -> None:
    assert identity.number_of(volume) == number


def test_an_owner_is_told_where_it_changes() -> None:
    spec = spec_of(owner="bob")
    row = row_of("ada", spec_of())
    assert identity.owner_before(Known(id="ada", spec=spec, row=row)) == "alice"
    assert identity.owner_before(Known(id="ada", spec=spec_of(), row=row)) == ""
    assert identity.owner_before(Known(id="ada", spec=spec)) == ""
    assert identity.owner_before(Known(id="ada", row=row)) == ""
    assert identity.owner_before(Known(id="ada", spec=spec, homes=(home("ada"),))) == "alice"


def test_hashes_of_workspaces_that_were_never_renamed_are_as_before() -> None:
    inputs = render(spec_of(), facts=FACTS, home=HomeInputs(number=1, owner="alice"))
    renamed = replace(inputs, home=HomeInputs(number=1, owner="alice", workspace="old"))
    assert spec_hash(inputs) == "ff7f1984c436e46993e503f86b4fa9d4"
    assert spec_hash(renamed) != spec_hash(inputs)


def test_what_is_told_of_the_data_names_a_steering_owner_harmlessly() -> None:
    """A label of a volume may hold anything."""
    known = Known(id="ada", spec=spec_of(owner="bob"), homes=(home("ada", owner="al\x1b[2Jice"),))
    told = previews.data_note(Change(known=known, spec=known.spec, action=Action.CREATE))
    assert "goes from al?[2Jice to bob" in told
