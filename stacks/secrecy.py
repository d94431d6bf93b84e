"""Which values of files a review or a message to people does not tell. Pure.

Files are no place for secrets, and who reads the repository reads them; but a comment is mailed,
indexed and kept after the line was removed. So a variable counts as secret when its *name* has a
telling word in it, or its *value* looks like a key: a password in a URL, a PEM block, a web token,
a known prefix, a UUID, or 20 and more letters and digits mixed as no language does. It is told that it
changed, and not from what to what. Nothing else of a file is hidden: an owner or an image is what
one reviews. A password in an image's name makes it no image reference, and what is said of such a
one is told without what stands before `@` or behind `?`.
"""

import math
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from spec import Problem

HIDDEN = "(hidden: it may be a secret)"

_NAMES = re.compile(
    r"passw|passphrase|pwd|secret|token|cookie|auth|credential|private|session|signature|salt|"
    r"(?:^|[_.-])(?:key|pass|pw|pin|pat|otp|dsn|cert)(?:$|[_.\d-])|(?:api|access|account|ssh)_?key|key$",
    re.IGNORECASE,
)
# Every repetition has an end: a value of 32 KiB, made for it, would take minutes otherwise.
_VALUES = re.compile(
    r"-----BEGIN|"
    r"[a-z][a-z0-9+.-]{0,30}://(?:[^\s/@]{0,256}:[^\s@]{1,256}|[^\s/:@]{16,256})@|"
    r"\beyJ[\w-]{6,512}\.[\w-]{4}|"
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|"
    r"\b(?:gh[opsur]_|github_pat_|glpat-|glrt-|xox[abeoprs]-|sk-|sk_|rk_|pk_live|AKIA|ASIA|AIza|hvs\.|"
    r"npm_|pypi-|dop_v1_|SG\.|age-secret-key-|ya29\.)[\w-]{6}|"
    r"\b(?:bearer|basic)\s{1,9}[A-Za-z0-9._~+/=-]{6}",
    re.IGNORECASE,
)
_IN_IMAGES = re.compile(r"[^\s`]*@(?!sha256:)|(?<=\?)[^\s`]+")
_WORD = re.compile(r"[A-Za-z0-9+]{20,}")
_NAME = re.compile(r"[\w.-]+")
_ASSIGNED = re.compile(r"""(?<![\w.-])(?P<name>[\w.-]+)["'`]?[ \t]*[=:]""")
_QUOTED = re.compile(r"`([^`]*)`")
_NO_NAME = re.compile(r"[^\w.-]")
_SHORT = 3
"""Words of no more characters are in too many texts."""
_RANDOM_BITS = 3.0
"""Bits a character: of words 2 to 3 at this length, of hexadecimal 3.5, of base64 more."""


def looks_secret(path: str, value: object) -> bool:
    """Whether a key's value is not told; only variables can hold one."""
    if not path.startswith("env."):
        return False
    if is_telling(path.removeprefix("env.")):
        return True
    return isinstance(value, str) and looks_like_key(value)


def is_telling(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    return bool(_NAMES.search(name))


def looks_like_key(value: str) -> bool:
    """Whether a value looks like a secret, whatever its name is."""
    return bool(_VALUES.search(value)) or _random(value)


def has_telling_word(text: str) -> bool:
    """Whether a text has a word in it that would be a telling name."""
    return any(is_telling(word[0]) for word in _NAME.finditer(text))


def assigned(text: str) -> list[str] | None:
    """Give the words of a text after a telling name with `=` or `:`; None where there is no such name."""
    for found in _ASSIGNED.finditer(text):
        if is_telling(found["name"]):
            return [word for word in text[found.end() :].split() if len(word) > _SHORT]
    return None


def is_more_than_image(name: str) -> bool:
    """Whether what should be an image's name may hold a password or a token; digests are not meant."""
    return bool(_IN_IMAGES.search(name))


def hidden_in(text: str) -> str:
    """Give a text that may quote a value, without what looks like a key."""
    if _VALUES.search(text):
        return HIDDEN
    return _WORD.sub(lambda word: HIDDEN if _random(word[0]) else word[0], text)


def repeated(value: object, secrets: Collection[str]) -> bool:
    """Whether a value says what is told of none of these; what is too short says nothing."""
    return isinstance(value, str) and any(
        len(secret) > _SHORT and secret in value for secret in secrets
    )


def key_of(problem: Problem) -> str:
    """Give a problem's key; one such as `PASSWORD=x` holds what was meant as its value."""
    return HIDDEN if _holds_value(problem.key) else hidden_in(problem.key)


def in_words(problem: Problem) -> str:
    """Give a problem as one line, without what may be a secret."""
    message, hint = told(problem)
    return str(replace(problem, key=key_of(problem), message=message, hint=hint))


def told(problem: Problem) -> tuple[str, str]:
    """Give a problem's message and hint; neither where they may quote a secret's value."""
    if problem.key.startswith("env.") and _NAMES.search(problem.key.removeprefix("env.")):
        return f"its value is wrong {HIDDEN}", "values are text: quote numbers, true and false"
    message, hint = hidden_in(_QUOTED.sub(_quoted, problem.message)), hidden_in(problem.hint)
    if problem.key == "image":
        return _IN_IMAGES.sub("...", message), _IN_IMAGES.sub("...", hint)
    return message, hint


def _quoted(found: re.Match[str]) -> str:
    return f"`{HIDDEN}`" if _holds_value(found[1]) else found[0]


def _holds_value(key: str) -> bool:
    return bool(_NO_NAME.search(key)) and has_telling_word(key)


def _random(value: str) -> bool:
    return any(
        re.search(r"\d", word[0])
        and re.search(r"[A-Za-z]", word[0])
        and _bits(word[0]) > _RANDOM_BITS
        for word in _WORD.finditer(value)
    )


def _bits(word: str) -> float:
    """Entropy of a word's characters, in bits each."""
    counts = Counter(word).values()
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts)
