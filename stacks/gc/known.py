"""Which workspaces something is known of: by files, by the index, by the work that is under way. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stacks.planned import GONE
from stacks.shared import SHARED_STACK
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

UNREADABLE = "whether its file is gone is not known: {}"
INDEX_LOST = "the index knows nothing, and may be lost: `codehub index rebuild` first"


class Standing(StrEnum):
    """What is known of one workspace."""

    LIVES = "lives"
    """It has a file, a row, or work under way."""
    TOMBSTONED = "tombstoned"
    """It was removed, and its home is kept."""
    UNCLEAR = "unclear"
    """Nothing names it, and that may be an error."""
    UNKNOWN = "unknown"
    """Nothing names it."""


@dataclass(frozen=True, kw_only=True)
class Workspaces:
    """All that is known of workspaces.

    Attributes:
        snapshot: What the folder says.
        rows: What the index says, by id.
        busy: Those that are being worked on.
        lost: Whether the index may be lost: it is empty, and there are homes or stacks.
    """

    snapshot: Snapshot
    rows: Mapping[str, Published] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    lost: bool = False

    def standing(self, workspace: str) -> Standing:
        """Tell what is known of one; "" is nobody's."""
        row = self.rows.get(workspace)
        named = workspace in self.snapshot.ids or workspace in self.snapshot.heirs
        if named or workspace in self.busy or (row is not None and row.phase not in GONE):
            return Standing.LIVES
        if self.snapshot.blind or (row is None and self.why_unclear):
            return Standing.UNCLEAR
        if row is not None and row.phase is Phase.TOMBSTONED:
            return Standing.TOMBSTONED
        return Standing.UNKNOWN

    def wanting(self, image: str) -> str:
        """Say who names an image, or may do so; "" when nobody does."""
        files = self.snapshot.specs.values()
        named = {spec.id for spec in files if _is_same(spec.image, image)}
        named |= {row.id for row in self.rows.values() if _is_same(row.image, image)}
        if named:
            return f"named by {', '.join(sorted(named))}"
        if wrong := self.snapshot.ids - self.snapshot.specs.keys():
            return f"what image they name is not known: {', '.join(sorted(wrong))}"
        return self.why_unclear

    @property
    def why_unclear(self) -> str:
        """Why nothing can be said of a workspace that nothing names; "" when it can."""
        if self.lost:
            return INDEX_LOST
        if not self.snapshot.complete:
            return UNREADABLE.format(self.snapshot.error)
        return ""


def _is_same(asked: str, image: str) -> bool:
    """Whether a file's name for an image may be that one: with or without a registry before it."""
    return asked == image or asked.endswith(f"/{image}")


def looks_lost(rows: Mapping[str, Published], homes: Iterable[str], stacks: Iterable[str]) -> bool:
    """Whether an index that knows nothing should know something."""
    return not rows and (any(homes) or any(stack != SHARED_STACK for stack in stacks))
