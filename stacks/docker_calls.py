"""Docker's answers as plain values, and its errors as ours: the seam to aiodocker.

Everything that knows Docker's JSON stands here, as pure functions; `stacks.power_docker` makes the
calls.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

import aiohttp
from aiodocker.exceptions import DockerError

from stacks import observed
from stacks.engine.model import Leftover
from stacks.errors import (
    EngineRefusedError,
    EngineUnavailableError,
    StacksError,
    StaleContainerError,
)
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import (
    HOME_PATH,
    LABEL_HOME,
    LABEL_OWNER,
    LABEL_PREFIX,
    LABEL_TREE,
    LABEL_WORKSPACE,
)
from telemetry.redact import redact_text
from telemetry.words import harmless, plain

CALL_TIMEOUT = 30.0
"""Seconds that a call may take which does no work on the engine."""

REMOVAL_TIMEOUT = 900.0
"""Seconds that the engine may take to remove a volume: as long as its files take."""

UNMAKING_TIMEOUT = 120.0
"""Seconds that the engine may take to remove a container: to end it, and to take its layer away."""

BAD_REQUEST = 400
NOT_FOUND = 404
CONFLICT = 409
UNAVAILABLE = 503
UNREACHABLE = 900
"""Status that aiodocker gives when no connection was made."""

_FORGOTTEN = re.compile(r"\btask \w+: already exists")
_ENGINES_MATTER = re.compile(
    r"no space left|disk quota|read-only file system|too many open files|cannot allocate memory"
    r"|containerd\.sock|code = Unavailable|no available|shutting down",
    re.IGNORECASE,
)

LISTED = ("Id", "Names", "Image", "State", "Labels", "Mounts", "NetworkSettings")
"""What is read of each entry of the container list."""

MAX_QUOTED = 400
"""Most characters of an engine's message that are passed on."""


@contextmanager
def translated(step: str) -> Iterator[None]:
    """Turn what aiodocker, aiohttp and deadlines raise into errors of ours."""
    try:
        yield
    except DockerError as error:
        raise refusal(error, step=step) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _unavailable(step, str(error) or type(error).__name__) from error


def refusal(error: DockerError, *, step: str) -> StacksError:
    """Give the error of ours that says what the engine said."""
    if error.status == UNREACHABLE:
        return _unavailable(step, str(error.message))
    return EngineRefusedError(f"the engine said: {quoted(str(error.message))}", step=step)


def unstartable(error: DockerError, *, again: bool = False) -> StacksError:
    """Give the error for a container that the engine refused to start.

    Broken is one whose network is gone: it keeps that network's id. And one of which the engine,
    killed while it started it, forgot that it runs: it is never started again, nor stopped. What else
    a kill may leave of a container has no list: one that is refused again is supposed to be broken too.

    Args:
        error: What the engine said.
        again: Whether it refused this very container right before too, and it may be broken.
    """
    told = str(error.message)
    forgotten = _FORGOTTEN.search(told) is not None
    if error.status != NOT_FOUND and not (again or forgotten):
        return refusal(error, step="start")
    stale = StaleContainerError(f"it cannot be started: {quoted(told)}", step="start")
    stale.broken = again or forgotten or "network" in told
    stale.supposed = again and not forgotten and error.status != NOT_FOUND
    return stale


def may_be_broken(error: DockerError) -> bool:
    """Whether a refused start may be the container's own fault, which another one would not have.

    Not where the engine lacks something, nor where the image is at fault, nor where it is known.
    """
    told = str(error.message)
    if error.status in {BAD_REQUEST, NOT_FOUND, UNAVAILABLE, UNREACHABLE}:
        return False
    own = "shim" in told  # that of this very container
    return not _FORGOTTEN.search(told) and (own or not _ENGINES_MATTER.search(told))


def _unavailable(step: str, detail: str) -> EngineUnavailableError:
    return EngineUnavailableError(f"the engine does not answer: {quoted(detail)}", step=step)


def quoted(message: str) -> str:
    """Cut a foreign message to one harmless line, without credentials; `nothing` when it has no words."""
    # Before lines are joined: what steers a terminal and isn't ended, ends with its line.
    line = harmless(" ".join(plain(redact_text(message)).split()))
    if not line:
        return "nothing"
    return line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + "…"


def container_of(data: Mapping[str, Any]) -> Container:
    """Read one entry of the container list."""
    labels = data.get("Labels") or {}
    return Container(
        id=data["Id"],
        name=data["Names"][0].removeprefix("/") if data.get("Names") else "",
        workspace=labels.get(LABEL_WORKSPACE, ""),
        state=data["State"],
        image=data["Image"],
        labels=labels,
        home=_home_mounted(data.get("Mounts") or ()),
        observed=observed.listed(data),
    )


