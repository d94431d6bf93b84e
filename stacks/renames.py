"""Decides what a renamed workspace takes over, and from whom. Pure.

A file's `formerly` names the id under which its home was made: volumes keep their names and labels,
so the home is mounted by another id than it carries. Of all that had it before, nothing may be left
when the new container is made: two containers in one home would write over each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from spec import WorkspaceSpec
from stacks.errors import FormerStandsError, HomeConflictError, StacksError
from stacks.homes import Proof
from stacks.planned import GONE, Action, Change, Former, Known
from stacks.power import Container, HomeVolume, Inventory
from stacks.programs.inputs import LABEL_FORMERLY, LABEL_PREFIX
from stacks.source import Snapshot
from state_index.models import Published


def former_id(row: Published | None) -> str:
    """Tell which former id a row's file named when it was last worked on, "" for none."""
    return row.formerly if row is not None else ""


def heirs(
    snapshot: Snapshot, rows: Mapping[str, Published], containers: Iterable[Container]
) -> dict[str, str]:
    """Tell which workspace has a former id's home now, by former id.

    A file that is wrong just now, or being written, gives up nothing: what it said before counts,
    and so does what its container mounts.
    """
    found = {
        former: each.workspace
        for each in containers
        if (former := each.labels.get(LABEL_FORMERLY)) and each.workspace
    }
    unclear = (snapshot.ids - snapshot.specs.keys()) & rows.keys()
    found |= {former: id_ for id_ in sorted(unclear) if (former := former_id(rows[id_]))}
    return found | dict(snapshot.heirs)


def successors(
    rows: Iterable[Published], homes: Collection[str]
) -> dict[str, tuple[Published, ...]]:
    """Give the rows of what was renamed, by the id that each had before.

    Args:
        rows: What is published.
        homes: Workspaces that have a home of their own: what is said of them is said of that.
    """
    found: dict[str, tuple[Published, ...]] = {}
    for row in rows:
        before = former_id(row)
        if before not in {"", row.id} and row.id not in homes:
            found[before] = (*found.get(before, ()), row)
    return found


def was_removed(known: Known) -> bool:
    """Whether somebody had what was renamed from it removed: all of it, where there is more than one."""
    return bool(known.successors) and all(
        row.phase in GONE and (row.removal or row.grace_end is not None) for row in known.successors
    )


def mounting(containers: Iterable[Container]) -> dict[str, list[Container]]:
    """Give the containers that mount a former id's home, by that id."""
    found: dict[str, list[Container]] = {}
    for each in containers:
        if id_ := each.labels.get(LABEL_FORMERLY):
            found.setdefault(id_, []).append(each)
    return found


def former(
    spec: WorkspaceSpec | None,
    *,
    row: Published | None,
    container: Container | None,
    homes: tuple[HomeVolume, ...],
    holders: Iterable[Container],
    snapshot: Snapshot,
    successors: tuple[Published, ...] = (),
) -> Former | None:
    """Gather what a file's former id still has; None when there is no file.

    A file that names none is its own former self: it may have had another name meanwhile.

    Args:
        spec: The file.
        row: What is published of the former id.
        container: The container of the former id.
        homes: The homes made under the former id.
        holders: Containers that may mount one of these.
        snapshot: What the folder says.
        successors: What is published of workspaces that were renamed from the former id.
    """
    if spec is None:
        return None
    names = {home.name for home in homes}
    others = {each.workspace: each for each in holders if each.home in names and _is_ours(each)}
    if container is not None:
        others[container.workspace] = container
    others.pop(spec.id, None)
    return Former(
        id=spec.formerly or spec.id,
        row=row if spec.formerly else None,
        homes=homes if spec.formerly else (),
        containers=tuple(others[id_] for id_ in sorted(others)),
        standing=frozenset(others) & snapshot.ids,
        successors=successors,
    )


