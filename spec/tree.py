"""From text to one tree of `spec.nodes`, by ruamel.yaml's parser events.

Events rather than ruamel's own composer: they tell tags, aliases and documents apart, carry the
place of every key and value, and let depth and expansion be capped before anything is built.
The parser's messages are translated in `spec.syntax`.
"""

import re
from typing import Any, NamedTuple

from ruamel.yaml import YAML, events
from ruamel.yaml.error import YAMLError

from spec.nodes import Broken, Entry, Mapping, Node, Scalar, Sequence
from spec.problems import shown
from spec.syntax import translate
from spec.text import MAX_NODES, Flaw, Lines, Place

MAX_DEPTH = 16

_MERGE = "<<"
_TAG_HINT = "remove it, or quote a text that begins with !"
_ALIAS_HINT = "define it before: &name, or quote a text that begins with *"
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?[\r\n])*(%)[^\r\n]*[\r\n]*")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)+")
_PARSER_FAULTS = (
    YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError, OverflowError,
)  # fmt: skip
"""ruamel raises more than YAMLError on some broken input, such as `"\\UFFFFFFFF"`."""


class Tree(NamedTuple):
    """The document, None when there is none, and what is wrong with it so far."""

    root: Node | None
    flaws: list[Flaw]


class _StopError(Exception):
    """Reading on makes no sense; the flaw is recorded."""


def parse(text: str, *, most: int = MAX_NODES) -> Tree:
    """Build the tree of one document of at most so many values. Never raises."""
    composer = _Composer(text, most)
    try:
        composer.open()
        return Tree(composer.document(), composer.flaws)
    except _StopError:
        return Tree(None, composer.flaws)
    except _PARSER_FAULTS as error:
        return Tree(None, [*composer.flaws, translate(error, composer.reached)])


class _Composer:
    def __init__(self, text: str, most: int) -> None:
        self.flaws: list[Flaw] = []
        self._most = most
        self.last = Place(1, 1)
        self._text = text
        self._lines = Lines(text)
        self._anchors: dict[str, Node | None] = {}
        self._yaml = YAML(typ="safe", pure=True)
        self._parser: Any = None

    @property
    def reached(self) -> Place:
        """How far the parser has read."""
        reader = self._yaml.reader
        return Place(reader.line + 1, reader.column + 1)

    def open(self) -> None:
        """Let the parser take the text; it checks the characters at once."""
        _, self._parser = self._yaml.get_constructor_parser(self._without_directives())

    def _without_directives(self) -> str:
        """Tell each directive and make it a comment, so that the rest is read."""
        text, index = self._text, 0
        while match := _DIRECTIVE.match(text, index):
            place = self._lines.place(match.start(1))
            self._flaw(place, "YAML directives are not supported", "remove this line")
            text = f"{text[: match.start(1)]}#{text[match.end(1) :]}"
            index = match.end()
        return text

    def document(self) -> Node | None:
        self._next()  # the stream's start
        event = self._next()
        if isinstance(event, events.StreamEndEvent):
            return None
        root = self._node(self._next(), depth=1)
        self._next()  # the document's end
        event = self._next()
        if isinstance(event, events.DocumentStartEvent):
            self._flaw(_place(event), "a second document begins", "one file per workspace")
        return root

    def _next(self) -> Any:
        event = self._parser.get_event()
        self.last = _place(event)
        return event

    def _flaw(self, place: Place, message: str, hint: str) -> None:
        self.flaws.append(Flaw(place, message, hint))

    def _node(self, event: Any, *, depth: int) -> Node:
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            self._flaw(_place(event), f"nested deeper than {MAX_DEPTH} levels", "flatten it")
            raise _StopError
        if event.ctag is not None:
            # Not which: a password that begins with `!` and is not quoted is one.
            self._flaw(_place(event), "a tag, such as !name, is not supported", _TAG_HINT)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._content(event, depth)
        self._limit(node)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, depth: int) -> Node:
        place = _place(event)
        if event.anchor is not None or event.ctag is not None:
            place = self._after_properties(event.start_mark.index, place)
        if isinstance(event, events.ScalarEvent):
            return self._scalar(event, place)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(place, depth)
        return self._mapping(place, depth)

    def _scalar(self, event: Any, place: Place) -> Node:
        if re.search("[\ud800-\udfff]", event.value):
            self._flaw(place, "half of a surrogate pair", 'write "\\U0001F600", not two "\\u"')
            return Broken(place)
        return Scalar(place, event.value, plain=event.style is None)

    def _after_properties(self, index: int, place: Place) -> Place:
        """The value's own place: the event begins at its anchor or tag."""
        match = _PROPERTIES.match(self._text, index)
        return self._lines.place(match.end()) if match else place

    def _sequence(self, place: Place, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := self._next(), events.SequenceEndEvent):
            items.append(self._node(event, depth=depth + 1))
        return Sequence(place, tuple(items), 1 + sum(item.size for item in items))

    def _mapping(self, place: Place, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        merges: list[Node] = []
        size = 1
        while not isinstance(event := self._next(), events.MappingEndEvent):
            key = self._node(event, depth=depth + 1)
            node = self._node(self._next(), depth=depth + 1)
            size += key.size + node.size
            if isinstance(key, Scalar) and key.plain and key.text == _MERGE:
                if merges:
                    self._flaw(key.place, "`<<` is given twice", "write <<: [*one, *two]")
                merges.append(node)
            else:
                self._add(entries, key, node)
        for merge in merges:
            self._merge(entries, merge)
        return Mapping(place, entries, size)

    def _add(self, entries: dict[str, Entry], key: Node, node: Node) -> None:
        if isinstance(key, Sequence | Mapping):
            self._flaw(key.place, "a key must be text", "write `key: value`")
        elif isinstance(key, Scalar) and key.text in entries:
            first = entries[key.text].place.line
            self._flaw(
                key.place, f"{shown(key.text)} is given twice", f"remove it, or line {first}"
            )
        elif isinstance(key, Scalar):
            entries[key.text] = Entry(key.place, node)

    def _merge(self, entries: dict[str, Entry], node: Node) -> None:
        """`<<`: keys of other mappings; those given here win, earlier ones over later ones."""
        for source in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(source, Mapping):
                for key, entry in source.entries.items():
                    entries.setdefault(key, entry)
            elif not isinstance(source, Broken):
                self._flaw(source.place, "`<<` merges mappings only", "write <<: *name")

    def _alias(self, event: Any) -> Node:
        place = _place(event)
        if event.anchor not in self._anchors:
            # Not which: a password that begins with `*` and is not quoted is one.
            self._flaw(place, "an alias, such as *name, is not defined", _ALIAS_HINT)
            return Broken(place)
        node = self._anchors[event.anchor]
        if node is None:
            self._flaw(place, "an alias contains itself", "write it out")
            return Broken(place)
        self._limit(node)
        return _moved(node, place)

    def _limit(self, node: Node) -> None:
        if node.size > self._most:
            told = f"more than {self._most} values after aliases"
            self._flaw(self.last, told, "use fewer aliases")
            raise _StopError


def _moved(node: Node, place: Place) -> Node:
    """The same value where the alias stands: that is where a wrong one is to be mended."""
    match node:
        case Scalar():
            return Scalar(place, node.text, node.plain)
        case Sequence():
            return Sequence(place, node.items, node.size)
        case Mapping():
            return Mapping(place, node.entries, node.size)
    return Broken(place)


def _place(event: Any) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)
