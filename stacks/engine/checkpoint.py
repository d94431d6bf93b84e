"""Pulumi's state files: where they are, what they say, and mending them after a kill.

The layout is that of Pulumi's file ("DIY") backend, version 1. The CLI writes a state file
beside its place and renames it, so a kill leaves the old or the new one, with ``.bak`` one write
behind; a half-written file needs a full disk or a crash of the machine. Nothing here talks to an
engine: what an edit needs to know is given.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.engine import entries
from stacks.engine.command import ORGANIZATION, PROJECT
from stacks.engine.model import name_of

VERSION = 3


@dataclass(frozen=True)
class StateFiles:
    """Paths of one stack in the file backend rooted at `root`."""

    root: Path
    stack: str

    @property
    def checkpoint(self) -> Path:
        """The state itself."""
        return self.root / ".pulumi" / "stacks" / PROJECT / f"{self.stack}.json"

    @property
    def backup(self) -> Path:
        """The state one write before."""
        return self.checkpoint.with_suffix(".json.bak")

    @property
    def locks(self) -> Path:
        """Folder of lock files; there is one file while an operation runs."""
        return self.root / ".pulumi" / "locks" / ORGANIZATION / PROJECT / self.stack

    @property
    def history(self) -> Path:
        """Folder of what operations did, two files for each; never read by us."""
        return self.root / ".pulumi" / "history" / PROJECT / self.stack

    @property
    def backups(self) -> Path:
        """Folder of copies that a Pulumi CLI of somebody else's made; ours makes none."""
        return self.root / ".pulumi" / "backups" / PROJECT / self.stack

    @property
    def aside(self) -> tuple[Path, ...]:
        """Unreadable states that were kept beside it, the newest last."""
        named = f"{self.checkpoint.name}.corrupt-"
        found = (p for p in self.checkpoint.parent.glob("*.corrupt-*") if p.name.startswith(named))
        return tuple(sorted(found))

    def break_locks(self) -> int:
        """Remove lock files; the caller holds the lock above Pulumi's. Gives how many."""
        return _empty(self.locks)

    def prune_history(self, keep: int = 0) -> None:
        """Remove the history files but for the newest entries: the index keeps its own."""
        if not keep:
            _empty(self.history)
        for path in entries.beyond(self.history, entries.HISTORY, keep):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of the stack's files; what it held stays on the engine."""
        self.break_locks()
        self.prune_history()
        for path in (self.backup, self.checkpoint):
            path.unlink(missing_ok=True)