def former_among(
    spec: WorkspaceSpec | None,
    published: Mapping[str, Published],
    inventory: Inventory,
    snapshot: Snapshot,
    *,
    holders: Mapping[str, Sequence[Container]],
    heritage: Mapping[str, tuple[Published, ...]],
) -> Former | None:
    """Gather the same from all that is known; with a container of its own, a takeover is done.

    Args:
        spec: The file.
        published: What the index says, by id.
        inventory: What the engine has.
        snapshot: What the folder says.
        holders: As `mounting`.
        heritage: As `successors`.
    """
    if spec is None or (spec.formerly is None and spec.id in inventory.containers):
        return None
    id_ = spec.formerly or spec.id
    return former(
        spec,
        row=published.get(id_),
        container=inventory.containers.get(id_),
        homes=inventory.homes.get(id_, ()),
        holders=holders.get(id_, ()),
        snapshot=snapshot,
        successors=heritage.get(id_, ()),
    )


def _is_ours(found: Container) -> bool:
    """Whether it is a workspace's own container, rather than one that somebody made to look."""
    return found.name == f"{found.labels.get(LABEL_PREFIX, '')}{found.workspace}"


def merged(own: tuple[HomeVolume, ...], former: Former | None) -> tuple[HomeVolume, ...]:
    """Give all homes that a workspace may mean, the one that counts last.

    A home of its own with a higher number was made because the former id's was gone.
    """
    if former is None:
        return own
    ids = (former.id,)
    return tuple(
        sorted([*own, *former.homes], key=lambda home: (home.number, home.workspace not in ids))
    )


def check(known: Known) -> None:
    """Refuse to mount a home of which it is not clear that it is this workspace's.

    Raises:
        FormerStandsError: What has the home has a file too.
        HomeConflictError: The workspace has a home of its own besides.
    """
    refusal = _refusal(known)
    if refusal is not None:
        raise refusal


def _refusal(known: Known) -> StacksError | None:
    former = known.former
    if former is None:
        return None
    if former.standing:
        others = " and ".join(sorted(former.standing))
        told = f"{others} has the home of {former.id}, and a file of its own"
        return FormerStandsError(f"{told}; the file of {known.id} names it too", step="home")
    own = [home for home in known.homes if home.workspace == known.id]
    if own and former.homes and own[-1].number <= former.homes[-1].number:
        return HomeConflictError(
            f"{known.id} has a home of its own, {own[-1].name}, and its file says that it was "
            f"formerly {former.id}, which has {former.homes[-1].name}",
            step="home",
        )
    return None


def proof(known: Known) -> tuple[Proof, ...]:
    """Give the file itself as a source: who names a former id says that there was a home."""
    if not _is_renamed(known):
        return ()
    assert known.former is not None
    return (Proof(source=f"`formerly: {known.former.id}` in its file", had_home=True),)


def hint(known: Known) -> str:
    """Say whose home is meant, where the former id never had one of its own; else ""."""
    former = known.former
    if former is None or former.homes or not _is_renamed(known):
        return ""
    labels = next((each.labels for each in former.containers if each.workspace == former.id), {})
    origin = labels.get(LABEL_FORMERLY, "") or former_id(former.row)
    return f"{former.id} had the home of {origin}: write `formerly: {origin}`" if origin else ""


def to_retire(known: Known) -> frozenset[str]:
    """Tell which workspaces must be gone before this one mounts the home."""
    former = known.former
    if former is None:
        return frozenset()
    mounts = {each.workspace for each in former.containers}
    return frozenset(mounts | ({former.id} if former.row is not None else set()))


def in_progress(change: Change) -> str:
    """Tell which id a workspace was renamed from, as long as that is not done; else ""."""
    known = change.known
    if change.retires:
        return ", ".join(sorted(change.retires))
    blocked = change.action is Action.BLOCKED and known.new and known.former is not None
    return known.former.id if blocked and known.former and _is_renamed(known) else ""


def _is_renamed(known: Known) -> bool:
    return known.former is not None and known.former.id != known.id


def left_behind(known: Known, change: Change, *, retire: str) -> Change:
    """Decide on a workspace without a file whose home is another's by now.

    Args:
        known: What is known of it; `known.heir` is whose.
        change: To be filled in.
        retire: Who is about to take the home over, "" if nobody is.
    """
    told = f"it was renamed: it is {retire or known.heir} now"
    if known.row is None and known.container is None:
        return replace(change, action=Action.FORGET, reason=told)  # done already
    if retire:
        return replace(change, action=Action.RETIRE, reason=told)
    return replace(change, reason=told)
