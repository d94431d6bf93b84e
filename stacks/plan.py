"""Compares what the files ask for with what is published and what is there. Pure.

    desired (files), published (index), inventory (engine) → one `Change` per workspace

Nothing is read or done here, so every combination can be tested. Most changes are `NOTHING`: an
unchanged workspace is known by two hashes (`stacks.rendering`), without asking Pulumi. The values
that go in and come out are in `stacks.planned`; whether it shall run, in `stacks.wishes`.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from spec import WorkspaceSpec
from stacks import drifting, identity, renames, retries, tombstones
from stacks.errors import HomeMissingError, InvalidFileError, StacksError
from stacks.homes import Proof
from stacks.identity import HOME_REFUSALS
from stacks.ledger_entries import UNREADABLE, Entries, torn_homes
from stacks.planned import GONE, Action, Change, Known, Wish
from stacks.power import Inventory
from stacks.programs.inputs import LABEL_SPEC_HASH, LABEL_TREE
from stacks.rendering import Facts, desired_hash, render
from stacks.source import Snapshot
from stacks.wishes import is_settled, last_wish, switched, wants_on
from state_index.models import Published
from state_index.phases import Phase, Sync

__all__ = [
    "GONE",
    "Action",
    "Change",
    "Known",
    "Wish",
    "is_settled",
    "last_wish",
    "plan",
    "plan_one",
    "wants_on",
]

UNFINISHED = frozenset({Phase.PROVISIONING, Phase.UPDATING})
_INTERRUPTED = (
    dict.fromkeys(UNFINISHED, "its update was interrupted")
    | dict.fromkeys(GONE, "the index says that it was removed, and its container is there")
    | {Phase.DELETING: "its removal was interrupted"}
)


def plan(
    *,
    snapshot: Snapshot,
    published: Mapping[str, Published],
    inventory: Inventory,
    facts: Facts,
    wish: Wish,
    entries: Entries | None,
    proofs: Mapping[str, tuple[Proof, ...]] | None = None,
    purged: Collection[str] = (),
) -> dict[str, Change]:
    """Give one change per workspace that has a file, a row or a container.

    Args:
        snapshot: What the folder says.
        published: What the index says, by id.
        inventory: What the engine has.
        facts: What is the same for all.
        wish: What is asked beyond the files.
        entries: What the ledger of graces says; None where it can't be read.
        proofs: What other sources know of homes, by id.
        purged: Former ids of which the history tells that their home was removed.
    """
    heirs = renames.heirs(snapshot, published, inventory.containers.values())
    mounting = renames.mounting(inventory.containers.values())
    changes, torn = {}, torn_homes(entries or {})
    successors = renames.successors(published.values(), inventory.homes.keys())
    for id_ in sorted(_ids(snapshot, published, inventory, heirs)):
        former = renames.former_among(
            snapshot.specs.get(id_),
            published,
            inventory,
            snapshot,
            holders=mounting,
            heritage=successors,
        )
        before = renames.former_id(published.get(id_))
        known = Known(
            id=id_,
            spec=snapshot.specs.get(id_),
            row=published.get(id_),
            container=inventory.containers.get(id_),
            homes=renames.merged(inventory.homes.get(id_, ()), former),
            former=former,
            former_left=_left(before, published, inventory),
            former_gone=before in purged,
            heir=heirs.get(id_, ""),
            successors=successors.get(id_, ()),
            proofs=(proofs or {}).get(id_, ()),
            entry=UNREADABLE if entries is None else entries.get(id_),
            torn=torn,
            wanted=wish.last.get(id_),
            asked=wish.asked.get(id_),
            fileless=snapshot.lacks(id_),
            before=wish.before.get(id_),
        )
        changes[id_] = plan_one(known, snapshot=snapshot, facts=facts, wish=wish)
    return changes


def _ids(
    snapshot: Snapshot,
    published: Mapping[str, Published],
    inventory: Inventory,
    heirs: Mapping[str, str],
) -> frozenset[str]:
    ids = snapshot.ids.union(published, inventory.containers)
    if not snapshot.complete:
        return ids
    # Of a lost index: their grace begins. What was renamed is not left behind.
    return ids.union(inventory.homes.keys() - heirs.keys())


def _left(former: str, published: Mapping[str, Published], inventory: Inventory) -> bool:
    return former in published or former in inventory.homes


def plan_one(known: Known, *, snapshot: Snapshot, facts: Facts, wish: Wish) -> Change:
    """Decide on one workspace."""
    change = _decided(known, snapshot=snapshot, facts=facts, wish=wish)
    stands = known.id in snapshot.ids or known.container is not None
    return replace(change, wanted_again=stands or change.action is Action.RETIRE)


def _decided(known: Known, *, snapshot: Snapshot, facts: Facts, wish: Wish) -> Change:
    if known.spec is not None and not tombstones.is_half_removed(known):
        return _with_file(known, known.spec, facts=facts, wish=wish)
    change = Change(known=known, action=Action.NOTHING, sync=_sync(known))
    if known.id in snapshot.pending:
        return as_it_is(known, replace(change, reason="its file is being written"))
    if known.id in snapshot.invalid:
        problems = snapshot.invalid[known.id]
        told = f"its file has {len(problems)} problem{'s' if len(problems) > 1 else ''}"
        invalid = replace(change, action=Action.INVALID, sync=Sync.INVALID, reason=told)
        claimed = snapshot.owners.get(known.id, "")
        return as_it_is(known, replace(invalid, problems=problems, claimed=claimed))
    if (known.heir or wish.retire) and not wish.remove:
        left = renames.left_behind(known, change, retire=wish.retire)
        return left if wish.retire or known.phase in GONE else as_it_is(known, left)
    return _without_file(known, change, snapshot=snapshot, wish=wish)


def _without_file(known: Known, change: Change, *, snapshot: Snapshot, wish: Wish) -> Change:
    row = known.row
    kept = tombstones.decide(known, change, snapshot=snapshot, wish=wish)
    if kept is not None or known.phase in GONE:
        return kept or change
    # Also where the engine went away in the middle of it.
    if Phase.DELETING in {known.phase, known.before} or wish.remove:
        return replace(change, action=Action.DELETE, reason="its removal was asked for")
    if snapshot.blind:
        return as_it_is(known, replace(change, reason=f"the files are unknown: {snapshot.error}"))
    change = replace(change, sync=Sync.OUT_OF_SYNC, reason="its file is gone")
    never_made = row is not None and not row.applied_hash and not known.container
    if never_made and not known.homes and snapshot.complete:
        return replace(change, action=Action.FORGET)
    if wish.prune and snapshot.complete:
        return replace(change, action=Action.DELETE, prunes=True)
    told = "its file is gone; remove it with `codehub destroy` or `--prune`"
    if wish.prune:
        told = f"its file is gone, but it is kept: {snapshot.error}"
    return as_it_is(known, replace(change, reason=told))


def as_it_is(known: Known, change: Change) -> Change:
    """Leave the shape alone, for no file says what it should be; on and off still work."""
    if known.row is None or known.phase in GONE:
        return change
    if not (known.row.applied_hash or _is_to_be_told(known)):
        return change
    if known.container is None:
        return _interrupted(known, change)
    if known.phase is Phase.ERROR and known.asked is None:
        return change
    label = known.container.labels.get(LABEL_SPEC_HASH, "")
    on = wants_on(known, known.row.pinned)
    if not known.row.applied_hash and known.asked is None:
        on = known.running  # found, not made: only what it does is told
    return switched(known, replace(change, spec_hash=label, on=on))


def _is_to_be_told(known: Known) -> bool:
    """Whether a container of which the index lost all is asked for, or can be seen again."""
    news = known.asked is not None or known.phase is Phase.UNKNOWN
    return news and known.container is not None


def _interrupted(known: Known, change: Change) -> Change:
    """Say that work cannot go on, when its phase promises that it does."""
    if known.phase not in UNFINISHED | {Phase.STARTING, Phase.STOPPING}:
        return change
    error = InvalidFileError(
        f"the work on {known.id} was interrupted and cannot go on: {change.reason}", step="plan"
    )
    return replace(change, action=Action.BLOCKED, error=error)


def _sync(known: Known) -> Sync:
    if known.row is None or (known.fileless and known.row.sync is Sync.INVALID):
        return Sync.OUT_OF_SYNC
    return known.row.sync


def _with_file(known: Known, spec: WorkspaceSpec, *, facts: Facts, wish: Wish) -> Change:
    try:
        home = identity.home_of(known, spec, name_prefix=facts.name_prefix, wish=wish)
    except HOME_REFUSALS as error:
        return _blocked(known, spec, error)
    inputs = render(spec, facts=facts, home=home)
    change = Change(
        known=known,
        action=Action.NOTHING,
        spec=spec,
        inputs=inputs,
        spec_hash=inputs.spec_hash,
        desired_hash=desired_hash(inputs, facts.versions),
        takes=inputs.volume if inputs.home.exists and inputs.volume in known.torn else "",
        on=wants_on(known, spec.state) or drifting.was_stopped(known, spec),
    )
    is_free = wish.force or known.id in wish.freed
    if retries.is_held(known, change.desired_hash) and not is_free:
        return _failed(known, change)
    if drifting.is_going(known) and known.asked is None and not wish.force:
        return replace(change, sync=_sync(known), reason="its container is being removed right now")
    change = replace(change, retires=renames.to_retire(known))
    shape = drifting.left_alone(known, _shape(known, change), wish)
    if shape.action.needs_pulumi:
        return _stopped_first(known, shape)
    if known.container is None:
        return shape
    return drifting.onward(known, shape, wish)


def _failed(known: Known, change: Change) -> Change:
    """Wait for another file; what runs by the former one is started and stopped as ever."""
    if known.row is None or known.phase is Phase.ERROR:
        return replace(change, sync=Sync.OUT_OF_SYNC, reason="it failed; a change is waited for")
    told = known.row.message
    left = Change(known=known, action=Action.NOTHING, sync=Sync.OUT_OF_SYNC, reason=told)
    return as_it_is(known, left)


def _blocked(known: Known, spec: WorkspaceSpec, error: StacksError) -> Change:
    """Say why its home stands in the way; whoever wants it stopped is served all the same."""
    # Another's home: neither row nor engine may take owner or former id over from the file.
    # One that was never brought up may not be its home's either, should that come back.
    told = spec if isinstance(error, HomeMissingError) and not known.new else None
    claimed = spec.owner if isinstance(error, HomeMissingError) else ""
    change = Change(
        known=known, action=Action.BLOCKED, sync=Sync.OUT_OF_SYNC, error=error, claimed=claimed
    )
    change = replace(change, reason=error.message, spec=told, on=wants_on(known, spec.state))
    return _stopped_first(known, change)


def _stopped_first(known: Known, change: Change) -> Change:
    """Only stop it when that is asked: what keeps its shape from being made right must wait."""
    if known.asked is not False or change.on or not known.running:
        return change
    if known.phase in _INTERRUPTED:
        return change  # the phase alone says that there is work to be taken up
    # Without the file, which was not applied.
    return Change(known=known, action=Action.STOP, sync=Sync.OUT_OF_SYNC, reason=change.reason)


def _shape(known: Known, change: Change) -> Change:
    """Decide on create, update or replace."""
    row, container, same = known.row, known.container, change
    change = replace(change, sync=Sync.OUT_OF_SYNC)
    if container is None:
        told = "it is new" if known.new else "its container is gone"
        if change.retires:
            told = f"it was {', '.join(sorted(change.retires))}"
        # New to the index is not new to Pulumi: its state may outlive an index that was lost.
        created = replace(change, action=Action.CREATE, reason=told, refresh=True)
        return drifting.missing(known, created)
    if container.labels.get(LABEL_SPEC_HASH) != change.spec_hash:
        # Pulumi does not see labels when it refreshes: it would take a foreign one for its own.
        # Where the file is as it was, only a refresh tells it that its own container is gone.
        foreign = row is not None and row.applied_hash == change.desired_hash
        told = "its container is another's" if foreign else "its file changed"
        if change.inputs and container.labels.get(LABEL_TREE, "") != change.inputs.tree:
            told = "its container is not marked as this data tree's"
        replaced = replace(change, action=Action.REPLACE, reason=told, refresh=foreign)
        return drifting.foreign(known, replaced, container) if foreign else replaced
    if row is None or not row.applied_hash:
        return replace(change, action=Action.UPDATE, reason="the index does not know it")
    if row.applied_hash != change.desired_hash:
        return replace(change, action=Action.UPDATE, reason="its limits or our program changed")
    if row.phase in _INTERRUPTED:
        return replace(change, action=Action.UPDATE, reason=_INTERRUPTED[row.phase])
    return drifting.shaped(known, same, container)
