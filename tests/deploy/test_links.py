"""Links in run folders' places lead the engine nowhere, where the run folders' mount is as its unit has it.

It alone proves that the engine itself is stopped, at both moments at which it looks: when a container is made and when
it starts. Without the mount the same container sees another folder of this machine: that is the control.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stacks.isolation.containers import IMAGE
from tests.deploy.house import EngineProxy, engine_proxy
from tests.deploy.test_engine_calls import ask
from tests.deploy.test_units import MOUNT
from tests.hub import docker

pytestmark = [pytest.mark.engine, pytest.mark.timeout(60)]

NAME = "codehub-test-links"
SECRET = "of this machine"
REFUSED = ("400", "500")
CREATED, STARTED = "201", "204"


@contextmanager
def mounted(run: Path) -> Iterator[None]:
    """Mount the run folders over themselves, as the unit does."""
    options = re.search(r"^Options=(.*)$", MOUNT.read_text(encoding="utf-8"), re.MULTILINE)
    assert options
    subprocess.run(["mount", "-o", options[1], run, run], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", run], check=True)


@pytest.fixture(scope="module")
def proxy() -> Iterator[EngineProxy]:
    with engine_proxy() as made:
        made.run.mkdir()
        docker("network", "create", made.network)
        try:
            yield made
        finally:
            docker("network", "rm", made.network)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the machine that no workspace may see."""
    (tmp_path / "file").write_text(SECRET)
    return tmp_path


@pytest.fixture
def link(proxy: EngineProxy) -> Iterator[Path]:
    """The place of a run folder; the container goes with it."""
    path = proxy.run / "one"
    yield path
    remove(path)


def remove(path: Path) -> None:
    docker("rm", "--force", "--volumes", NAME, check=False)
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        path.rmdir()


def create(proxy: EngineProxy, *, by: str) -> str:
    place, target = f"{proxy.run}/one", "/run/codehub"
    mount: dict[str, Any] = (
        {"Binds": [f"{place}:{target}"]}
        if by == "Binds"
        else {"Mounts": [{"Type": "bind", "Source": place, "Target": target}]}
    )
    kept = {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true"], **mount}
    host = {"NetworkMode": proxy.network, **kept}
    body = {"Image": IMAGE, "User": "1000:1000", "HostConfig": host}
    return ask(proxy, f"POST /containers/create?name={NAME}", json.dumps(body))


def started(proxy: EngineProxy, link: Path, elsewhere: Path, *, by: str, when: str) -> str:
    """Put the link there before the container is made, or between that and its start; gives the last status."""
    if when == "made":
        link.symlink_to(elsewhere)
    else:
        link.mkdir()
    made = create(proxy, by=by)
    if made != CREATED:
        return made
    if when == "started":
        link.rmdir()
        link.symlink_to(elsewhere)
    return ask(proxy, f"POST /containers/{NAME}/start")


def sees() -> bool:
    """Whether the container sees the other folder's file."""
    return SECRET in docker("cp", f"{NAME}:/run/codehub/file", "-", check=False)


@pytest.mark.parametrize("by", ["Binds", "Mounts"])
@pytest.mark.parametrize("when", ["made", "started"])
def test_a_link_leads_nowhere(
    proxy: EngineProxy, link: Path, elsewhere: Path, by: str, when: str
) -> None:
    assert started(proxy, link, elsewhere, by=by, when=when) == STARTED
    assert sees()
    remove(link)
    with mounted(proxy.run):
        assert started(proxy, link, elsewhere, by=by, when=when) in REFUSED
        assert not sees()
