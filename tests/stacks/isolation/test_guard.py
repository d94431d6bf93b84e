"""The guard on the real engine: when it probes, what it remembers, when it says no."""

import asyncio
import logging
import math
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
import pytest

from settings.types import Gap
from stacks.errors import EngineUnavailableError, IsolationUnenforcedError, NotLeadingError
from stacks.fence import Fence
from stacks.isolation import memory, nft
from stacks.isolation.containers import GRACE, LABEL, Cell, inmate
from stacks.isolation.guard import VALID, Guard
from stacks.isolation.probe import observe
from stacks.isolation.rules import render, table
from stacks.isolation.verdict import State
from tests.stacks.isolation.conftest import load, make_network
from tests.stacks.proxy import Cut
from tests.waiting import until

pytestmark = pytest.mark.engine

Make = Callable[..., Guard]
RULES = frozenset({Gap.HOST_IPV4, Gap.METADATA})
"""What is open on a network with IPv4 only, without our rules."""


@pytest.fixture
async def network(docker: aiodocker.Docker, prefix: str) -> AsyncIterator[str]:
    """A network without rules, with IPv4 only, as the runner makes it."""
    name = f"{prefix}net"
    await make_network(docker, name)
    try:
        yield name
    finally:
        await nft.remove(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "isolation.json"


@pytest.fixture
def make(network: str, run: Path, file: Path) -> Make:
    def made(**changes: Any) -> Guard:
        cell = Cell(network=network, run=run)
        return Guard(**{"cell": cell, "file": file, **changes})

    return made


def left(run: Path) -> list[Path]:
    return list(run.iterdir())


def probed(file: Path) -> int:
    """Tell one probe from the next: each is remembered."""
    return file.stat().st_mtime_ns


async def has_table(network: str) -> bool:
    text, _ = await nft._nft("list", "table", "inet", table(network))
    return bool(text)


@asynccontextmanager
async def keeping(guard: Guard, every: float) -> AsyncIterator[None]:
    task = asyncio.ensure_future(guard.keep(every))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_verdict_holds_for_the_next_runner_until_something_changed(
    make: Make, file: Path, network: str, docker: aiodocker.Docker
) -> None:
    async with make() as guard:
        await guard.check()
        assert await has_table(network)
        first = probed(file)
        await guard.check()
    async with make() as successor:
        await successor.check()
        assert probed(file) == first
    async with make(blocked=()) as same, make() as guard:
        await asyncio.gather(same.check(), guard.check())
        assert probed(file) == first
        await guard.verdict(anew=True)
        assert probed(file) > first
        second = probed(file)
        # At once, though it had looked a moment ago: the new bridge has another name.
        old = await guard.bridge()
        assert old is not None
        await aiodocker.networks.DockerNetwork(docker, old.id).delete()  # type: ignore[no-untyped-call]
        assert await guard.verdict() is None
        await guard.check()  # nothing can be started without it
        new = await make_network(docker, network)
        await guard.check()
        assert probed(file) > second
        text, _ = await nft._nft("list", "table", "inet", table(network))
        assert new.interface in text
        assert old.interface not in text


async def test_flushed_rules_and_old_verdicts_are_tried_again(
    make: Make, file: Path, network: str
) -> None:
    async with make() as guard:
        await guard.check()
        first = probed(file)
    # Flushed by somebody, and perhaps more than ours: loaded again, and tried.
    await nft.remove(network)
    async with make() as successor:
        await successor.check()
        assert await has_table(network)
        assert probed(file) > first
    # Old: what else enforces it may have changed without a sign.
    long_ago = time.time() - VALID - 1
    os.utime(file, (long_ago, long_ago))
    async with make() as successor:
        await successor.check()
        first = probed(file)
        assert first > (long_ago + 1) * 1e9


async def test_what_cannot_be_enforced_stops_every_start_until_somebody_closes_it(
    make: Make, file: Path, network: str
) -> None:
    """As on an engine whose rules are not ours to load."""
    async with make(loads=False) as guard:
        with pytest.raises(IsolationUnenforcedError) as caught:
            await guard.check()
        assert not await has_table(network)
        assert "host-ipv4 (open: reached " in caught.value.message
        assert "codehub isolation rules | nft -f -" in caught.value.remedy
        assert "CODEHUB_ALLOW_UNENFORCED=host-ipv4,metadata" in caught.value.remedy
        bridge = await guard.bridge()
        assert bridge is not None
        await load(render(await guard.site(bridge)))
    async with make(loads=False) as guard:
        await guard.check()


async def test_a_gap_that_is_named_is_accepted_and_no_other(make: Make) -> None:
    async with make(loads=False, allowed=RULES) as guard:
        await guard.check()
    async with make(loads=False, allowed={Gap.METADATA}) as guard:
        with pytest.raises(IsolationUnenforcedError, match="host-ipv4") as caught:
            await guard.check()
        assert "metadata" not in caught.value.message


async def test_where_all_gaps_are_accepted_nothing_is_asked_or_loaded(
    make: Make, file: Path, network: str
) -> None:
    guard = make(allowed=Gap, docker_host="unix:///nonexistent.sock")
    async with guard:
        await guard.check()
        await guard.keep(0)
    assert left(file.parent) == []
    assert not await has_table(network)


async def test_a_gap_is_tried_again_for_a_start_and_not_by_a_look(make: Make, file: Path) -> None:
    async with make(loads=False) as guard:
        await guard.look()
        first = probed(file)
    async with make(loads=False) as guard:
        await guard.look()
        assert probed(file) == first
    async with make(loads=False) as guard:
        with pytest.raises(IsolationUnenforcedError):
            await guard.check()
        assert probed(file) > first


async def test_the_keeper_says_what_is_open_once_and_loads_flushed_rules_again(
    make: Make, network: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacks.isolation.guard.FRESH", 0.0)
    with caplog.at_level(logging.WARNING):
        async with make(loads=False) as guard:
            await guard.look()
            await guard.look()
    assert caplog.text.count("host-ipv4") == 1
    async with make() as guard, keeping(guard, 0.05):
        await until(lambda: has_table(network), "the rules to be loaded")
        await nft.remove(network)
        await until(lambda: has_table(network), "the rules to be loaded again")


async def test_the_keeper_outlives_an_engine_that_is_away(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with make(docker_host="unix:///nonexistent.sock") as guard, keeping(guard, 0.01):
            await until(lambda: "does not answer" in caplog.text, "the warning")
        with pytest.raises(EngineUnavailableError):
            async with make(docker_host="unix:///nonexistent.sock") as guard:
                await guard.check()


async def test_without_the_probes_image_nothing_is_started(
    make: Make, network: str, run: Path
) -> None:
    cell = Cell(network=network, run=run, image="codehub-test-none:latest")
    async with make(cell=cell) as guard:
        with pytest.raises(IsolationUnenforcedError, match="codehub-test-none") as caught:
            await guard.check()
    assert "scripts/setup" in caught.value.remedy
    assert left(run) == []


async def test_an_image_that_does_not_serve_is_no_probe(
    make: Make,
    network: str,
    run: Path,
    derived: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stacks.isolation.containers.READY", 2.0)
    other = await derived("ENV CODEHUB_SOCKET=/tmp/elsewhere.sock")
    async with make(cell=Cell(network=network, run=run, image=other)) as guard:
        with pytest.raises(IsolationUnenforcedError, match="did not come up"):
            await guard.check()
    light = await derived("ENV A=1")
    async with make(cell=Cell(network=network, run=run, image=light)) as guard:
        with pytest.raises(IsolationUnenforcedError, match="did not answer"):
            await guard.check()
    assert left(run) == []


async def test_who_is_cut_off_while_probes_start_ends_soon_and_leaves_nothing(
    make: Make, network: str, run: Path, docker: aiodocker.Docker
) -> None:
    """An engine may never answer who removes a container whose start was cut off."""

    async with make() as guard:
        for _ in range(5):
            asked = asyncio.ensure_future(guard.verdict(anew=True))
            await until(lambda: probes(docker, network), "a probe is made")
            asked.cancel()
            async with asyncio.timeout(2 * GRACE + 1):
                await asyncio.wait({asked})
            assert asked.cancelled()
            await until(lambda: gone(docker, network), "both are gone")
    assert left(run) == []


@pytest.fixture
async def cut(run: Path) -> AsyncIterator[Cut]:
    """A way to the engine that holds what a test says."""
    way = Cut(run.parent / "engine.sock")
    await way.join()
    yield way
    await way.cut()


async def once(way: Cut, cell: Cell) -> None:
    async with aiodocker.Docker(url=way.host) as docker, inmate(docker, cell, "one"):
        pass


@pytest.mark.parametrize("what", ["/start ", "DELETE "])
async def test_what_the_engine_has_begun_is_awaited_by_who_is_cut_off(
    what: str, network: str, run: Path, docker: aiodocker.Docker, cut: Cut
) -> None:
    held = cut.starts if what == "/start " else cut.removes
    held.clear()
    going = asyncio.ensure_future(once(cut, Cell(network=network, run=run)))
    await until(lambda: any(what in line for line in cut.asked), "it is asked for")
    going.cancel()
    ended, _ = await asyncio.wait({going}, timeout=0.3)
    assert not ended
    held.set()
    await asyncio.wait({going})
    assert going.cancelled()
    assert await probes(docker, network) == 0
    assert left(run) == []


async def test_who_is_cut_off_twice_waits_for_no_start(
    network: str,
    run: Path,
    docker: aiodocker.Docker,
    cut: Cut,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stacks.isolation.containers.GRACE", 3600)
    cut.starts.clear()
    going = asyncio.ensure_future(once(cut, Cell(network=network, run=run)))
    await until(lambda: any("/start " in line for line in cut.asked), "it is asked for")
    for _ in range(2):
        going.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({going}, timeout=20)
    assert going.cancelled()
    assert await probes(docker, network) == 0
    assert left(run) == []


async def test_an_engine_that_hangs_is_not_waited_for_twice(
    network: str, run: Path, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who could not start it waits for its removal no longer than who is told to end."""
    monkeypatch.setattr("stacks.isolation.containers.GRACE", 0.1)
    cut.starts.clear()
    cut.removes.clear()
    cell = Cell(network=network, run=run)
    patience = aiohttp.ClientTimeout(total=0.5)
    async with aiodocker.Docker(url=cut.host, timeout=patience) as docker, asyncio.timeout(5):
        with pytest.raises(EngineUnavailableError):
            async with inmate(docker, cell, "one"):
                pass
    assert left(run) == []


async def probes(docker: aiodocker.Docker, network: str) -> int:
    asked = {"label": [f"{LABEL}={network}"]}
    return len(await docker.containers.list(all=True, filters=asked))


async def gone(docker: aiodocker.Docker, network: str) -> bool:
    return await probes(docker, network) == 0


async def test_without_nft_the_probe_tells(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with make() as guard:
        found = await guard.verdict()
    assert found is not None
    assert {each.gap for each in found.unenforced()} == RULES
    assert {each.state for each in found.unenforced()} <= {State.OPEN, State.UNPROVEN}


async def test_what_could_not_be_told_is_tried_once_more(
    make: Make, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that was busy during the first trial."""
    async with make() as guard:
        bridge = await guard.bridge()
        assert bridge is not None
        text = render(await guard.site(bridge))
        seen = [await _seen_without_answers(guard, text), None]

        async def once_blind(*args: Any, **more: Any) -> Any:
            first = seen.pop(0)
            return first or await observe(*args, **more)

        monkeypatch.setattr("stacks.isolation.guard.observe", once_blind)
        await load(text)
        await guard.check()
    assert seen == []


async def _seen_without_answers(guard: Guard, text: str) -> Any:
    await load(text.replace("\t\tct state established,related accept\n", ""))
    bridge = await guard.bridge()
    assert bridge is not None
    return await observe(guard._docker, bridge=bridge, cell=guard._cell, engine=guard._host)


async def test_without_the_lease_nothing_is_loaded_or_probed(
    make: Make, file: Path, network: str
) -> None:
    fence = Fence()
    async with make(fence=fence) as guard:
        with pytest.raises(NotLeadingError):
            await guard.check()
        assert not await has_table(network)
        assert await asyncio.to_thread(memory.read, file) is None
        fence.extend(math.inf)
        await guard.check()
    assert await has_table(network)


async def test_rules_that_were_loaded_are_kept_for_the_machines_next_start(
    make: Make, network: str, tmp_path: Path
) -> None:
    """They load where neither engine nor network is: here, a network namespace without anything."""
    rules = tmp_path / "isolation.nft"
    async with make(rules=rules) as guard:
        await guard.check()
    assert rules.stat().st_mode & 0o777 == 0o600
    script = f"nft -f {rules} && nft list table inet {table(network)}"
    started = await asyncio.create_subprocess_exec(
        *("unshare", "--net", "sh", "-c", script), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await started.communicate()
    listed, _ = await nft.run("list", "table", "inet", table(network))
    assert started.returncode == 0
    assert said.decode() == listed != ""
