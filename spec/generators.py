"""One file, many workspaces: a generator's tree becomes a tree for each of them. Pure.

    id: class-a-{name}
    each: [{name: alice}, {name: bob, memory: 8Gi}]
    default: {memory: 2Gi}
    workspace: {owner: "{name}", image: codehub/code-server, resources: {memory: "{memory}"}}

`{word}` stands for the entry's value (`spec.filling`). There is nothing else to learn: no conditions,
no loops, no functions. Each tree that comes out is a workspace file's, and is checked like one; its
values have the places where they are written, in the entry or in `workspace`.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NamedTuple

from spec.filling import MAX_TEXT, MAX_VALUES, Room, TooMuchError, Weight, WrongWordError, filled
from spec.nodes import Broken, Entry, Mapping, Node, Scalar, Sequence, describe
from spec.problems import cut, shown
from spec.text import Flaw, Place

MAX_EACH = 1000
"""Workspaces of one generator."""

KEYS = {
    "id": "id: class-a-{name}",
    "each": "each: [{name: alice}, {name: bob}]",
    "workspace": 'workspace: {owner: "{name}", image: codehub/code-server}',
    "default": "default: {memory: 2Gi}",
}
"""The keys of a generator, each with an example."""
REQUIRED = ("id", "each", "workspace")
WORD_PATTERN = r"[a-z][a-z0-9_]{0,30}"
_WORD = re.compile(WORD_PATTERN)
_KINDS: dict[str, type[Node]] = {
    "id": Scalar,
    "each": Sequence,
    "workspace": Mapping,
    "default": Mapping,
}

Report = Callable[[str, Flaw], None]
"""Takes the dotted key and the flaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One workspace of a generator.

    Attributes:
        id: its id as written, not checked.
        place: where its entry is.
        root: what would be its file; None when that can't be made.
        flaws: what is wrong with its entry, by dotted key.
    """

    id: str
    place: Place
    root: Mapping | None
    flaws: tuple[tuple[str, Flaw], ...] = ()


NOTHING = Weight()


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """What a generator says.

    Attributes:
        workspaces: those whose id is known, in the order of `each`.
        strays: what is wrong with entries of which not even the id is known, by dotted key.
        whole: whether these are all: what is missing from a broken one must not be taken for gone.
        weight: what was made, also in vain.
    """

    workspaces: tuple[Generated, ...] = ()
    strays: tuple[tuple[str, Flaw], ...] = ()
    whole: bool = True
    weight: Weight = NOTHING


def expand(root: Mapping, report: Report, *, added: Weight = NOTHING) -> Expansion:
    """Make the tree of each workspace.

    Args:
        root: the generator's tree.
        report: takes what is wrong with all of it.
        added: what defaults may add to each, which counts as made.
    """
    _tell_strange(root, report)
    if not _has_parts(root, report):
        return Expansion(whole=False)
    default, entries = _default(root, report), _entries(root, report)
    if entries is None:
        return Expansion(whole=False)
    maker = _Maker(root, default, added)
    try:
        made = [maker.one(number, entry) for number, entry in enumerate(entries)]
    except TooMuchError:
        told = f"makes more than {MAX_VALUES} values or {MAX_TEXT >> 20} MiB of text"
        report("each", Flaw(root.entries["each"].node.place, told, "make two generators"))
        return Expansion(whole=False, weight=maker.room.taken)
    found = tuple(each for each in made if each is not None)
    return Expansion(
        workspaces=_without_twins(found),
        strays=tuple(maker.strays),
        whole=len(found) == len(entries),
        weight=maker.room.taken,
    )


def _tell_strange(root: Mapping, report: Report) -> None:
    for key, entry in root.entries.items():
        if key not in KEYS:
            report(key, Flaw(entry.place, f"{shown(key)} is not a key of a generator", _near(key)))


def _has_parts(root: Mapping, report: Report) -> bool:
    """Whether all that workspaces are made of is there, and of its kind."""
    right = True
    for key, kind in _KINDS.items():
        node = root.entries[key].node if key in root.entries else None
        if isinstance(node, kind) or (node is None and key not in REQUIRED):
            continue
        right = False
        if node is None:
            report(key, Flaw(root.place, f"`{key}` is missing", f"add {KEYS[key]}"))
        elif not isinstance(node, Broken):
            told = f"must be {_called(kind)}, not {describe(node)}"
            report(key, Flaw(node.place, told, f"write {KEYS[key]}"))
    return right


def _near(key: str) -> str:
    near = get_close_matches(key.lower(), KEYS, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(KEYS)}"


def _called(kind: type[Node]) -> str:
    return {Scalar: "text", Sequence: "a list"}.get(kind, "a mapping")


def _entries(root: Mapping, report: Report) -> tuple[Node, ...] | None:
    node = root.entries["each"].node
    assert isinstance(node, Sequence), "its kind was checked"
    if 0 < len(node.items) <= MAX_EACH:
        return node.items
    told = "is empty" if not node.items else f"has more than {MAX_EACH} entries"
    hint = "remove the file" if not node.items else "make two generators"
    report("each", Flaw(node.place, told, hint))
    return None


def _default(root: Mapping, report: Report) -> "_Words":
    if "default" not in root.entries:
        return _Words({}, [], right=True)
    found = _words(root.entries["default"].node, "default")
    for key, flaw in found.flaws:
        report(key, flaw)
    return found


class _Words(NamedTuple):
    """The words of a mapping, what is wrong with it, and whether all of it is right."""

    values: dict[str, Scalar]
    flaws: list[tuple[str, Flaw]]
    right: bool


def _words(node: Node, key: str) -> _Words:
    if not isinstance(node, Mapping):
        told = f"must be a mapping, not {describe(node)}"
        flaw = Flaw(node.place, told, "write {name: alice}")
        return _Words({}, [] if isinstance(node, Broken) else [(key, flaw)], right=False)
    found: dict[str, Scalar] = {}
    flaws: list[tuple[str, Flaw]] = []
    for word, entry in node.entries.items():
        flaw_ = _word_flaw(word, entry)
        if flaw_ is not None:
            flaws.append((f"{key}.{cut(word)}", flaw_))
        elif isinstance(entry.node, Scalar):
            found[word] = entry.node
    return _Words(found, flaws, right=len(found) == len(node.entries))


def _word_flaw(word: str, entry: Entry) -> Flaw | None:
    if not _WORD.fullmatch(word):
        hint = "use lower case letters, digits and `_`, a letter first"
        return Flaw(entry.place, f"{shown(word)} is no name of a value", hint)
    if isinstance(entry.node, Scalar | Broken):
        return None
    told = f"must be text or a number, not {describe(entry.node)}"
    return Flaw(entry.node.place, told, "put lists and mappings under `workspace`")


class _Maker:
    """Makes the workspaces of one generator."""

    def __init__(self, root: Mapping, default: _Words, added: Weight) -> None:
        self._id = root.entries["id"].node
        self._workspace = root.entries["workspace"].node
        self._default = default
        self._added = added
        self.room = Room()
        self.strays: list[tuple[str, Flaw]] = []

    def one(self, number: int, entry: Node) -> Generated | None:
        """Make one workspace; None when not even its id can be known."""
        key = f"each.{number}"
        own = _words(entry, key)
        words, right = {**self._default.values, **own.values}, self._default.right and own.right
        made, flaws = None, list(own.flaws)
        try:
            name = filled(self._id, words, self.room)
            assert isinstance(name, Scalar), "its kind was checked"
            made = Generated(id=name.text, place=entry.place, root=None)
            if right:
                self.room.take(self._added.text, values=self._added.values)
                body = filled(self._workspace, words, self.room)
                assert isinstance(body, Mapping), "its kind was checked"
                made = replace(made, root=body)
        except WrongWordError as error:
            if right:  # else what is told already is why
                flaws.append((key, Flaw(entry.place, error.message, error.hint)))
        if made is not None:
            return replace(made, flaws=tuple(flaws))
        self.strays += flaws
        return None


def _without_twins(found: tuple[Generated, ...]) -> tuple[Generated, ...]:
    """Spoil all that have the same id: which of them is meant can't be known."""
    times = Counter(each.id for each in found)
    return tuple(each if times[each.id] == 1 else _twin(each) for each in found)


def _twin(each: Generated) -> Generated:
    told = f"{shown(each.id)} is the id of more than one entry"
    flaw = Flaw(each.place, told, "make `id` differ by a word of the entries")
    return replace(each, root=None, flaws=(*each.flaws, ("each", flaw)))
