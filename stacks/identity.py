"""Decides which home a workspace gets: by file, volumes, index and Pulumi's state together. Pure.

`stacks.homes` decides over volumes and proofs; here is what makes it this workspace's: former ids,
owners, and what someone typed to have a home adopted or made anew.
"""

import re

from spec import WorkspaceSpec
from stacks import homes, renames
from stacks.errors import HomeMissingError
from stacks.homes import Proof
from stacks.planned import GONE, Known, Wish
from stacks.programs.inputs import LABEL_OWNER, HomeInputs
from state_index.models import Published
from state_index.phases import Phase

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
    """
    renames.check(known)
    if is_found_again(known, spec) and not wish.adopt:
        homes.check_owner(known.id, owner=spec.owner, former=former_owner(known))
    try:
        return homes.decide(
            known.id,
            owner=spec.owner,
            volumes=known.homes,
            proofs=proofs(known),
            name_prefix=name_prefix,
            made_as=spec.formerly or known.id,
        )
    except HomeMissingError as error:
        if wish.new_home:
            return HomeInputs(number=error.number + 1, owner=spec.owner)
        if remedy := renames.hint(known):
            error.remedy = f"{remedy[:1].upper()}{remedy[1:]}."
        raise


def proofs(known: Known) -> tuple[Proof, ...]:
    """Give all that says that there was a home."""
    mounted = known.container.home if known.container else ""
    return (
        *known.proofs,
        *renames.proof(known),
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
    """Tell whose its home was: by a container, a row, else the volume, which knows only the first."""
    home = known.homes[-1]
    labels = [known.container.labels] if known.container else []
    row = known.row
    if known.former is not None and home.workspace == known.former.id:
        mine = [found.labels for found in [known.container] if found and found.home == home.name]
        labels = [*mine, *(found.labels for found in known.former.containers)]
        row = known.row if mine else known.former.row or known.row
    told = next((owner for each in labels if (owner := each.get(LABEL_OWNER))), "")
    # A row that was never applied says whom a file named, which proves nothing.
    return told or (row.owner if row and row.applied_hash else "") or home.owner
