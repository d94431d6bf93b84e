"""Connecting to a socket in a folder that a tenant may write to."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.proxy.sockets import connect


@contextmanager
def listening(folder: Path, name: str = "ide.sock", backlog: int = 8) -> Iterator[socket.socket]:
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / name))
        sock.listen(backlog)
        yield sock


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def refused(run: Path, upstream: str = "unix:demo/ide.sock", workspace: str = "demo") -> str:
    before = _descriptors()
    with pytest.raises(UpstreamUnavailableError) as error:
        await connect(run, upstream, workspace=workspace)
    assert _descriptors() == before, "every descriptor is closed again"
    return str(error.value.details["reason"])


async def test_connects_however_long_the_path_is(run: Path) -> None:
    deep = run / ("x" * 200)
    (run / "s").mkdir()
    with listening(run / "s"):
        deep.mkdir()
        (run / "s").rename(deep / "demo")
        sock = await connect(deep, "unix:demo/ide.sock", workspace="demo")
        assert not sock.getblocking()
        sock.close()


async def test_data_folder_of_ours_may_be_a_link(run: Path) -> None:
    with listening(run / "real" / "demo"):
        (run / "link").symlink_to(run / "real")
        (await connect(run / "link", "unix:demo/ide.sock", workspace="demo")).close()


async def test_nothing_there(run: Path) -> None:
    assert await refused(run) == "ENOENT"
    (run / "demo").mkdir()
    assert await refused(run) == "ENOENT"


async def test_nobody_listens_any_more(run: Path) -> None:
    with listening(run / "demo"):
        pass
    assert await refused(run) == "ECONNREFUSED"


async def test_links_are_not_followed(run: Path) -> None:
    with listening(run / "other"):
        (run / "demo").mkdir()
        (run / "demo/ide.sock").symlink_to(run / "other/ide.sock")
        assert await refused(run) == "not a socket"
        (run / "demo/ide.sock").unlink()
        (run / "demo").rmdir()
        (run / "demo").symlink_to(run / "other")
        assert await refused(run) == "ENOTDIR"


@pytest.mark.parametrize("kind", ["fifo", "file", "folder"])
async def test_only_sockets_are_touched(run: Path, kind: str) -> None:
    """A FIFO would block whoever opens it for reading."""
    (run / "demo").mkdir()
    path = run / "demo/ide.sock"
    {"fifo": lambda: os.mkfifo(path), "file": path.touch, "folder": path.mkdir}[kind]()
    async with asyncio.timeout(2):
        assert await refused(run) == "not a socket"


@pytest.mark.parametrize(
    "upstream",
    [
        "",
        "demo/ide.sock",
        "unix:other/ide.sock",
        "unix:demo/../other/ide.sock",
        "unix:../run/demo/ide.sock",
        "unix:demo/..",
        "unix:demo/.hidden",
        "unix:/etc/passwd",
        "unix:demo/a/b",
        "unix:demo/ide.sock\n",
        "tcp:127.0.0.1:80",
        "http://127.0.0.1/",
    ],
)
async def test_addresses_that_are_not_this_workspaces(run: Path, upstream: str) -> None:
    with listening(run / "demo"), listening(run / "other"):
        assert await refused(run, upstream) == "address"


async def test_full_queue_is_waited_for(run: Path) -> None:
    with listening(run / "demo", backlog=0) as server:
        first = await connect(run, "unix:demo/ide.sock", workspace="demo")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await connect(run, "unix:demo/ide.sock", workspace="demo")
        async with asyncio.TaskGroup() as group:
            later = group.create_task(connect(run, "unix:demo/ide.sock", workspace="demo"))
            await asyncio.sleep(0)
            server.accept()[0].close()
        assert later.result().getpeername()
        first.close()
        later.result().close()
