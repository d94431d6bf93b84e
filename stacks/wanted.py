"""Reads what a call to the daemon asks for, strictly. Pure; `stacks.api` serves it."""

import json
from dataclasses import dataclass

from stacks.errors import BadRequestError

KINDS = (
    "up",
    "preview",
    "destroy",
    "start",
    "stop",
    "retry",
    "purge",
    "adopt",
    "new-home",
    "rebuild",
    "gc",
)
FOR_ALL = frozenset({"up", "preview", "rebuild", "gc"})
"""Those that need no id."""

LOOKS = frozenset({"preview", "gc"})
"""Those that bring no workspace to anything."""

ACTOR_MAX = 128
"""Characters of an actor's name: what the index holds."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a call asks for.

    Attributes:
        kind: One of `KINDS`.
        ids: Workspaces; None for all.
        prune: Whether `up` removes workspaces whose file is gone; None for the setting.
        max_delete: Most workspaces that `up` may prune; None for the rule.
        confirm: The id once more, of a workspace whose home is to be purged, adopted or made anew.
        owner: Who gets an adopted home, as was told before; "" where nothing was.
        forget_missing: Whether a home that is not on this engine may be forgotten by a purge.
        actor: Who asks, for the history; the socket's mode is why it is believed.
        remove: Whether `gc` removes what it finds.
        only: Keys of the leftovers that it is to remove; None for all.
    """

    kind: str
    ids: tuple[str, ...] | None = None
    prune: bool | None = None
    max_delete: int | None = None
    confirm: str = ""
    owner: str = ""
    forget_missing: bool = False
    actor: str = ""
    remove: bool = False
    only: tuple[str, ...] | None = None


def parse(body: bytes) -> Wanted:
    """Read a call's body.

    Raises:
        BadRequestError: It is not what it should be.
    """
    try:
        data = json.loads(body)
        kind, ids = data["kind"], data.get("ids")
        options = data.get("options", {})
        prune, actor = options.get("prune"), options.get("actor", "")
        most, confirm = options.get("max_delete"), options.get("confirm", "")
        owner, missing = options.get("owner", ""), options.get("forget_missing", False)
        remove, only = options.get("remove", False), options.get("only")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise BadRequestError('the body must be {"kind": ..., "ids": [...]}') from None
    if kind not in KINDS:
        raise BadRequestError(f"kind must be one of {', '.join(KINDS)}")
    if ids is not None and not _are_texts(ids):
        raise BadRequestError("ids must be a list of workspace ids")
    if kind not in FOR_ALL and (ids is None or len(ids) != 1):
        raise BadRequestError(f"{kind} takes exactly one id")
    if not isinstance(prune, bool | None):
        raise BadRequestError("options.prune must be true or false")
    _check_removal(most, missing)
    _check_typed(confirm, owner)
    if remove not in (True, False) or not (only is None or _are_texts(only)):
        raise BadRequestError("options.remove must be true or false, options.only a list of keys")
    if not isinstance(actor, str) or len(actor) > ACTOR_MAX:
        raise BadRequestError(f"options.actor must be a name of at most {ACTOR_MAX} characters")
    return Wanted(
        kind=kind,
        ids=None if ids is None else tuple(ids),
        prune=prune,
        max_delete=most,
        confirm=confirm,
        owner=owner,
        forget_missing=missing,
        actor=actor,
        remove=remove,
        only=None if only is None else tuple(only),
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _check_typed(confirm: object, owner: object) -> None:
    if not isinstance(confirm, str):
        raise BadRequestError("options.confirm must be a workspace's id")
    if not isinstance(owner, str):
        raise BadRequestError("options.owner must be a name")


def _check_removal(most: object, missing: object) -> None:
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise BadRequestError("options.max_delete must be a number of workspaces")
    if not isinstance(missing, bool):
        raise BadRequestError("options.forget_missing must be true or false")
