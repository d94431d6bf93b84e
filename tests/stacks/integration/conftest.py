"""The stack-level suite: real Pulumi, real engine."""

from tests.stacks.room import room

__all__ = ["room"]
