"""Tests of the engine room, with the real Pulumi where one is needed."""

from tests.stacks.room import room

__all__ = ["room"]
