"""Looks at a Docker engine for leftovers, and removes containers, networks and images. No volume.

Nothing is forced: what runs or is in use by then, the engine refuses to remove.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import aiodocker
from aiodocker.exceptions import DockerError
from aiodocker.networks import DockerNetwork

from stacks.docker_calls import NOT_FOUND, translated
from stacks.fence import Fence
from stacks.gc.decide import IMAGE_LABEL
from stacks.gc.model import Found, Kind, OnEngine
from stacks.isolation.bridge import interface_of
from stacks.power import RUNNING_STATES

STEP = "gc"
UNTAGGED = "<none>:<none>"
BUILT = {"label": [IMAGE_LABEL]}


async def look(docker: aiodocker.Docker) -> OnEngine:
    """List what there is, in one call of each kind.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    with translated(STEP):
        listed = await docker.containers.list(all=True)
        networks = await docker.networks.list()
        images = await docker.images.list(filters=BUILT)
        volumes = await docker.volumes.list()  # type: ignore[no-untyped-call]
        facts = await docker.system.info()
    containers = tuple(_container(dict(data._container)) for data in listed)  # noqa: SLF001
    return OnEngine(
        containers=containers,
        networks=tuple(_network(data, containers) for data in networks),
        images=tuple(_image(data, containers) for data in images),
        volumes=tuple(_volume(data) for data in volumes.get("Volumes") or ()),
        bridges=frozenset(interface_of(data) for data in networks),
        now=_seconds(str(facts.get("SystemTime") or "")),
    )


async def container(docker: aiodocker.Docker, id_: str) -> Found | None:
    """Look at one container again, None when it is gone.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    with translated(STEP):
        try:
            data = await docker.containers.container(id_).show()
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return None
    return Found(
        id=data["Id"],
        name=data["Name"].removeprefix("/"),
        labels=data["Config"].get("Labels") or {},
        running=data["State"]["Status"] in RUNNING_STATES,
        created=_seconds(str(data.get("Created") or "")),
    )


async def names(docker: aiodocker.Docker, id_: str) -> tuple[str, ...]:
    """Give the names that an image has by now; none when it is gone.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    with translated(STEP):
        try:
            return _names(await docker.images.inspect(id_))
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return ()


async def remove(docker: aiodocker.Docker, kind: Kind, id_: str, *, fence: Fence) -> None:
    """Remove a container, network or image, never by force; gone already is fine.

    Raises:
        NotLeadingError: We may not.
        EngineRefusedError: It runs, or is in use.
        EngineUnavailableError: The engine does not answer.
    """
    with translated(STEP):
        fence.check(STEP)
        try:
            if kind is Kind.CONTAINER:
                await docker.containers.container(id_).delete()
            elif kind is Kind.NETWORK:
                await DockerNetwork(docker, id_).delete()  # type: ignore[no-untyped-call]
            else:
                assert kind is Kind.IMAGE, kind
                # With the nameless images of its build's steps, which hold what it takes of the disk.
                await docker.images.delete(id_)
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise


def _container(data: Mapping[str, Any]) -> Found:
    networks = (data.get("NetworkSettings") or {}).get("Networks") or {}
    ids = {told.get("NetworkID") or "" for told in networks.values()}
    names = data.get("Names") or [""]
    return Found(
        id=data["Id"],
        name=names[0].removeprefix("/"),
        labels=data.get("Labels") or {},
        running=data["State"] in RUNNING_STATES,
        image=data.get("ImageID") or "",
        networks=frozenset({*networks, *ids} - {""}),
        binds=frozenset(m["Source"] for m in data.get("Mounts") or () if m.get("Type") == "bind"),
        created=float(data.get("Created") or 0),
    )


def _network(data: Mapping[str, Any], containers: Iterable[Found]) -> Found:
    mine = {data["Id"], data["Name"]}
    # One that is stopped could not be started any more.
    users = {found.name for found in containers if found.networks & mine}
    users |= {told.get("Name") or "?" for told in (data.get("Containers") or {}).values()}
    return Found(
        id=data["Id"],
        name=data["Name"],
        labels=data.get("Labels") or {},
        users=tuple(sorted(users)),
        created=_seconds(str(data.get("Created") or "")),
    )


def _image(data: Mapping[str, Any], containers: Iterable[Found]) -> Found:
    tags = _names(data)
    return Found(
        id=data["Id"],
        name=tags[0] if tags else "",
        names=tags,
        labels=data.get("Labels") or {},
        users=tuple(found.name for found in containers if found.image == data["Id"]),
        created=float(data.get("Created") or 0),
        size=int(data.get("Size") or 0),
    )


def _names(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(tag for tag in data.get("RepoTags") or () if tag != UNTAGGED))


def _volume(data: Mapping[str, Any]) -> Found:
    return Found(id=data["Name"], name=data["Name"], labels=data.get("Labels") or {})


def _seconds(told: str) -> float:
    """Read an RFC 3339 time of nanoseconds; 0 when it is none."""
    try:
        return datetime.fromisoformat(told).timestamp()
    except ValueError:
        return 0.0
