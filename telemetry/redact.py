"""Keeps secrets out of log lines. A net below the rule that secrets are not logged at all.

Values under telling keys are replaced, at any depth; passwords in URLs and bearer tokens are cut
from texts. It cannot know a secret under a plain key: the rule stands.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from telemetry.words import STEERING, harmless

REDACTED = "[redacted]"
DEPTH = 6
"""Nesting that is followed; what lies deeper is replaced whole."""

_CONTROL = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_KEYS = re.compile(
    r"passw|passphrase|secret|token|cookie|authorization|credential|api_?key", re.IGNORECASE
)
_TRACEBACK = "exception"
_WORD = re.compile(r"[^ \t\r\n]+")
_TOKENS = (
    re.compile(r"(?:https?|tcp)://(?P<secret>[^\s/:@]+)@", re.IGNORECASE),
    re.compile(r"\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE),
)
_PART = (
    r"(?:\x9b|\\x9b|(?:\x1b|\\x1b|\\u001b|\\033|\\e)\[)[0-?]*[ -/]*[@-~]"
    r"|\\x(?:[0189][0-9a-f]|7f|ad)|\\u(?:00[0189][0-9a-f]|20[026][0-9a-f]|feff)"
    r"|[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_UNSEEN = re.compile(f"(?:{_PART})+", re.IGNORECASE)
"""Colours and moves of a terminal and characters that take no room, also spelled out as `repr` does."""

_PASSES = 4
"""Looks at a text at most: what is put in a secret's place may end what stood before it anew."""

_VIEWS = (
    (STEERING, ""),
    (_UNSEEN, ""),
    (_UNSEEN, " "),
    (re.compile(f"(?:{STEERING.pattern}|{_PART})+", re.IGNORECASE), ""),  # titles and links whole
)
"""What may stand inside of a secret, and what somebody sees in its place.

Several, since what is taken out may end a word, or take a letter of one along.
"""


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor."""
    return {key: redact(value, key) for key, value in event.items()}


def redact(value: Any, key: str = "", depth: int = DEPTH) -> Any:
    """A value as it may be logged under a key."""
    if _KEYS.search(key) or hasattr(value, "get_secret_value"):  # pydantic's SecretStr
        return REDACTED
    if isinstance(value, Mapping):
        return {
            _leaf(item): redact(inner, str(item), depth - 1) if depth else REDACTED
            for item, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner, "", depth - 1) if depth else REDACTED for inner in value]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    # What is no number is written by its text: an error, say, which quotes a URL.
    return value if value is None or isinstance(value, int | float) else redact_text(str(value))


def redact_text(text: str) -> str:
    """A text without URL passwords and authorization values, also where colours or unseen part them."""
    for _ in range(_PASSES):
        text, before = _without(text, sorted(_found(text))), text
        if text == before:
            break
    return text


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    told, at = [], 0
    for start, end in spans:
        if start > at:
            told += [text[at:start], REDACTED]
        at = max(at, end)
    return "".join([*told, text[at:]])


def _found(text: str) -> Iterator[tuple[int, int]]:
    yield from _secrets(text)
    if _UNSEEN.search(text):
        for parts, blank in _VIEWS:
            yield from _parted(text, parts, blank)


def _parted(text: str, parts: re.Pattern[str], blank: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text secrets are that are whole only without what parts them."""
    seen, at, shift = [], 0, 0
    begins, shifts = (
        [0],
        [0],
    )  # from which place of what is seen on, and how far it lies from the text's
    for part in parts.finditer(text):
        seen += [text[at : part.start()], blank]
        begins.append(part.start() - shift)
        at = part.end()
        shift = at - len(blank) - begins[-1]
        shifts.append(shift)

    def after(index: int) -> int:
        return index + 1 + shifts[bisect_right(begins, index) - 1]

    for start, end in _secrets("".join([*seen, text[at:]])):
        yield after(start - 1), after(end - 1)


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets begin and end; none begins a text."""
    if "://" in text and "@" in text:
        for word in _WORD.finditer(text):
            start, end = _password(word[0])
            if start < end:
                yield word.start() + start, word.start() + end
    for pattern in _TOKENS:
        for token in pattern.finditer(text):
            yield token.span("secret")


def redact_address(address: str) -> str:
    """A server's address without anything before its host; a unix socket's path is left whole."""
    scheme, separator, rest = address.partition("://")
    if scheme == "unix" or "@" not in rest:
        return address
    return f"{scheme}{separator}{REDACTED}@{rest.rpartition('@')[2]}"


def _password(word: str) -> tuple[int, int]:
    """Return what stands between the user and the last `@` of a word that holds a URL.

    A password that was not percent-encoded may hold `/`, `:` and `@`, so nothing before the last
    `@` is believed to be its end: rather too much is cut. Searched by hand, since a pattern for
    this takes time that grows with the square of a long word.
    """
    begin = word.find("://")
    colon = word.find(":", begin + 3) if begin >= 0 else -1
    end = word.rfind("@")
    return (colon + 1, end) if 0 <= colon < end else (0, 0)


def escape_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor for terminals: nobody's text moves the cursor or fakes a line.

    Tracebacks keep their lines; what is not text is shown by `repr`, which escapes by itself.
    """
    return {
        key: _escape(value, harmless if key == _TRACEBACK else _on_one_line)
        for key, value in event.items()
    }


def _escape(value: Any, escape: Callable[[str], str]) -> Any:
    return escape(value) if isinstance(value, str) else value


def _on_one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
