"""What a folder says, as one side of a review; and what the files beside workspaces' add to it. Pure.

Defaults and generators say what workspaces are, so those of head count, as its workspace files do. Owners
and policies say what workspaces may be, so those of base do.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from spec.files import FolderRead
from spec.shared import Kind, kind
from stacks.review.model import Fleet

NAMED = 5
"""Files that a note names; of the others the number is told."""
SAYS_WHAT_IS: frozenset[Kind] = frozenset({"defaults", "generators"})


def fleet(found: FolderRead, *, absent: str = "") -> Fleet:
    """Give what a folder says as one side of a review."""
    return Fleet(
        specs=found.specs,
        invalid={id_: tuple(problems) for id_, problems in found.invalid.items()},
        owners=found.owners,
        formerly=found.formerly,
        revisions=found.revisions,
        origins=found.origins,
        problems=found.shared_problems,
        doubt=found.doubt,
        absent=absent,
    )


def with_unread(base: FolderRead, head: Fleet, read: FolderRead) -> Fleet:
    """Give head with what base made of generators that can't be read whole any more: wrong, not gone.

    Args:
        base: What the folder says on base.
        head: What it says on head.
        read: The same, as it was read.
    """
    lost = {
        id_: problems
        for id_, origin in base.origins.items()
        if id_ not in head.ids
        for file, problems in read.unread.items()
        if origin.generated and (origin.file == file or origin.file.startswith(f"{file}/"))
    }
    owners = {id_: base.specs[id_].owner for id_ in lost if id_ in base.specs}
    return replace(head, invalid={**lost, **head.invalid}, owners={**owners, **head.owners})


def changed_rules(names: Iterable[str]) -> tuple[str, ...]:
    """Name what is judged by itself of what a branch changes: files of owners, of rules, templates."""
    hidden = (name for name in sorted(names) if name.startswith("_"))
    return tuple(name for name in hidden if kind(name) not in SAYS_WHAT_IS)


def notes(changed: Collection[str], both: Collection[str]) -> Iterator[str]:
    """Say what changed beside the workspace files.

    Args:
        changed: Names that the branch changes.
        both: Those of them that base changed too, otherwise.
    """
    hidden = [name for name in sorted(changed) if name.startswith("_")]
    if rules := [name for name in hidden if kind(name) is None]:
        yield f"changes {_few(rules)}: that counts once it is merged, and not for this review"
    if said := [name for name in hidden if kind(name) in SAYS_WHAT_IS]:
        yield f"changes {_few(said)}: what that does to each workspace is told here"
    if templates := [name for name in hidden if kind(name) == "templates"]:
        yield f"changes {_few(templates)}: for new workspaces; none that is there changes by that"
    if moved := [name for name in sorted(both) if kind(name) is not None]:
        yield f"base has changed {_few(moved)} too since the branch began: merge or rebase first"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
