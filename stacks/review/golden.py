"""What Pulumi does when a property changes: the golden table. Pure data.

A preview without an engine can't ask the provider. This table answers for it, for each property
that a program renders; `tests/stacks/review/test_golden.py` asks the real `pulumi preview` about
every one and compares. What is not in the table counts as UNSUPPORTED: nothing is promised of it.
"""

from collections.abc import Mapping
from enum import StrEnum

from stacks.programs.inputs import CONTAINER_TYPE, VOLUME_TYPE


class Effect(StrEnum):
    """What a changed property does."""

    NONE = "none"
    """Nothing that Pulumi would see: it is ignored, or not part of any resource."""
    UPDATE = "update"
    """It is changed in place."""
    REPLACE = "replace"
    """The resource is made anew."""
    UNSUPPORTED = "unsupported"
    """The table does not know; take it for the worst."""


GOLDEN: Mapping[str, Mapping[str, Effect]] = {
    CONTAINER_TYPE: {
        "name": Effect.REPLACE,
        "image": Effect.REPLACE,
        "user": Effect.REPLACE,
        "start": Effect.UPDATE,
        "mustRun": Effect.UPDATE,
        "restart": Effect.UPDATE,
        "destroyGraceSeconds": Effect.REPLACE,
        "envs": Effect.REPLACE,
        "labels": Effect.REPLACE,
        "memory": Effect.UPDATE,
        "memorySwap": Effect.UPDATE,
        "cpus": Effect.REPLACE,
        "capabilities": Effect.REPLACE,
        "securityOpts": Effect.REPLACE,
        "networkMode": Effect.REPLACE,
        "mounts": Effect.REPLACE,
        "logDriver": Effect.REPLACE,
        "logOpts": Effect.REPLACE,
    },
    VOLUME_TYPE: {
        "name": Effect.REPLACE,
        "driver": Effect.NONE,  # ignored, like the labels: a new home in its place would be its loss
        "labels": Effect.NONE,
    },
}

ORDER = (Effect.NONE, Effect.UPDATE, Effect.REPLACE, Effect.UNSUPPORTED)


def effect(type_: str, property_: str) -> Effect:
    """Give what a changed property of a type does."""
    return GOLDEN.get(type_, {}).get(property_, Effect.UNSUPPORTED)


def strongest(effects: list[Effect]) -> Effect:
    """Give the one that decides; NONE of none."""
    return max(effects, key=ORDER.index, default=Effect.NONE)
