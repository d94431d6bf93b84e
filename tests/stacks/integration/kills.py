"""Killing an operation at one of its events, and comparing what comes out of it in the end."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from stacks.engine import EngineEvent, Kind, Outcome
from stacks.engine.checkpoint import read
from stacks.engine.processes import read_process, session_members
from stacks.programs.inputs import WorkspaceInputs
from tests.stacks.room import Room

PLUGIN_SECONDS = 2.0
MARKER = b"what a person wrote\n"


class Target(StrEnum):
    """What is killed."""

    GROUP = "group"
    CLI = "cli"
    PLUGIN = "plugin"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One kind of operation: how to get there, and the operation."""

    name: str
    kind: Kind
    prepare: Callable[[Room, WorkspaceInputs], Awaitable[None]]
    change: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One kill: where it was meant, and where it hit."""

    scenario: str
    target: Target
    event: int
    label: str
    pids: tuple[int, ...]


@dataclass
class Watch:
    """Follows an operation's events and kills at one of them.

    Attributes:
        labels: What came, in order.
        alive: For each event, which targets had living processes.
        hit: The kill, once it was done.
    """

    scenario: str
    stack: str
    work: Path
    target: Target | None = None
    at: int = -1
    labels: list[str] = field(default_factory=list)
    alive: list[frozenset[Target]] = field(default_factory=list)
    hit: Hit | None = None
    _cli: int = 0
    _plugin: int = 0

    def __call__(self, event: EngineEvent) -> None:
        if event.kind == "message":  # their number is the plugin's affair
            return
        self.labels.append(f"{event.kind} {event.op} {event.resource}".strip())
        if len(self.labels) == self.at + 1 and self.target:
            self._kill(self.target)
        elif self.hit is None:
            # Known beforehand, a process is killed within microseconds of its event.
            self._cli = self._cli or find_cli(self.stack, self.work)
            self._plugin = self._plugin or find_plugin(self._cli)
            self.alive.append(frozenset(key for key in Target if self._pids(key)))

    def _pids(self, target: Target) -> tuple[int, ...]:
        self._cli = self._cli or find_cli(self.stack, self.work)
        if target is Target.GROUP:
            cli = read_process(self._cli)
            members = [item.pid for item in session_members(cli.session)] if cli else []
            # The CLI first: it must not see the others go and end in order.
            return tuple(sorted(members, key=lambda pid: pid != self._cli))
        self._plugin = self._plugin or find_plugin(self._cli)
        pid = self._cli if target is Target.CLI else self._plugin
        found = read_process(pid)
        return (pid,) if found and found.state != "Z" else ()

    def _kill(self, target: Target) -> None:
        self._cli = self._cli or find_cli(self.stack, self.work)
        deadline = time.monotonic() + PLUGIN_SECONDS
        while target is Target.PLUGIN and not self._plugin and time.monotonic() < deadline:
            self._plugin = find_plugin(self._cli)  # it is being started just now
        pids = tuple(pid for pid in self._pids(target) if _killed(pid))
        if pids:
            self.hit = Hit(
                scenario=self.scenario,
                target=target,
                event=self.at,
                label=self.labels[-1],
                pids=pids,
            )


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended by itself just now
        return False
    return True


def find_cli(stack: str, work: Path) -> int:
    """Give the id of the CLI's process that works on a stack, 0 when there is none.

    Args:
        stack: Name of the stack; another suite on this machine may use it too.
        work: The work folder, which is that of one engine room only.
    """
    return _find_started(stack, work) or _find_held(stack, work)


def _find_started(stack: str, work: Path) -> int:
    wanted = f"organization/codehub/{stack}".encode()
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return next((pid for pid in pids if wanted in _arguments(pid) and _folder(pid) == work), 0)


def _find_held(stack: str, work: Path) -> int:
    """Find one that was started ahead, and so without arguments: its worker's session is recorded."""
    try:
        leader = json.loads((work / f"{stack}.session").read_text())["pid"]
    except (FileNotFoundError, ValueError):  # it ended, or is being written just now
        return 0
    members = session_members(leader)
    return next(
        (item.pid for item in members if _is_cli(item.pid) and _folder(item.pid) == work), 0
    )


