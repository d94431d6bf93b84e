"""Each rule by itself: with all of them nothing is reached, without one its own probe finds the gap."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiodocker
import pytest

from settings.types import Gap
from stacks.isolation import hosts
from stacks.isolation.verdict import State
from stacks.rundir import TENANT_UID
from tests.stacks.isolation.conftest import Yard, closed, sh
from tests.waiting import until

pytestmark = pytest.mark.engine

DOCKER_SOCKET = "/var/run/docker.sock"


async def test_with_all_rules_nothing_is_reached_and_names_are_resolved(yard6: Yard) -> None:
    verdict = await yard6.judge()
    assert {each.gap: each.state for each in verdict.findings} == dict.fromkeys(Gap, State.CLOSED)
    assert verdict.named
    left = await yard6.docker.containers.list(all=True)
    assert [one for one in left if yard6.bridge.name in one["Names"][0]] == []
    assert list(yard6.run.iterdir()) == []


@pytest.mark.parametrize("gap", [Gap.HOST_IPV4, Gap.HOST_IPV6, Gap.WORKSPACE_IPV6])
async def test_without_its_rule_the_way_is_open(yard6: Yard, gap: Gap) -> None:
    await yard6.load_without(f'comment "{gap}"')
    assert await yard6.gaps() == {gap: State.OPEN}


async def test_without_the_networks_option_ipv4_between_workspaces_is_open(
    docker: aiodocker.Docker, prefix: str, run: Path
) -> None:
    async with closed(docker, f"{prefix}open", run, Options={}) as yard:
        assert await yard.gaps() == {Gap.WORKSPACE_IPV4: State.OPEN}


@asynccontextmanager
async def metadata_service(yard: Yard) -> AsyncIterator[None]:
    """A service at the metadata's address, to which only packets from our bridge find the way."""
    ns = yard.bridge.name
    table = str(20000 + os.getpid() % 10000)
    link, there = f"v{yard.bridge.id[:10]}", "198.18.77.2"
    rule = ("iif", yard.bridge.interface, "lookup", table)
    await sh("ip", "netns", "add", ns)
    try:
        await sh("ip", "link", "add", link, "type", "veth", "peer", "name", "far", "netns", ns)
        await sh("ip", "addr", "add", "198.18.77.1/30", "dev", link)
        await sh("ip", "link", "set", link, "up")
        for words in (
            ("addr", "add", f"{there}/30", "dev", "far"),
            ("addr", "add", "169.254.169.254/32", "dev", "lo"),
            ("link", "set", "lo", "up"),
            ("link", "set", "far", "up"),
            ("route", "add", "default", "via", "198.18.77.1"),
        ):
            await sh("ip", "-n", ns, *words)
        await sh("ip", "route", "add", "169.254.169.254/32", "via", there, "table", table)
        await sh("ip", "rule", "add", *rule)
        server = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", ns, sys.executable, "-u", "-m", "http.server", "80"),
            cwd=yard.run,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert server.stdout is not None
        assert b"Serving" in await server.stdout.readline()
        try:
            yield
        finally:
            server.terminate()
            await server.communicate()
            await sh("ip", "rule", "del", *rule)
            await sh("ip", "route", "flush", "table", table)
    finally:
        await sh("ip", "netns", "del", ns)


async def test_without_its_rule_a_metadata_service_is_open(yard: Yard) -> None:
    async with metadata_service(yard):
        found = {each.gap: each for each in (await yard.judge()).findings}[Gap.METADATA]
        assert (found.state, found.detail) == (State.CLOSED, "our rule answered")
        await yard.load_without(f'comment "{Gap.METADATA}"')
        assert await yard.gaps() == {Gap.METADATA: State.OPEN}


async def test_without_its_rule_metadata_is_not_called_closed_anywhere(yard: Yard) -> None:
    """Whether there is a service depends on the machine; without one, nothing can be shown."""
    await yard.load_without(f'comment "{Gap.METADATA}"')
    assert set(await yard.gaps()) == {Gap.METADATA}


async def test_with_a_shared_mount_anothers_socket_is_open(yard: Yard) -> None:
    # As where the runner itself is of the tenant's uid: then no mode keeps the tenant out.
    os.chown(yard.run, TENANT_UID, TENANT_UID)
    assert await yard.gaps(f"{yard.run}:/srv/run") == {Gap.WORKSPACE_SOCKET: State.OPEN}


async def test_with_a_run_folder_that_is_open_to_all_anothers_socket_is_open(yard: Yard) -> None:
    yard.run.chmod(0o755)
    assert await yard.gaps() == {Gap.WORKSPACE_SOCKET: State.OPEN}


@asynccontextmanager
async def engine_for_all(folder: Path) -> AsyncIterator[Path]:
    """The engine behind a socket that everybody may use."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine, to_engine = await asyncio.open_unix_connection(DOCKER_SOCKET)
        await asyncio.gather(pipe(reader, to_engine), pipe(engine, writer))

    path = folder / "engine.sock"
    async with await asyncio.start_unix_server(relay, path) as server:
        path.chmod(0o666)
        yield path
        server.close()


async def test_with_the_engines_socket_mounted_it_is_open(yard: Yard) -> None:
    async with engine_for_all(yard.run.parent) as path:
        assert await yard.gaps(f"{path}:/srv/engine.sock") == {Gap.ENGINE_SOCKET: State.OPEN}


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def test_the_engines_own_mode_keeps_a_workspace_out_too(yard: Yard) -> None:
    assert not mode(DOCKER_SOCKET) & stat.S_IRWXO
    assert await yard.gaps(f"{DOCKER_SOCKET}:/srv/engine.sock") == {}


async def test_a_probe_that_nothing_can_reach_proves_nothing(yard: Yard) -> None:
    """What a broken probe looks like: all its packets are lost, so nothing that it tries works."""
    await yard.load_without("ct state established,related accept")
    unproven = (Gap.WORKSPACE_IPV4, Gap.HOST_IPV4)
    assert await yard.gaps() == dict.fromkeys(unproven, State.UNPROVEN)


async def test_the_network_with_both_has_all_ways(yard6: Yard) -> None:
    assert {gateway.version for gateway in yard6.bridge.gateways} == {4, 6}
    await until(lambda: hosts.link_local(yard6.bridge.interface), "a link-local address")
