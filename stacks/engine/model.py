"""What goes into an operation and what comes out of it. Plain values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from stacks.errors import StacksError, Violation

WORKSPACE_PROGRAM = "stacks.programs.docker:WORKSPACE"
SHARED_PROGRAM = "stacks.programs.docker:SHARED"


def name_of(urn: str) -> str:
    """Give a resource's Pulumi name, the last part of its URN."""
    return urn.rpartition("::")[2]


class Kind(StrEnum):
    """What an operation does."""

    PREVIEW = "preview"
    UP = "up"
    DESTROY = "destroy"
    """Removes everything but protected resources: the home stays, in the state too."""
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One Pulumi operation on one stack.

    Attributes:
        kind: What to do.
        stack: Name of the stack (letters, digits, ``-``, ``_``, ``.``).
        program: ``module:name`` of a `stacks.programs.program.Program` that renders `inputs`.
        inputs: JSON-able inputs of the program (``WorkspaceInputs(...).to_json()``).
        policies: Whether the policy pack is run (preview and up only).
        rules: What `_policies.yaml` says of this stack's resources, plain; see
            `policies.catalogue.pack_rules`.
        refresh: Whether the engine is read before comparing (preview and up only).
        timeout: Seconds until the operation is ended; None takes the engine's.
        request_id: Passed on to logs.
    """

    kind: Kind
    stack: str
    program: str = WORKSPACE_PROGRAM
    inputs: Mapping[str, Any] = field(default_factory=dict)
    policies: bool = True
    rules: Mapping[str, Any] = field(default_factory=dict)
    refresh: bool = False
    timeout: float | None = None
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """What happens, or happened, to one resource.

    Attributes:
        op: ``same``, ``create``, ``update``, ``replace``, ``delete``, ``import`` or ``read``.
        type: Type token, for example ``docker:index/container:Container``.
        name: Pulumi name: ``container``, ``home``, ``network``.
        properties: Changed property paths with their kind (add, update, delete, ...-replace).
        replace_keys: Properties that force the replacement.
    """

    op: str
    type: str
    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
    replace_keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an operation ended. Failures are values: `error` says what and what to do.

    Attributes:
        changes: One per resource, in the order of the engine's events; providers left out.
        outputs: The stack's outputs (up only).
        duration: Wall seconds.
        error: None when it ended well.
        violations: Advisory policy findings (mandatory ones are in `error`).
        recovered: What was picked up before the operation, one line each.
    """

    changes: tuple[ResourceChange, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    duration: float = 0.0
    error: StacksError | None = None
    violations: tuple[Violation, ...] = ()
    recovered: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the operation ended well."""
        return self.error is None

    @property
    def changed(self) -> tuple[ResourceChange, ...]:
        """The changes that are not ``same``."""
        return tuple(change for change in self.changes if change.op != "same")

    def check(self) -> "Outcome":
        """Raise `error` if there is one, else give the outcome itself."""
        if self.error is not None:
            raise self.error
        return self


@dataclass(frozen=True, kw_only=True)
class EngineEvent:
    """One step of a running operation, for progress and logs.

    Attributes:
        kind: ``begin``, ``done``, ``failed``, ``message`` or ``policy``.
        op: As in `ResourceChange`, "" for messages.
        resource: Pulumi name of the resource, "" for messages.
        message: Text of a diagnostic, else "".
    """

    kind: str
    op: str = ""
    resource: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An object on the engine that carries our labels.

    Attributes:
        kind: ``container``, ``volume`` or ``network``.
        id: The engine's id (a volume's is its name).
        name: Its name.
        labels: Its labels.
        ours: Whether this data tree made it, rather than another one.
    """

    kind: str
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ours: bool = True


class Leftovers(Protocol):
    """What recovery needs of the container engine; `stacks.power` implements it."""

    @property
    def tree_file(self) -> str:
        """The data tree's file of ids, for messages."""

    async def find(self, labels: Mapping[str, str]) -> tuple[Leftover, ...]:
        """Give containers, volumes and networks that carry all of these labels."""

    async def named(self, kind: str, name: str) -> Leftover | None:
        """Give the object of that name, whoever made it, or None."""

    async def remove_container(self, container_id: str) -> None:
        """Remove a container by force; gone already is fine. Volumes stay."""


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """Where the engine room finds and keeps things.

    Attributes:
        pulumi: The Pulumi CLI.
        pulumi_home: Pulumi's own folder with the plugin cache.
        state: Folder of the file backend (0700).
        work: Folder of project files, settings and the passphrase (0700).
        docker_host: ``unix:///...`` or None for the default; may hold credentials.
        timeout: Seconds that an operation may take.
        grace: Seconds between SIGINT and SIGKILL.
        history: Entries of Pulumi's history that are kept for each stack.
        logs: Bytes of the CLI's logs that it keeps.
        ahead: Whether a CLI is started before there is an operation for it.
    """

    pulumi: Path
    pulumi_home: Path
    state: Path
    work: Path
    docker_host: str | None = field(default=None, repr=False)
    timeout: float = 300.0
    grace: float = 10.0
    history: int = 0
    logs: int = 16 << 20
    ahead: bool = False