def _empty(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    found = [path for path in folder.iterdir() if path.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


@dataclass(frozen=True)
class Checkpoint:
    """The content of a state file.

    Attributes:
        content: The whole document, as Pulumi wrote it.
    """

    content: Mapping[str, Any]

    @classmethod
    def fresh(cls, stack: str) -> "Checkpoint":
        """Give the state of a stack that holds nothing, as ``pulumi stack init`` means it."""
        name = f"{ORGANIZATION}/{PROJECT}/{stack}"
        return cls({"version": VERSION, "checkpoint": {"stack": name}})

    @classmethod
    def parse(cls, raw: bytes) -> "Checkpoint":
        """Read a state file's bytes.

        Raises:
            ValueError: It is not a whole state file of the version that we know.
        """
        content = json.loads(raw)
        known = isinstance(content, dict) and content.get("version") == VERSION
        if not known or not _is_checkpoint(content.get("checkpoint")):
            raise ValueError("not a state file of version 3")
        return cls(content)

    @property
    def _latest(self) -> Mapping[str, Any]:
        return self.content["checkpoint"].get("latest") or {}

    @property
    def resources(self) -> Sequence[Mapping[str, Any]]:
        """All resources, as Pulumi describes them."""
        return self._latest.get("resources") or ()

    @property
    def pending(self) -> tuple[str, ...]:
        """What an ended operation had begun: ``creating container`` and the like."""
        return tuple(
            f"{item['type']} {name_of(item['resource']['urn'])}"
            for item in self._latest.get("pending_operations") or ()
        )

    @property
    def half_made(self) -> tuple[str, ...]:
        """Names of resources that are there but failed while being made."""
        return tuple(name_of(item["urn"]) for item in self.resources if _half_made(item))

    @property
    def half_changed(self) -> tuple[str, ...]:
        """Names of resources whose last change in place failed: what they are now is not known."""
        return tuple(name_of(item["urn"]) for item in self.resources if _half_changed(item))

    def identities(self, resource_type: str) -> frozenset[str]:
        """Give the engine's ids of the resources of a type that are not being replaced."""
        return frozenset(
            str(item["id"])
            for item in self.resources
            if item.get("type") == resource_type and item.get("id")
        )

    def mended(self) -> "Checkpoint":
        """Give the state without pending operations, half-made resources to be replaced.

        What failed to be changed is not: it lives, and may be at work. The engine is to be read
        before anything is compared with it, because Pulumi noted down what it asked for.
        """
        resources = [_mended(item) for item in self.resources]
        latest = {key: self._latest[key] for key in self._latest if key != "pending_operations"}
        if resources:
            latest["resources"] = resources
        checkpoint = {**self.content["checkpoint"], "latest": latest}
        return Checkpoint({**self.content, "checkpoint": checkpoint})

    def to_bytes(self) -> bytes:
        """Give what Pulumi reads."""
        return json.dumps(self.content, separators=(",", ":")).encode()


def _is_checkpoint(value: object) -> bool:
    """Whether it has what is read here and by the CLI, in the right types."""
    if not isinstance(value, dict) or not isinstance(value.get("stack"), str):
        return False
    latest = value.get("latest") or {}
    if not isinstance(latest, dict):
        return False
    pending = latest.get("pending_operations") or []
    resources = latest.get("resources") or []
    if not isinstance(pending, list) or not isinstance(resources, list):
        return False
    return all(isinstance(item, dict) and isinstance(item.get("urn"), str) for item in resources)


def _half_made(resource: Mapping[str, Any]) -> bool:
    return _failed(resource) and not _was_changed(resource)


def _half_changed(resource: Mapping[str, Any]) -> bool:
    return _failed(resource) and _was_changed(resource)


def _failed(resource: Mapping[str, Any]) -> bool:
    """Whether its last step failed with something on the engine; Pulumi says it of any step."""
    return bool(resource.get("initErrors")) and not resource.get("taint")


def _was_changed(resource: Mapping[str, Any]) -> bool:
    """Whether its last step was not the one that made it: that writes both times as one."""
    made, changed = resource.get("created"), resource.get("modified")
    return bool(made and changed) and made != changed


def _mended(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    if _half_made(resource):
        return {**resource, "taint": True}
    if _half_changed(resource):
        return {key: value for key, value in resource.items() if key != "initErrors"}
    return resource


def read(files: StateFiles) -> tuple[Checkpoint | None, str]:
    """Read a stack's state, from the copy if need be.

    Returns:
        The state, None when there is none that can be read; and what was wrong, "" if nothing.
        An unreadable file is kept beside, under ``.corrupt-<time>``.
    """
    if not files.checkpoint.exists():
        return None, ""
    try:
        return Checkpoint.parse(files.checkpoint.read_bytes()), ""
    except ValueError as error:
        kept = files.checkpoint.with_name(f"{files.checkpoint.name}.corrupt-{time.time_ns()}")
        files.checkpoint.rename(kept)
        return _copy(files), f"the state was unreadable ({error}), kept as {kept.name}"


def _copy(files: StateFiles) -> Checkpoint | None:
    try:
        return Checkpoint.parse(files.backup.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def write(files: StateFiles, checkpoint: Checkpoint) -> None:
    """Put a state in its place, whole or not at all."""
    files.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    beside = files.checkpoint.with_name(f"{files.checkpoint.name}.new")
    with beside.open("wb") as stream:
        stream.write(checkpoint.to_bytes())
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(files.checkpoint)
