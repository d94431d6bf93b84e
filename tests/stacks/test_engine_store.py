"""How an engine is told from the same one whose disk is not mounted: by engines of the test's own.

What Docker 20.10 says of itself, its id and its folder, is the same for both.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from stacks.power_docker import DockerPower
from tests.hub import wait_for
from tools.engine import Engine

pytestmark = pytest.mark.engine


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: socket paths end at 108 bytes."""
    folder = Path(mkdtemp(prefix="codehub-test-"))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def engine(place: Path, *, disk: Path) -> Iterator[str]:
    """Serve with this disk at the place of the data root, in namespaces that end with the engine."""
    root, host = place / "root", f"unix://{place / 'sock'}"
    root.mkdir(exist_ok=True)
    disk.mkdir(exist_ok=True)
    serve = f"mount --bind {disk} {root} && exec dockerd --data-root={root} --host={host}"
    serve += f" --exec-root={place / 'exec'} --pidfile={place / 'pid'} --bridge=none"
    serve += " --iptables=false --storage-driver=vfs"
    own = ["unshare", "--net", "--mount", "--propagation=private"]
    with (place / "log").open("ab") as log:
        process = subprocess.Popen([*own, "sh", "-c", serve], stdout=log, stderr=log)
    try:
        wait_for(Engine(host).answers, "the engine answers", seconds=60)
        yield host
    finally:
        process.terminate()
        process.wait(20)


async def identity(host: str, place: Path) -> str:
    async with DockerPower(name_prefix="x-", run=place, docker_host=host) as power:
        return await power.identity()


async def test_an_engine_whose_disk_is_not_mounted_is_another_one(place: Path) -> None:
    told: list[str] = []
    for disk in ("a", "a", "empty"):
        with engine(place, disk=place / disk) as host:
            told.append(await identity(host, place))
    with_disk, again, without = (each.rpartition(" ") for each in told)
    assert with_disk == again, "a restart changes nothing"
    assert with_disk[0] == without[0], "its id and its folder do not tell"
    assert with_disk[2] != without[2]
