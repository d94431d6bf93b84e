"""Decides which home volume a workspace mounts, and whether a new one may be made. Pure.

A home is never healed by making an empty one. A new home is allowed only when every source of
proof says that this workspace never had one; the sources are a list, so that snapshots can join
volume labels and the index. Removing homes will stand here too; nothing removes one yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stacks.errors import HomeMissingError, HomeOwnerError
from stacks.power import HomeVolume
from stacks.programs.inputs import HomeInputs

FIRST_HOME = 1


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What one source knows of earlier homes of one workspace.

    Attributes:
        source: Name for messages, for example ``index``.
        had_home: Whether it knows that a home was made.
        number: Number of the last home, where the source knows it.
    """

    source: str
    had_home: bool
    number: int | None = None


def decide(
    workspace_id: str,
    *,
    owner: str,
    volumes: Sequence[HomeVolume],
    proofs: Iterable[Proof] = (),
    name_prefix: str = "",
) -> HomeInputs:
    """Decide on the home of a workspace.

    Args:
        workspace_id: The workspace.
        owner: Owner in the file, for the label of a new home.
        volumes: The labelled home volumes that are on the engine.
        proofs: What other sources know of earlier homes.
        name_prefix: First part of the volume's name, to name one that is missing.

    Returns:
        The home to render. The newest volume that is there, else a first one.

    Raises:
        HomeMissingError: There was a home, and it is not there.
    """
    known = [proof for proof in proofs if proof.had_home]
    newest = max(volumes, key=lambda volume: volume.number, default=None)
    wanted = max((proof.number or FIRST_HOME for proof in known), default=0)
    if newest is not None and newest.number >= wanted:
        # The label keeps the owner at creation: asking for another would replace the volume.
        return HomeInputs(number=newest.number, owner=newest.owner, exists=True)
    if known:
        raise _missing(workspace_id, f"{name_prefix}{workspace_id}-home-{wanted}", known, wanted)
    return HomeInputs(number=FIRST_HOME, owner=owner, exists=False)


def check_owner(workspace_id: str, *, owner: str, former: str) -> None:
    """Refuse to hand a home that was found again to somebody else.

    Args:
        workspace_id: The workspace.
        owner: Owner in the file.
        former: Whose it was, as far as anything says; "" when nothing does.

    Raises:
        HomeOwnerError: It was another's.
    """
    if former and former != owner:
        raise HomeOwnerError(
            f"the home of {workspace_id} belonged to {former}, and its file says {owner}",
            step="home",
        )


def _missing(
    workspace_id: str, volume: str, known: Sequence[Proof], number: int
) -> HomeMissingError:
    sources = ", ".join(proof.source for proof in known)
    return HomeMissingError.of(
        workspace_id,
        volume,
        f"home {number} of {workspace_id}, the volume {volume}, is not on this engine "
        f"(known from: {sources})",
    )
