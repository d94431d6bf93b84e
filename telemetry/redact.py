"""Keeps secrets out of log lines. A net below the rule that secrets are not logged at all.

Values under telling keys are replaced, at any depth; passwords in URLs and bearer tokens are cut
from texts. It cannot know a secret under a plain key: the rule stands.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from telemetry.words import harmless, plain

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
_URL_TOKEN = re.compile(r"(?P<head>(?:https?|tcp)://)[^\s/:@]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(?P<head>bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor."""
    return {key: redact(value, key) for key, value in event.items()}


def redact(value: Any, key: str = "", depth: int = DEPTH) -> Any:
    """A value as it may be logged under a key."""
    if _KEYS.search(key) or hasattr(value, "get_secret_value"):  # pydantic's SecretStr
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {
            item: redact(inner, str(item), depth - 1) if depth else REDACTED
            for item, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner, "", depth - 1) if depth else REDACTED for inner in value]
    # Anything else is written by its text: an error, say, which quotes a URL.
    return value if value is None or isinstance(value, int | float) else redact_text(str(value))


def redact_text(text: str) -> str:
    """A text without URL passwords and authorization values, nor what parts them."""
    if "\x1b" in text:
        bare = plain(text)
        told = _without_secrets(bare)
        if told != bare:
            return told
    return _without_secrets(text)


def _without_secrets(text: str) -> str:
    if "://" in text and "@" in text:
        text = _WORD.sub(lambda word: _without_password(word[0]), text)
        text = _URL_TOKEN.sub(rf"\g<head>{REDACTED}@", text)
    return _BEARER.sub(rf"\g<head> {REDACTED}", text)


def redact_address(address: str) -> str:
    """A server's address without anything before its host; a unix socket's path is left whole."""
    scheme, separator, rest = address.partition("://")
    if scheme == "unix" or "@" not in rest:
        return address
    return f"{scheme}{separator}{REDACTED}@{rest.rpartition('@')[2]}"


def _without_password(word: str) -> str:
    """Cut what stands between the user and the last `@` of a word that holds a URL.

    A password that was not percent-encoded may hold `/`, `:` and `@`, so nothing before the last
    `@` is believed to be its end: rather too much is cut. Searched by hand, since a pattern for
    this takes time that grows with the square of a long word.
    """
    begin = word.find("://")
    colon = word.find(":", begin + 3) if begin >= 0 else -1
    end = word.rfind("@")
    if not 0 <= colon < end:
        return word
    return f"{word[: colon + 1]}{REDACTED}{word[end:]}"


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
