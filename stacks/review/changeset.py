"""The change set: what was reviewed, in a form that can be compared at the merge. Pure.

Its hash is SHA-256 over canonical JSON of what would happen to each workspace: action, severity,
owners, former id, whether it is held, and the values that keys get. Not of any wording, of the order
of files, of comments in them, or of commits. `worse` tells what a second change set would destroy
beyond the first.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from stacks.review.model import Action, Change, Review, Severity, WorkspaceReview

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was to happen to one workspace."""

    action: str
    severity: Severity
    owner: str = ""
    former_owner: str = ""
    formerly: str = ""
    home: str = ""
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangeSet:
    """What was to happen.

    Attributes:
        hash: Of all of it, the values that keys get included.
        workspaces: By id; those to which nothing happens are left out.
    """

    hash: str
    workspaces: Mapping[str, Entry] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give plain values, to be kept with an approval."""
        entries = {
            id_: {**asdict(entry), "severity": entry.severity.name.lower()}
            for id_, entry in sorted(self.workspaces.items())
        }
        return {"format": FORMAT, "hash": self.hash, "workspaces": entries}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave.

        Raises:
            ValueError: It is of another format, or no change set.
        """
        try:
            if data["format"] != FORMAT:
                raise ValueError(f"a change set of format {data['format']}, not {FORMAT}")
            entries = {
                str(id_): Entry(**{**entry, "severity": Severity[entry["severity"].upper()]})
                for id_, entry in data["workspaces"].items()
            }
            return cls(hash=str(data["hash"]), workspaces=entries)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no change set: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Worse:
    """A workspace to which more would happen than was reviewed."""

    id: str
    reviewed: Severity
    now: Severity
    message: str


def of(review: Review) -> ChangeSet:
    """Give the change set of a review."""
    acting = [each for each in review.workspaces if each.action is not Action.UNCHANGED]
    plain = {
        "format": FORMAT,
        "workspaces": sorted((_canonical(each) for each in acting), key=lambda each: each["id"]),
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    hash_ = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return ChangeSet(hash=hash_, workspaces={each.id: _entry(each) for each in acting})


def _entry(each: WorkspaceReview) -> Entry:
    return Entry(
        action=each.action.value,
        severity=each.severity,
        owner=each.owner,
        former_owner=each.former_owner,
        formerly=each.formerly,
        home=each.home,
        held=each.held,
    )


def _canonical(each: WorkspaceReview) -> dict[str, Any]:
    changes = sorted(_effect(change) for change in each.changes)
    entry = asdict(_entry(each))
    # Said by `formerly` among the changes already: a hash that was approved stays as it was.
    del entry["home"]
    return {"id": each.id, **entry, "changes": changes}


def _effect(change: Change) -> list[str]:
    return [change.path, change.kind, change.effect.value, change.fingerprint]


def worse(reviewed: ChangeSet, now: ChangeSet) -> tuple[Worse, ...]:
    """Give the workspaces to which `now` does more harm than `reviewed` said, worst first."""
    found = [
        Worse(id=id_, reviewed=_severity(reviewed, id_), now=entry.severity, message=told)
        for id_, entry in sorted(now.workspaces.items())
        if (told := _worse(reviewed.workspaces.get(id_), entry))
    ]
    return tuple(sorted(found, key=lambda each: (-each.now, each.id)))


def _severity(reviewed: ChangeSet, id_: str) -> Severity:
    entry = reviewed.workspaces.get(id_)
    return entry.severity if entry else Severity.NONE


def _worse(before: Entry | None, after: Entry) -> str:
    """Say how an entry is more destructive than it was; "" when it is not."""
    if after.severity < Severity.STOPS or after.held:
        return ""
    if before is None:
        return f"{after.action}: it was not part of what was reviewed"
    if before.held or after.severity > before.severity:
        kept = " that was held back" if before.held else ""
        return f"{after.action}: what was reviewed is {before.action}{kept}"
    if after.severity is Severity.HANDS_OVER and _whose(before) != _whose(after):
        return f"{after.action}: a home goes to another than was reviewed"
    return ""


def _whose(entry: Entry) -> tuple[str, str, str, str]:
    return entry.owner, entry.former_owner, entry.formerly, entry.home
