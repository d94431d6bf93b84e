"""A leftover, as it is told, and what the engine and the data tree hold that may be one. Plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What a leftover is."""

    CONTAINER = "container"
    NETWORK = "network"
    IMAGE = "image"
    HOME = "home"
    VOLUME = "volume"
    TABLE = "nft table"
    RUN_FOLDER = "run folder"
    STATE = "state"
    WORK = "work file"
    SOCKET = "socket"
    TEMPORARY = "temporary file"
    PRUNED = "old records"


class Fate(StrEnum):
    """What became of it."""

    FOUND = "found"
    KEPT = "kept"
    REMOVED = "removed"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One leftover.

    Attributes:
        kind: What it is.
        id: What it is removed by: the engine's id, a path within its folder, a table's handle.
        name: What people call it.
        why: Why it is a leftover.
        workspace: The workspace that it belonged to, "" for none.
        size: Bytes, where that is cheap to tell.
        fate: What became of it.
        remedy: Why it is not removed here, and what removes it; or what went wrong.
    """

    kind: Kind
    id: str
    name: str
    why: str
    workspace: str = ""
    size: int | None = None
    fate: Fate = Fate.FOUND
    remedy: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind}:{self.id}"

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**{**data, "kind": Kind(data["kind"]), "fate": Fate(data["fate"])})


@dataclass(frozen=True, kw_only=True)
class Found:
    """A container, network, image or volume of the engine.

    Attributes:
        id: The engine's id; a volume's name.
        name: Its name.
        labels: All labels.
        running: Of a container: whether its processes are there.
        users: Of a network or image: the containers that have to do with it, running or not.
        image: Of a container: its image's id.
        networks: Of a container: ids and names of its networks.
        binds: Of a container: host paths that it mounts.
        names: Of an image: all its names.
        created: When it was made, in seconds of the engine's clock; 0 when that is not told.
        size: Bytes, where the engine tells it for nothing.
    """

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    running: bool = False
    users: tuple[str, ...] = ()
    image: str = ""
    networks: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    created: float = 0.0
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class OnEngine:
    """What one engine holds: all containers, and of the rest what bears a label of ours."""

    containers: tuple[Found, ...] = ()
    networks: tuple[Found, ...] = ()
    images: tuple[Found, ...] = ()
    volumes: tuple[Found, ...] = ()
    bridges: frozenset[str] = frozenset()
    """Interfaces of all its networks."""
    now: float = 0.0
    """Seconds of its clock."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One nft table that bears our name and our mark.

    Attributes:
        name: Its name.
        handle: Its number, which another table of that name would not have.
        interface: The bridge that its rules are for.
        is_here: Whether that interface is there.
    """

    name: str
    handle: int
    interface: str
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What Pulumi's state says of one stack.

    Attributes:
        containers: Ids of its containers.
        networks: Ids of its networks.
        volumes: Names of its volumes.
        readable: Whether it could be read; else it may hold anything.
        size: Bytes of its files.
    """

    containers: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    readable: bool = True
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or folder of the data tree, or beside it.

    Attributes:
        kind: What it would be as a leftover.
        path: Where it is, within the folder that its kind is removed from.
        stem: The workspace or stack that its name speaks of, "" for none.
        age: Seconds since it was changed.
        size: Bytes.
        dead: Whether it is a leftover by itself: a socket that nobody has, a path that is gone.
    """

    kind: Kind
    path: str
    stem: str = ""
    age: float = 0.0
    size: int | None = None
    dead: bool = False


@dataclass(frozen=True, kw_only=True)
class InTree:
    """What the data tree holds."""

    stacks: Mapping[str, Stack] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