def find_waiting(work: Path) -> int:
    """Give the id of a CLI that was started ahead and waits, 0 when there is none."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return next((pid for pid in pids if _is_cli(pid) and _folder(pid) == work), 0)


def find_plugin(cli: int) -> int:
    """Give the id of the provider's process in a CLI's session, 0 while there is none."""
    found = read_process(cli) if cli else None
    pids = (item.pid for item in session_members(found.session)) if found else ()
    return next(
        (pid for pid in pids if b"pulumi-resource-docker" in b"".join(_arguments(pid)[:1])), 0
    )


def _is_cli(pid: int) -> bool:
    words = _arguments(pid)
    return words[0].endswith(b"/pulumi") and words[1:] == [b""] if words else False


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _folder(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # it ended just now
        return None


@dataclass(frozen=True, kw_only=True)
class End:
    """What is there in the end, without what differs from run to run."""

    inspect: Any
    volume: Any
    state: Any
    marker: str


async def play(
    room: Room, scenario: Scenario, *, id_: str, target: Target | None = None, at: int = -1
) -> tuple[Watch, End, Outcome]:
    """Prepare, run (killed at an event or not), run again until it is well, and look.

    Returns:
        What was seen of the first run, what is there in the end, how the last run ended.
    """
    inputs = room.inputs(id_)
    await scenario.prepare(room, inputs)
    changed = replace(inputs, **scenario.change)
    watch = Watch(scenario.name, inputs.id, room.config.work.resolve(), target, at)
    await room.run_kind(scenario.kind, changed, watch)
    marked = await mark(room, changed)
    healed = (await room.run_kind(scenario.kind, changed)).check()
    assert not (await mark(room, changed) and marked), "the home was made anew"
    # Reading the engine fills in what only a refresh does (empty lists), in both runs alike; and
    # neither it nor one more run may find anything to do.
    for kind in (Kind.REFRESH, scenario.kind):
        last = (await room.run_kind(kind, changed)).check()
        assert last.changed == (), f"{scenario.name}: {kind} after healing: {last.changed}"
    return watch, await look(room, changed), healed


async def mark(room: Room, inputs: WorkspaceInputs) -> bool:
    """Write the marker file into the home, if there is one and it has none; tell whether."""
    path = await marker(room, inputs)
    if path is None or path.exists():
        return False
    path.write_bytes(MARKER)
    return True


async def marker(room: Room, inputs: WorkspaceInputs) -> Path | None:
    if not (await room.seen(inputs)).home.exists:
        return None
    return Path((await room.volume(inputs))["Mountpoint"]) / "marker"


async def look(room: Room, inputs: WorkspaceInputs) -> End:
    """Give what is there now."""
    path = await marker(room, inputs)
    there = await room.power.container(inputs.id)
    state, _ = read(room.files(inputs))
    assert state is not None
    assert path is not None
    return End(
        inspect=without(await room.inspect(inputs), INSPECT_VARIES) if there else None,
        volume=without(await room.volume(inputs), INSPECT_VARIES),
        state=without(dict(state.content), STATE_VARIES),
        marker=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


INSPECT_VARIES = frozenset({
    "Id", "Created", "CreatedAt", "State", "GraphDriver", "Hostname", "LogPath", "HostnamePath",
    "HostsPath", "ResolvConfPath", "NetworkID", "SandboxID", "SandboxKey", "EndpointID",
})  # fmt: skip
STATE_VARIES = frozenset({
    "id", "provider", "salt", "time", "created", "modified", "sourcePosition", "stackTrace", "hostname", "container",
})  # fmt: skip


def without(value: Any, names: frozenset[str]) -> Any:
    """Copy plain values without the fields that differ from run to run."""
    if isinstance(value, Mapping):
        return {key: without(value[key], names) for key in value if key not in names}
    if isinstance(value, list):
        # Docker lists mounts in any order.
        return sorted((without(item, names) for item in value), key=repr)
    return value


def differences(one: Any, two: Any, path: str = "") -> list[str]:
    """Say where two plain values differ, for the message of a failed comparison."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        keys = sorted({*one, *two})
        pairs = [(f"{path}.{key}", one.get(key), two.get(key)) for key in keys]
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = [
            (f"{path}[{i}]", left, right)
            for i, (left, right) in enumerate(zip(one, two, strict=True))
        ]
    else:
        return [] if one == two else [f"{path}: {one!r} != {two!r}"]
    return [text for where, left, right in pairs for text in differences(left, right, where)]
