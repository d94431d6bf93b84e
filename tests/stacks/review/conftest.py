"""The review's tests: pure, but for one that asks the real Pulumi."""

from tests.stacks.room import room

__all__ = ["room"]
