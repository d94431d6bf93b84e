"""Lines of JSON between the runner and a worker. Nothing here decides anything.

Runner → worker: `hold` or nothing, the `Request`, then ``{"stop": true}``, ``{"drained": true}`` or ``{"until": 12.5}``.
Worker → runner: ``{"held": true}`` after a `hold`, then ``{"event": {...}}``, ``{"drained": true}`` and, last, ``{"result": {...}}``.
Either end closing means that the other is dead.
"""

import json
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stacks.engine.model import EngineConfig, Kind, Operation

READY = b"ready"
"""What the fork server says once all is imported."""

_PATHS = ("pulumi", "pulumi_home", "state", "work")


@dataclass(frozen=True, kw_only=True)
class Request:
    """All that a worker needs.

    Attributes:
        operation: What to do.
        config: Where things are.
        adopt: Resources to be taken from the container engine instead of made.
        until: When the runner's right to act ends unless it is told otherwise, in seconds of this
            machine's monotonic clock.
    """

    operation: Operation
    config: EngineConfig
    adopt: frozenset[str] = frozenset()
    until: float = math.inf

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "operation": asdict(self.operation),
            "config": _plain(self.config),
            "adopt": sorted(self.adopt),
            "until": self.until,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Request":
        """Take what `to_json` gave."""
        operation = {**data["operation"], "kind": Kind(data["operation"]["kind"])}
        return cls(
            operation=Operation(**operation),
            config=_config(data["config"]),
            adopt=frozenset(data["adopt"]),
            until=data["until"],
        )


def hold(config: EngineConfig, *, salt: str) -> dict[str, Any]:
    """Give what has a worker start its CLI before there is a request."""
    return {"hold": _plain(config), "salt": salt}


def held(data: Mapping[str, Any]) -> tuple[EngineConfig, str]:
    """Take what `hold` gave."""
    return _config(data["hold"]), data["salt"]


def _plain(config: EngineConfig) -> dict[str, Any]:
    return {**asdict(config), **{key: str(getattr(config, key)) for key in _PATHS}}


def _config(data: Mapping[str, Any]) -> EngineConfig:
    return EngineConfig(**{**data, **{key: Path(data[key]) for key in _PATHS}})


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a worker found out.

    Attributes:
        exit_code: The CLI's; negative is the signal that ended it.
        stderr: End of what the CLI said.
        changes: As in `Outcome`, plain.
        outputs: The stack's.
        errors: (resource, text) of each error that Pulumi told.
        policies: What policies said, plain.
        settle: Failure of the program's last part, plain; None when it ended well.
    """

    exit_code: int
    stderr: str = ""
    changes: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    settle: dict[str, Any] | None = None


class Lines:
    """The worker's end: blocking, any thread may write."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._reader = connection.makefile("rb")

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line; a runner that is gone is told by `receive`."""
        with self._lock:
            self._connection.sendall(encode(message))

    def receive(self) -> Iterator[dict[str, Any]]:
        """Give what the runner says until it closes."""
        for line in self._reader:
            yield json.loads(line)

    def close(self) -> None:
        """Close this end."""
        self._reader.close()
        self._connection.close()


def encode(message: Mapping[str, Any]) -> bytes:
    """Give a message as one line."""
    return json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
