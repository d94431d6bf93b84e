"""Which images of our builders are left over: those that lost their name, and those of older keys."""

from dataclasses import replace
from typing import Any

import pytest

from stacks.gc.known import Workspaces
from stacks.gc.model import Fate, Found
from stacks.source import Snapshot
from tests.stacks.gc.scenes import found, known, row, told, valid


def test_images_that_lost_their_name() -> None:
    image = Found(id="sha256:0123456789abcdef", name="", labels={"codehub.image-key": "k"}, size=9)
    (item,) = found(images=(image,))
    assert (item.name, item.size, item.fate) == ("0123456789ab", 9, Fate.FOUND)
    used = Found(**{**vars(image), "users": ("someone",)})
    assert told(images=(used,))[0][2] == "kept"
    named = {"name": "codehub/light:1", "names": ("codehub/light:1",)}
    for other in (named, {"labels": {"maintainer": "me"}}):
        assert told(images=(Found(**{**vars(image), **other}),)) == []


def built(key: str, *tags: str, **more: Any) -> Found:
    names = tuple(f"codehub/light:{tag}" for tag in tags)
    label = {"codehub.image-key": key}
    return Found(id=f"sha256:{key}", name=names[0], names=names, labels=label, **more)


LATEST = built("1-new", "1-new", "latest")


@pytest.mark.parametrize(
    ("image", "fate"),
    [
        (built("1-old", "1-old"), "found"),
        (built("1-old", "1-old", users=("mine",)), "kept"),
        (built("1-old", "1-old", "kept"), ""),  # somebody named it
        (built("1-old", "kept"), ""),
        (LATEST, ""),
    ],
)
def test_images_of_older_keys(image: Found, fate: str) -> None:
    expected = [("image", image.name, fate)] if fate else []
    assert told(images=(image, LATEST)) == expected
    assert told(images=(image,)) == [], "which one is the newest is not known"


@pytest.mark.parametrize(
    "workspaces",
    [
        known(snapshot=valid("alice", image="codehub/light:1-old")),
        known(snapshot=valid("alice", image="example.org/codehub/light:1-old")),
        known(replace(row("bob"), image="codehub/light:1-old")),
        known(snapshot=valid("alice", pending=frozenset({"bob"}))),
        known(snapshot=Snapshot(complete=False, error="empty")),
    ],
)
def test_an_older_image_that_somebody_names_stays(workspaces: Workspaces) -> None:
    (item,) = found(workspaces=workspaces, images=(built("1-old", "1-old"), LATEST))
    assert item.fate is Fate.KEPT
