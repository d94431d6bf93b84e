"""Patterns of images: what a list lets in, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images import Reference, is_allowed, parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        ("codehub/code-server", "codehub/code-server"),
        ("codehub/code-server", "codehub/code-server:1.4"),
        ("codehub/code-server", f"codehub/code-server@{DIGEST}"),
        ("codehub/code-server", f"codehub/code-server:1@{DIGEST}"),
        ("codehub/*", "codehub/light"),
        ("code?ub/light", "codehub/light"),
        ("**", "registry.example.org:5000/a/b/c:1"),
        ("registry.example.org/**", "registry.example.org/a/b"),
        ("registry.example.org:5000/a:1.*", "registry.example.org:5000/a:1.4"),
        ("REGISTRY.example.org/a", "registry.EXAMPLE.org/a"),
        ("light:latest", "light"),
        ("light:*", "light"),
        ("docker.io/library/debian", "debian:12"),
        ("debian", "docker.io/library/debian:12"),
        ("team/ide", "docker.io/team/ide"),
        ("team/ide", "index.docker.io/team/ide"),
        (f"light@{DIGEST}", f"light@{DIGEST}"),
        (f"light:1@{DIGEST}", f"light:2@{DIGEST}"),
        ("light@sha256:*", f"light@{DIGEST}"),
    ],
)
def test_allowed(pattern: str, image: str) -> None:
    assert is_allowed(image, ["never/this", pattern])


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        ("codehub/*", "codehub/a/b"),
        ("codehub/*", "evil.example.org/codehub/light"),
        ("codehub/*", "codehub-evil/light"),
        ("*", "codehub/light"),
        ("codehub/light", "codehub/light-evil"),
        ("codehub.light", "codehubxlight"),
        ("light:1", "light"),
        ("light:1", "light:10"),
        ("light:1.*", "light:2.1"),
        # An engine goes by the digest and does not look at the tag.
        ("light:1", f"light:1@{DIGEST}"),
        ("light:*", f"light@{DIGEST}"),
        (f"light@{DIGEST}", "light"),
        (f"light@{DIGEST}", "light:1"),
        (f"light@{DIGEST}", "light@sha256:" + "b" * 64),
        ("localhost/light", "light"),
        ("registry.example.org:5000/a", "registry.example.org/a"),
    ],
)
def test_refused(pattern: str, image: str) -> None:
    assert not is_allowed(image, [pattern])


def test_an_empty_list_allows_nothing() -> None:
    assert not is_allowed("light", [])


def test_parts() -> None:
    assert parse(f"host:5000/a/b:1@{DIGEST}") == Reference("host:5000/a/b", "1", DIGEST)
    assert parse("host:5000/a") == Reference("host:5000/a", "", "")


@given(st.from_regex(r"[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}(:[a-z0-9.]{1,4})?", fullmatch=True))
def test_every_image_allows_itself_and_one_wild_pattern_allows_all(image: str) -> None:
    assert is_allowed(image, [image])
    assert is_allowed(image, ["**"])
