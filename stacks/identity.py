"""Decides which home a workspace gets: by file, volumes, index and Pulumi's state together. Pure.

`stacks.homes` decides over volumes and proofs; here is what makes it this workspace's: former ids,
owners, and what someone typed to have a home adopted or made anew.
"""

import re

from spec import WorkspaceSpec
from stacks import homes, renames
from stacks.errors import (
    FormerStandsError,
    HomeConflictError,
    HomeMissingError,
    HomeOwnerError,
    HomePartlyRemovedError,
    LedgerError,
)
from stacks.homes import Proof
from stacks.planned import GONE, Former, Known, Wish
from stacks.programs.inputs import LABEL_OWNER, HomeInputs
from state_index.models import Published
from state_index.phases import Phase

HOME_REFUSALS = (
    HomeMissingError,
    HomePartlyRemovedError,
    HomeOwnerError,
    FormerStandsError,
    HomeConflictError,
    LedgerError,
)
"""What `home_of` raises."""

_NUMBER = re.compile(r"-home-([0-9]{1,9})$")


def home_of(known: Known, spec: WorkspaceSpec, *, name_prefix: str, wish: Wish) -> HomeInputs:
    """Decide on the home of a workspace that has a file.

    Args:
        known: What is known of it.
        spec: The file.
        name_prefix: First part of names on the engine.
        wish: What someone typed: `adopt`, `new_home`.

    Raises:
        HomeMissingError: There was a home, and it is not there.
        HomeOwnerError: It was found again, and belonged to another.
        FormerStandsError: It is named as a former id's, and somebody else has it.
        HomeConflictError: The same, and the workspace has one of its own besides.
        HomePartlyRemovedError: Its removal had begun.
        LedgerError: Whether that is so is not known.
    """
    renames.check(known)
    if is_found_again(known, spec) and wish.adopt != spec.owner:
        homes.check_owner(known.id, owner=spec.owner, former=former_owner(known))
    try:
        home = homes.decide(
            known.id,
            owner=spec.owner,
            volumes=known.homes,
            proofs=proofs(known),
            name_prefix=name_prefix,
            made_as=spec.formerly or known.id,
        )
        return _whole(known, home, spec, wish=wish) if home.exists else home
    except HomeMissingError as error:
        if wish.new_home:
            return HomeInputs(number=error.number + 1, owner=spec.owner)
        if remedy := renames.hint(known):
            error.remedy = f"{remedy[:1].upper()}{remedy[1:]}."
        raise


def _whole(known: Known, home: HomeInputs, spec: WorkspaceSpec, *, wish: Wish) -> HomeInputs:
    """Refuse a home that may be half empty, unless someone typed what to do with it."""
    made_as = home.workspace or known.id
    name = next(
        it.name for it in known.homes if (it.number, it.workspace) == (home.number, made_as)
    )
    if name in known.torn and wish.new_home:
        return HomeInputs(number=home.number + 1, owner=spec.owner)
    if name in known.torn and wish.adopt != spec.owner:
        raise HomePartlyRemovedError.of(known.id, name, home.number)
    unknown = known.entry is not None and not known.entry.readable
    if unknown and known.new and known.container is None:
        raise LedgerError(
            f"whether {name} is whole is not known: the ledger of graces can't be read"
        )
    return home


def proofs(known: Known) -> tuple[Proof, ...]:
    """Give all that says that there was a home."""
    mounted = known.container.home if known.container else ""
    return (
        *known.proofs,
        *renames.proof(known),
        named("the ledger of graces", tuple(known.entry.unseen) if known.entry else ()),
        named("Pulumi's state", known.recorded),
        named("its container", (mounted,) if mounted else ()),
    )


def named(source: str, volumes: tuple[str, ...]) -> Proof:
    """Give the proof that names of volumes are."""
    numbers = [number_of(name) for name in volumes]
    known = [number for number in numbers if number is not None]
    # A volume under another name is no home of ours; someone put it there.
    return Proof(source=source, had_home=bool(known), number=max(known, default=None))


def number_of(volume: str) -> int | None:
    """Give the number in a home volume's name; None when it is no such name."""
    match = _NUMBER.search(volume)
    return int(match.group(1)) if match else None


def is_found_again(known: Known, spec: WorkspaceSpec) -> bool:
    """Whether its home is known from a tombstone or the engine only, not from this file before."""
    row = known.row
    if row is not None and not _is_given_up(row) and (row.applied_hash or row.spec_json):
        return bool(known.homes) and renames.former_id(row) != (spec.formerly or "")
    return bool(known.homes)


def _is_given_up(row: Published) -> bool:
    """Whether it was removed, or was being so: its file comes back as that of a stranger."""
    return row.phase in GONE | {Phase.DELETING} or row.grace_end is not None


def owner_before(known: Known) -> str:
    """Tell whose a workspace was, where its file names another owner; else ""."""
    spec, row = known.spec, known.row
    if spec is None:
        return ""
    if is_found_again(known, spec):
        before = former_owner(known)
    else:
        before = row.owner if row is not None and row.applied_hash else ""
    return before if before != spec.owner else ""


def former_owner(known: Known) -> str:
    """Tell whose its home was: by a container, a row, else the volume, which knows only the first.

    Of a former id the row may be forgotten, as it was renamed: then the rows of what it became count.
    """
    home = known.homes[-1]
    labels = [known.container.labels] if known.container else []
    rows = [known.row]
    if known.former is not None and home.workspace == known.former.id:
        mine = [found.labels for found in [known.container] if found and found.home == home.name]
        labels = [*mine, *(found.labels for found in known.former.containers)]
        if not mine:
            rows = [known.former.row, _latest(known.former), known.row]
    told = next((owner for each in labels if (owner := each.get(LABEL_OWNER))), "")
    # A row that was never applied says whom a file named, which proves nothing.
    return told or next((row.owner for row in rows if row and row.applied_hash), "") or home.owner


def _latest(former: Former) -> Published | None:
    """Give the row of who had a former id's home last."""
    applied = [row for row in former.successors if row.applied_hash]
    return max(applied, key=lambda row: row.since, default=None)
