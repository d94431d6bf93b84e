"""What owners and rules leave of a plan: on a real index and queue, the engine beside."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from policies.words import Level
from spec import WorkspaceSpec, read_rules
from stacks.changes import WorkspaceChange
from stacks.demand import Demand
from stacks.errors import (
    EngineUnavailableError,
    PolicyViolationError,
    RulesUnreadableError,
    Violation,
)
from stacks.git.commits import judged
from stacks.plan import Action, Change, Known, Wish
from stacks.previews import describe
from stacks.results import ended
from stacks.rulebook import Rulebook, owners_of, policies_of, standing
from stacks.ruling import consider, image_refusal
from stacks.source import FolderSource, Snapshot
from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.stacks.test_plan import decide, row, settled
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of
from tests.stacks.test_source import write

OWNERS = b"people:\n  alice: {quota: {cpu: 4}}\n"
BROKEN = b"people: 5\n"
LISTED = b"rules: {image-allowed: {images: [light]}}\n"
TODAY = date(2030, 6, 30)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as found:
        found.power.networks.add("x-net")
        yield found


def files(
    one: Bench, *specs: WorkspaceSpec, owners: bytes | None = None, policies: bytes | None = None
) -> None:
    one.queue.snapshot = Snapshot(
        specs={spec.id: spec for spec in specs},
        rules=read_rules(owners, policies, folder="workspaces.d"),
    )


def cores(id_: str, number: float, **more: Any) -> WorkspaceSpec:
    return spec_of(id_, resources={"cpu": number}, **more)


async def test_a_quota_blocks_the_new_one_until_there_is_room(one: Bench) -> None:
    files(one, cores("aa", 2), cores("bb", 2), cores("cc", 1), owners=OWNERS)
    results = {result.id: result for result in await one.queue.sweep(UP)}
    assert {id_ for id_, result in results.items() if result.ok} == {"aa", "bb"}
    refused = one.row("cc")
    assert (refused.phase, refused.reason, refused.sync, refused.owner) == (
        Phase.ERROR,
        "POLICY_VIOLATION",
        Sync.OUT_OF_SYNC,
        "alice",
    )
    assert "quota-owner: alice uses 4 of 4 CPU, and cc asks for 1 more" in refused.message
    assert refused.spec_json == ""
    # Nothing is done again while nothing changes; the words follow what is used.
    quiet, waiting = await one.queue.dispatch(Demand(cause="look"))
    assert (len(quiet), waiting) == (3, [])
    files(one, cores("aa", 2), cores("bb", 1.5), cores("cc", 1), owners=OWNERS)
    await one.queue.sweep(Demand(cause="look"))
    assert "alice uses 3.5 of 4 CPU" in one.row("cc").message
    files(one, cores("aa", 1), cores("bb", 1.5), cores("cc", 1), owners=OWNERS)
    await one.queue.sweep(Demand(cause="look"))
    assert (one.row("cc").phase, one.row("cc").message) == (Phase.RUNNING, "")


async def test_what_stands_goes_on_when_its_growth_is_refused(one: Bench) -> None:
    files(one, cores("aa", 2), owners=OWNERS)
    await one.queue.sweep(UP)
    before = one.power.containers["aa"]
    files(one, cores("aa", 5, owner="alice"), owners=OWNERS)
    (result,) = await one.queue.sweep(UP)
    assert (result.ok, result.reason, result.action) == (False, "POLICY_VIOLATION", "nothing")
    found = one.row("aa")
    assert (found.phase, found.sync) == (Phase.RUNNING, Sync.OUT_OF_SYNC)
    assert "alice uses 2 of 4 CPU, and aa asks for 3 more" in found.message
    assert '"cpu":2.0' in found.spec_json
    assert one.power.containers["aa"] == before
    # On and off still work, and it is started as it was.
    stopped = await one.queue.submit("aa", Demand(cause="stop", asked=False))
    assert (stopped.ok, stopped.phase) == (True, Phase.WARM)
    started = await one.queue.submit("aa", Demand(cause="start", asked=True))
    assert (started.ok, started.phase) == (True, Phase.RUNNING)
    assert one.power.containers["aa"].id == before.id
    files(one, cores("aa", 2), owners=OWNERS)
    await one.queue.sweep(Demand(cause="look"))
    assert (one.row("aa").sync, one.row("aa").message) == (Sync.SYNCED, "")


async def test_an_owner_who_is_not_listed_gets_nothing(one: Bench) -> None:
    files(one, cores("aa", 1), owners=OWNERS)
    await one.queue.sweep(UP)
    files(one, cores("aa", 1, owner="mallory"), cores("bb", 1, owner="mallory"), owners=OWNERS)
    results = await one.queue.sweep(UP)
    assert {result.reason for result in results} == {"POLICY_VIOLATION"}
    assert one.row("aa").owner == "alice"
    assert "its owner mallory is not in `_owners.yaml`" in one.row("aa").message
    assert set(one.power.containers) == {"aa"}


async def test_broken_rules_freeze_what_is_new_or_changed(one: Bench) -> None:
    files(one, cores("aa", 1), cores("bb", 1), cores("gone", 1))
    await one.queue.sweep(UP)
    files(one, cores("aa", 1), cores("bb", 2), cores("cc", 1), owners=BROKEN)
    found = {result.id: result for result in await one.queue.sweep(replace(UP, prune=True))}
    assert found["aa"].ok
    assert found["gone"].action == "nothing"
    assert set(one.power.containers) == {"aa", "bb", "gone"}
    for id_, phase in (("bb", Phase.RUNNING), ("cc", Phase.ERROR)):
        assert found[id_].reason == "RULES_UNREADABLE"
        assert (one.row(id_).phase, one.row(id_).sync) == (phase, Sync.OUT_OF_SYNC)
        assert one.row(id_).problems[0]["file"] == "workspaces.d/_owners.yaml"
        assert "workspaces.d/_owners.yaml:1:9: people: must be a mapping" in one.row(id_).message
    # What stands is healed as before.
    del one.power.containers["aa"]
    await one.queue.sweep(Demand(cause="look"))
    assert set(one.power.containers) == {"aa", "bb", "gone"}
    # Mended, all goes on by itself.
    files(one, cores("aa", 1), cores("bb", 2), cores("cc", 1), owners=OWNERS)
    await one.queue.sweep(Demand(cause="look", prune=True))
    assert set(one.power.containers) == {"aa", "bb", "cc"}
    assert (one.row("cc").problems, one.row("cc").phase) == ((), Phase.RUNNING)


@pytest.mark.parametrize(
    "allowing",
    [
        b"rules: {image-allowed: {images: [dark]}}\n",
        b"rules: {image-allowed: {level: advisory, images: [light]}}\n",
        LISTED
        + b"exemptions: [{rule: image-allowed, workspaces: [aa], reason: x, until: 2999-01-01}]\n",
    ],
)
async def test_what_the_pack_refused_is_tried_again_once_its_rule_allows_it(
    one: Bench, allowing: bytes
) -> None:
    words = "image-allowed (container): the image dark is not on the list"
    refusal = PolicyViolationError(
        (Violation(rule="image-allowed", resource="container", message=words),)
    )
    dark = cores("aa", 1, image="dark")
    one.engine.errors["aa"] = [refusal]
    files(one, dark, policies=LISTED)
    await one.queue.sweep(Demand(cause="look"))
    assert one.row("aa").reason == "POLICY_VIOLATION"
    quiet, waiting = await one.queue.dispatch(Demand(cause="look"))
    assert (len(quiet), waiting) == (1, [])
    files(one, dark, policies=allowing)
    await one.queue.sweep(Demand(cause="look"))
    assert one.row("aa").phase is Phase.RUNNING


async def test_what_a_running_one_was_refused_is_tried_again_too(one: Bench) -> None:
    refusal = PolicyViolationError(
        (Violation(rule="image-allowed", resource="container", message="image-allowed: no"),)
    )
    files(one, cores("aa", 1), policies=LISTED)
    await one.queue.sweep(Demand(cause="look"))
    one.engine.errors["aa"] = [refusal]
    dark = cores("aa", 1, image="dark")
    files(one, dark, policies=LISTED)
    await one.queue.sweep(Demand(cause="look"))
    assert (one.row("aa").phase, one.row("aa").reason) == (Phase.RUNNING, "POLICY_VIOLATION")
    files(one, dark, policies=b"rules:\n  image-allowed: {level: advisory, images: [light]}\n")
    await one.queue.sweep(Demand(cause="look"))
    assert (one.row("aa").phase, one.row("aa").reason) == (Phase.RUNNING, "")


async def test_one_look_keeps_to_the_rules_too(one: Bench) -> None:
    files(one, cores("aa", 9), owners=OWNERS)
    await one.queue.sweep(UP)
    assert not await one.queue.glance("aa", "seen")
    files(one, cores("aa", 1), owners=OWNERS)
    assert await one.queue.glance("aa", "seen")
    await one.phase("aa", Phase.RUNNING)


async def test_advice_is_told_and_stops_nothing(one: Bench) -> None:
    files(one, cores("aa", 9), owners=OWNERS, policies=b"rules: {quota-owner: {level: advisory}}\n")
    (result,) = await one.queue.sweep(UP)
    assert result.ok
    assert result.note.startswith("quota-owner: alice uses 0 of 4 CPU, and aa asks for 9 more. ")


async def test_an_engine_that_is_away_gives_nothing_to_a_refused_owner(one: Bench) -> None:
    files(one, cores("aa", 1), owners=OWNERS)
    await one.queue.sweep(UP)
    files(one, cores("aa", 1, owner="mallory"), owners=OWNERS)
    one.power.failures["inventory"] = [EngineUnavailableError("away")]
    with pytest.raises(EngineUnavailableError):
        await one.queue.sweep(UP)
    assert (one.row("aa").phase, one.row("aa").owner) == (Phase.UNKNOWN, "alice")


async def test_changes_of_the_rule_files_are_seen(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    source = FolderSource(tmp_path, absence=0.0)
    assert not (await source.read()).rules.any
    write(tmp_path, "_owners.yaml", OWNERS.decode())
    read = await source.read()
    assert read.rules.owners is not None
    assert read.ids == {"alice"}
    assert await source.read() is read
    write(tmp_path, "_owners.yaml", "people: 5\n")
    assert (await source.read()).rules.broken
    (tmp_path / "_owners.yaml").unlink()
    assert not (await source.read()).rules.any


async def test_a_rule_file_that_is_being_written_is_no_rule_yet(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    source = FolderSource(tmp_path, settle=0.0)
    (tmp_path / "_owners.yaml").write_bytes(OWNERS)
    source._settle = 60.0  # longer than this test reads: it does not come to rest
    outcome = source._read_once(patient=False)
    assert isinstance(outcome, Snapshot)
    assert outcome.rules.broken
    assert [each.file for each in outcome.rules.problems] == [f"{tmp_path.name}/_owners.yaml"]
    assert "_owners" not in outcome.ids
    assert source._last is None


def published(found: WorkspaceSpec, **more: Any) -> Published:
    return row(Phase.RUNNING, found, spec_json=found.model_dump_json(), **more)


def test_what_stands() -> None:
    stands = partial(standing, prunes=True)
    two, four = cores("ws", 2), cores("ws", 4)
    snapshot = Snapshot(specs={"ws": four})
    assert stands(snapshot, {}, set()) == {}
    assert stands(snapshot, {"ws": published(two)}, set())["ws"].millicores == 2000
    # Of a lost index or one of another release, the file is believed.
    assert stands(snapshot, {}, {"ws"})["ws"].millicores == 4000
    other = replace(published(two), spec_json='{"later": 1}')
    assert stands(snapshot, {"ws": other}, set())["ws"].millicores == 4000
    gone = replace(published(two), phase=Phase.TOMBSTONED)
    assert stands(snapshot, {"ws": gone}, set()) == {}
    assert stands(Snapshot(), {"ws": published(two)}, {"ws"}) == {}, "its file is gone, so it goes"
    broken = Snapshot(invalid={"ws": ()})
    assert stands(broken, {"ws": published(two)}, set())["ws"].millicores == 2000


def test_what_stands_without_a_file_takes_its_share_until_it_goes() -> None:
    left = published(cores("ws", 2))
    stands = partial(standing, Snapshot(), prunes=False)
    assert stands({"ws": left}, set())["ws"].millicores == 2000
    unread = Snapshot(complete=False)
    assert standing(unread, {"ws": left}, set(), prunes=True).keys() == {"ws"}, "nothing goes"
    never_made = replace(left, applied_hash="")
    assert stands({"ws": never_made}, {"ws"}).keys() == {"ws"}
    for each in (never_made, replace(left, phase=Phase.DELETING), replace(left, spec_json="")):
        assert stands({"ws": each}, set()) == {}
    heir = Snapshot(specs={"heir": cores("heir", 2, formerly="ws")})
    assert standing(heir, {"ws": left}, set(), prunes=False) == {}, "it is counted as that one"


async def test_a_file_that_is_taken_away_gives_no_room_while_its_workspace_stands(
    one: Bench,
) -> None:
    files(one, cores("aa", 3), owners=OWNERS)
    await one.queue.sweep(UP)
    files(one, cores("bb", 3), owners=OWNERS)
    (_, refused) = await one.queue.sweep(UP)
    assert (refused.id, refused.ok) == ("bb", False)
    results = await one.queue.sweep(replace(UP, prune=True))
    assert all(result.ok for result in results)
    assert one.row("bb").phase is Phase.RUNNING


def test_files_become_the_rules_values() -> None:
    rules = read_rules(
        b"people: {alice: {logins: {github: A}, quota: {memory: 1Gi}}}\n"
        b"teams: {t: {members: [alice], maintainers: [alice], quota: {cpu: 0.5}}}\n"
        b"approvers: [alice]\nadmins: [alice]\n",
        b"rules: {image-allowed: {level: advisory, images: [a]}, quota-team: {level: off}}\n"
        b"quotas: {owner: {workspaces: 1}, team: {cpu: 1}}\n"
        b"exemptions: [{rule: quota-owner, workspaces: [aa], reason: x, until: 2030-01-01}]\n",
    )
    assert not rules.problems
    assert (owners_of(None), policies_of(None)) == (None, None)
    owners, policies = owners_of(rules.owners), policies_of(rules.policies)
    assert owners is not None
    assert policies is not None
    assert owners.by_login("github", "a") == "alice"
    assert owners.people["alice"].quota.memory == 1 << 30
    assert owners.teams["t"].quota.millicores == 500
    assert owners.teams["t"].maintainers == owners.approvers == owners.admins == {"alice"}
    assert policies.images == ("a",)
    assert policies.levels["image-allowed"] is Level.ADVISORY
    assert policies.levels["quota-team"] is Level.OFF
    assert (policies.owner_quota.workspaces, policies.team_quota.millicores) == (1, 1000)
    assert policies.exemptions[0].workspaces == {"aa"}


def refused_growth() -> Change:
    before, after = cores("ws", 2), cores("ws", 5)
    known = replace(settled(before), row=published(before), spec=after)
    snapshot = Snapshot(specs={"ws": after}, rules=read_rules(OWNERS, None))
    assert known.row is not None
    ruling = consider(Rulebook.of(snapshot), snapshot, {"ws": known.row}, {"ws"}, today=TODAY)
    return ruling.of(Change(known=known, action=Action.REPLACE, spec=after))


def test_a_preview_of_what_is_refused_says_by_which_rule_and_what_was_asked() -> None:
    change = refused_growth()
    assert (change.spec, change.action) == (None, Action.NOTHING)
    told = describe(change)
    assert (told.action, told.reason) == ("blocked", "refused by quota-owner")
    assert [each.path for each in told.details] == ["resources.cpu"]
    assert told.violations[0].mandatory
    assert told.error is not None
    assert told.violations[0].message in told.error["message"]
    assert WorkspaceChange.from_json(told.to_json()) == told
    assert ended(change, change.known.row).reason == "POLICY_VIOLATION"


async def test_a_growth_that_is_refused_waits_for_another_commit(one: Bench) -> None:
    files(one, cores("ws", 2), owners=OWNERS)
    await one.queue.sweep(UP)
    files(one, cores("ws", 5), owners=OWNERS)
    await one.queue.sweep(UP)
    found = judged(
        one.queue.snapshot, {"ws": one.row("ws")}, is_busy=one.queue.is_busy, prunes=True
    )
    assert found.waiting == ()
    assert "quota-owner" in found.failures["ws"]


def test_what_is_interrupted_and_never_made_is_blocked_by_the_rules() -> None:
    after = cores("ws", 5)
    known = Known(id="ws", spec=after, row=row(Phase.PENDING))
    snapshot = Snapshot(specs={"ws": after}, rules=read_rules(BROKEN, None))
    ruling = consider(Rulebook.of(snapshot), snapshot, {}, set(), today=TODAY)
    change = ruling.of(Change(known=known, action=Action.CREATE, spec=after))
    assert change.action is Action.BLOCKED
    assert isinstance(change.error, RulesUnreadableError)
    assert change.problems
    assert ruling.wish(Wish(), {}, snapshot) == Wish()


@pytest.mark.parametrize(
    ("policies", "refused"),
    [(LISTED, True), (b"rules: {image-allowed: {level: advisory, images: [light]}}\n", False)],
)
def test_an_image_is_refused_to_plain_pulumi_too(policies: bytes, *, refused: bool) -> None:
    dark = cores("ws", 1, image="dark")
    snapshot = Snapshot(specs={"ws": dark}, rules=read_rules(None, policies))
    ruling = consider(Rulebook.of(snapshot), snapshot, {}, set(), today=TODAY)
    change = ruling.of(decide(Known(id="ws", spec=dark)))
    error = image_refusal(change)
    assert (error is not None) is refused
    assert error is None or "the image dark is not on the list" in error.message
    assert image_refusal(replace(change, inputs=None)) is None
