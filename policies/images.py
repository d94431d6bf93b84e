"""Which images a list of patterns allows. Pure; no registry is asked.

A pattern is written like an image: `[host[:port]/]name[:tag][@digest]`, with `*` for any characters
but `/`, `**` for any at all and `?` for one. A part that the pattern leaves out may be anything, with
one exception: where an image has a digest, its tag says nothing of what is run, so a pattern that
names a tag and no digest does not allow it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

LATEST = "latest"
"""What an engine takes where no tag and no digest is named."""

_DEFAULT_HOST = re.compile(r"^(?:index\.)?docker\.io/(?:library/)?")
_WILD = re.compile(r"\*\*|\*|\?")
_EXPRESSIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


class Reference(NamedTuple):
    """The parts of an image's reference, or of a pattern; "" for one that is left out."""

    name: str
    tag: str
    digest: str


def parse(text: str) -> Reference:
    """Take a reference or a pattern apart.

    >>> parse("registry.example.org:5000/team/ide:1.4")
    Reference(name='registry.example.org:5000/team/ide', tag='1.4', digest='')
    """
    rest, _, digest = text.partition("@")
    folder, slash, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    name = f"{folder}{slash}{last}".lower()
    return Reference(_DEFAULT_HOST.sub("", name), tag, digest)


def is_allowed(image: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns allows an image."""
    wanted = parse(image)
    return any(_matches(wanted, parse(pattern)) for pattern in patterns)


def _matches(image: Reference, pattern: Reference) -> bool:
    if not _glob(pattern.name, image.name):
        return False
    if image.digest:
        if not pattern.digest:
            return not pattern.tag
        # The engine goes by the digest alone: the tag beside it need not be the one of the list.
        return _glob(pattern.digest, image.digest)
    if pattern.digest:
        return False
    return not pattern.tag or _glob(pattern.tag, image.tag or LATEST)


def _glob(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts, index = [], 0
    for wild in _WILD.finditer(pattern):
        parts += [re.escape(pattern[index : wild.start()]), _EXPRESSIONS[wild.group()]]
        index = wild.end()
    return re.compile("".join([*parts, re.escape(pattern[index:])]))