def inspected_container(
    data: Mapping[str, Any], image: Mapping[str, Any] | None = None
) -> Container:
    """Read the answer of an inspect, beside its image's where that is known."""
    labels = data["Config"].get("Labels") or {}
    return Container(
        id=data["Id"],
        name=data["Name"].removeprefix("/"),
        workspace=labels.get(LABEL_WORKSPACE, ""),
        state=data["State"]["Status"],
        image=data["Config"]["Image"],
        labels=labels,
        home=_home_mounted(data.get("Mounts") or ()),
        observed=observed.inspected(data, image),
    )


def holds(data: Mapping[str, Any], volume: str, place: str) -> bool:
    """Whether an entry of the container list mounts a volume, or binds where the engine keeps it.

    Args:
        data: The entry.
        volume: The volume's name.
        place: Its folder on the engine's machine, "" where that is not known.
    """
    mounts: Iterable[Mapping[str, Any]] = data.get("Mounts") or ()
    return any(
        mount.get("Name") == volume
        if mount.get("Type") == "volume"
        else mount.get("Type") == "bind" and _binds(str(mount.get("Source", "")), volume, place)
        for mount in mounts
    )


def _binds(source: str, volume: str, place: str) -> bool:
    """Whether a bound folder is a volume's, is in it, or is the one that the engine made for it.

    What lies further up (the engine's whole folder, for one that watches the machine) is no use of
    this volume.
    """
    if not place:
        return False
    path, home = PurePosixPath(normpath(source)), PurePosixPath(normpath(place))
    own = home.parent if home.parent.name == volume else home
    return path == own or path.is_relative_to(home)


def _home_mounted(mounts: Iterable[Mapping[str, Any]]) -> str:
    """Give the volume at the home's place; an image may ask for more volumes, at other places."""
    volumes = (mount for mount in mounts if mount.get("Type") == "volume")
    return next((mount["Name"] for mount in volumes if mount["Destination"] == HOME_PATH), "")


def volumes_in_home(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the places inside the home at which an image asks for a volume.

    Docker makes one without a name there, and it goes with its container. At the home itself our
    own volume is mounted instead.
    """
    declared = (image.get("Config") or {}).get("Volumes") or {}
    # Docker keeps them as they were written: `home//coder/x/` too.
    places = {normpath(f"/{place.strip('/')}") for place in declared}
    return tuple(sorted(place for place in places if place.startswith(f"{HOME_PATH}/")))


def memory_used(sample: Mapping[str, Any]) -> int:
    """Give the bytes that a container cannot do without: what it uses, but for cached files."""
    memory = sample.get("memory_stats") or {}
    details = memory.get("stats") or {}
    # With `total_` in cgroup v1.
    cached = sum(
        details.get(f"total_{kind}", details.get(kind, 0))
        for kind in ("active_file", "inactive_file")
    )
    return max(0, int(memory.get("usage", 0)) - int(cached))


def home_of(data: Mapping[str, Any]) -> HomeVolume | None:
    """Read one volume; None when its labels do not make it a home."""
    labels = data.get("Labels") or {}
    workspace, number = labels.get(LABEL_WORKSPACE), labels.get(LABEL_HOME, "")
    if not workspace or not number.isdecimal():
        return None
    owner = labels.get(LABEL_OWNER, "")
    return HomeVolume(
        workspace=workspace,
        number=int(number),
        name=data["Name"],
        owner=owner,
        tree=labels.get(LABEL_TREE, ""),
    )


def homes_of(answer: Mapping[str, Any], *, name_prefix: str) -> dict[str, tuple[HomeVolume, ...]]:
    """Read a list of volumes into homes by workspace, by rising number."""
    found: dict[str, list[HomeVolume]] = {}
    for data in answer.get("Volumes") or []:
        home = home_of(data)
        # The name is checked too: a label copied by hand onto another volume makes no home.
        if home and home.name == f"{name_prefix}{home.workspace}-home-{home.number}":
            found.setdefault(home.workspace, []).append(home)
    return {
        workspace: tuple(sorted(homes, key=lambda home: home.number))
        for workspace, homes in found.items()
    }


def leftover(kind: str, data: Mapping[str, Any]) -> Leftover:
    """Read a container, volume or network, listed or inspected."""
    labels = data.get("Labels") or (data.get("Config") or {}).get("Labels") or {}
    names = data.get("Names") or [data.get("Name", "")]
    name = names[0].removeprefix("/")
    return Leftover(kind=kind, id=data.get("Id") or name, name=name, labels=labels)


def label_filter(labels: Mapping[str, str]) -> dict[str, list[str]]:
    """Give the filter that lists what carries all of these labels."""
    return {"label": [f"{key}={value}" for key, value in sorted(labels.items())]}


def prefix_label(name_prefix: str) -> dict[str, str]:
    """Give the label that everything under a name prefix carries."""
    return {LABEL_PREFIX: name_prefix}
