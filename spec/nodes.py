"""YAML values with their places: what `spec.tree` builds and `spec.reader` walks."""

import re
from dataclasses import dataclass, field

from spec.text import Place

_INT = re.compile(r"[-+]?[0-9]{1,4000}|0o[0-7]{1,4000}|0x[0-9a-fA-F]{1,3000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written, quotes undone."""

    place: Place
    text: str
    plain: bool
    size: int = 1

    @property
    def value(self) -> object:
        """The value by YAML 1.2's core schema: `yes`, `on` and `1_000` are text."""
        if not self.plain:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        return _number(self.text)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: "tuple[Node, ...]"
    size: int

    @property
    def value(self) -> object:
        """The items as plain values."""
        return [item.value for item in self.items]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys, always text here, and their values; merge keys are resolved."""

    place: Place
    entries: "dict[str, Entry]" = field(default_factory=dict)
    size: int = 1

    @property
    def value(self) -> dict[str, object]:
        """The entries as plain values."""
        return {key: entry.node.value for key, entry in self.entries.items()}


@dataclass(frozen=True, slots=True)
class Broken:
    """A value of which a problem is told already; whatever else is wrong with it follows."""

    place: Place
    size: int = 1

    @property
    def value(self) -> object:
        """Nothing."""
        return None


Node = Scalar | Sequence | Mapping | Broken


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: where the key is, and its value."""

    place: Place
    node: Node


def describe(node: Node) -> str:
    """What a value is, in the words of someone who wrote it."""
    match node.value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
    return "a mapping"


def _number(text: str) -> object:
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    special = _SPECIAL.fullmatch(text)
    if special is None:
        return text
    return float(f"{special.group(1) or ''}{text[-3:].lower()}")
