"""Reads what a call to the daemon asks for, strictly. Pure; `stacks.api` serves it."""

import json
from dataclasses import dataclass

from stacks.asking import Revision
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
    "rollback",
    "diff",
)
FOR_ALL = frozenset({"up", "preview", "rebuild", "gc"})
"""Those that need no id."""

LOOKS = frozenset({"preview", "gc", "diff"})
"""Those that bring no workspace to anything."""

WORDS_MAX = {"to": 200, "message": 4000}
"""Characters of what a rollback is told."""

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
        revision: The commit that `up` is to apply; None for the one that counts.
        now: Whether `up` waits for no sync window.
        confirm: The id once more, of a workspace whose home is to be purged, adopted or made anew.
        owner: Who gets an adopted home, as was told before; "" where nothing was.
        forget_missing: Whether a home that is not on this engine may be forgotten by a purge.
        actor: Who asks, for the history; the socket's mode is why it is believed.
        remove: Whether `gc` removes what it finds.
        only: Keys of the leftovers that it is to remove; None for all.
        to: The version that a file is to have again.
        message: Why, for the commit.
    """

    kind: str
    ids: tuple[str, ...] | None = None
    prune: bool | None = None
    max_delete: int | None = None
    revision: Revision | None = None
    now: bool = False
    confirm: str = ""
    owner: str = ""
    forget_missing: bool = False
    actor: str = ""
    remove: bool = False
    only: tuple[str, ...] | None = None
    to: str = ""
    message: str = ""


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
        now = options.get("now", False)
        remove, only = options.get("remove", False), options.get("only")
        words = {name: options.get(name, "") for name in WORDS_MAX}
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
    _check_removal(most, missing, now)
    _check_typed(confirm, owner)
    _check_words(words)
    if remove not in (True, False) or not (only is None or _are_texts(only)):
        raise BadRequestError("options.remove must be true or false, options.only a list of keys")
    if not isinstance(actor, str) or len(actor) > ACTOR_MAX:
        raise BadRequestError(f"options.actor must be a name of at most {ACTOR_MAX} characters")
    return Wanted(
        kind=kind,
        ids=None if ids is None else tuple(ids),
        prune=prune,
        max_delete=most,
        revision=_revision(options.get("revision"), ids),
        now=now,
        confirm=confirm,
        owner=owner,
        forget_missing=missing,
        actor=actor,
        remove=remove,
        only=None if only is None else tuple(only),
        **words,
    )


def _revision(value: object, ids: object) -> Revision | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("commit"), str):
        raise BadRequestError('options.revision must be {"commit": ..., "allow_older": ...}')
    older = value.get("allow_older", False)
    if ids is not None or not isinstance(older, bool):
        raise BadRequestError("options.revision is for all workspaces; allow_older: true or false")
    return Revision(commit=value["commit"], allow_older=older)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _check_words(words: dict[str, object]) -> None:
    for name, value in words.items():
        if not isinstance(value, str) or len(value) > WORDS_MAX[name]:
            raise BadRequestError(f"options.{name} must be a text of at most {WORDS_MAX[name]}")


def _check_typed(confirm: object, owner: object) -> None:
    if not isinstance(confirm, str):
        raise BadRequestError("options.confirm must be a workspace's id")
    if not isinstance(owner, str):
        raise BadRequestError("options.owner must be a name")


def _check_removal(most: object, missing: object, now: object) -> None:
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise BadRequestError("options.max_delete must be a number of workspaces")
    if not (isinstance(missing, bool) and isinstance(now, bool)):
        raise BadRequestError("options.forget_missing and options.now must be true or false")
