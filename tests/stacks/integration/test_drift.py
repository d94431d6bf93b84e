"""Hand-made drift on the real engine under one daemon: found, told, and healed or reported."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import aiodocker
import pytest

from stacks import open_runner
from stacks.demand import Demand
from stacks.drift_watch import EVERY, DriftWatch
from stacks.engine_events import Gap, Happened
from state_index.index import Index
from state_index.phases import Phase, Sync
from tests.stacks.house import House
from tests.waiting import until

pytestmark = pytest.mark.engine

Hand = Callable[[House, str], Awaitable[None]]


def container(house: House, id_: str) -> Any:
    return house.docker.containers.container(f"{house.prefix}{id_}")


async def stop(house: House, id_: str) -> None:
    await container(house, id_).stop(t=0)


async def remove(house: House, id_: str) -> None:
    await house.remove_container(id_)


async def update(house: House, id_: str, **limits: Any) -> None:
    path = f"containers/{house.prefix}{id_}/update"
    await house.docker._query_json(path, method="POST", data=limits)


async def in_place(house: House, id_: str) -> None:
    limits = {"Memory": 128 << 20, "MemorySwap": 256 << 20, "PidsLimit": 999}
    await update(house, id_, **limits, RestartPolicy={"Name": "no"})


async def cpu(house: House, id_: str) -> None:
    await update(house, id_, NanoCpus=2_000_000_000, CpuShares=512)


async def detach(house: House, id_: str) -> None:
    network = await house.docker.networks.get(f"{house.prefix}net")
    await network.disconnect({"Container": f"{house.prefix}{id_}", "Force": True})


async def recreate(house: House, id_: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Put another container in its place, with the same labels but for a change."""
    found = await house.inspect(id_)
    config = {**found["Config"], "HostConfig": found["HostConfig"]}
    change(config)
    name = f"{house.prefix}{id_}"
    for _ in range(10):  # it may be healed in between
        spare = await house.docker.containers.create(config, name=f"{name}.spare")
        with contextlib.suppress(aiodocker.exceptions.DockerError):
            await house.remove_container(id_)
        with contextlib.suppress(aiodocker.exceptions.DockerError):
            await spare.rename(name)
            await spare.start()
            return
        with contextlib.suppress(aiodocker.exceptions.DockerError):
            await spare.delete(force=True)
    raise AssertionError(f"{name} is always healed before")


async def other_env(house: House, id_: str) -> None:
    def change(config: dict[str, Any]) -> None:
        config["Env"] = [*config["Env"], "TOKEN=s3cr3t-value"]

    await recreate(house, id_, change)


async def other_limits(house: House, id_: str) -> None:
    def change(config: dict[str, Any]) -> None:
        config["Labels"] = {**config["Labels"], "codehub.owner": "mallory"}
        config["HostConfig"] |= {"NanoCpus": 0, "CapDrop": [], "SecurityOpt": []}

    await recreate(house, id_, change)


async def the_same(house: House, id_: str) -> None:
    await recreate(house, id_, lambda _: None)


HANDS: dict[str, tuple[Hand, str]] = {
    "stop": (stop, "state running → exited"),
    "rm": (remove, "container there → gone"),
    "place": (
        in_place,
        "memory 64Mi → 128Mi, memory and swap 64Mi → 256Mi, pids 128 → 999, restart unless-st",
    ),
    "cpu": (cpu, "cpu 1 → 2, cpu shares none → 512"),
    "detach": (detach, "network {net} → none"),
    "env": (other_env, "env.TOKEN not set → set"),
    "limits": (
        other_limits,
        "cpu 1 → unlimited, capabilities dropped ALL → none, security options no-new-privileges",
    ),
    "same": (the_same, "container id "),
}
IDS = {name: f"w-{name}" for name in HANDS}


async def causes(house: House, id_: str) -> list[str]:
    def read() -> list[str]:
        with Index.open(house.settings.index_url) as index:
            return [row.cause for row in index.history(id_)]

    return await asyncio.to_thread(read)


async def all_running(house: House) -> None:
    for id_ in IDS.values():
        await house.until_phase(id_, Phase.RUNNING)


def rested(house: House, id_: str, cause: str) -> Callable[[], Awaitable[bool]]:
    """Whether a drift was told in the history, and all is well again."""
    told = re.compile(rf"drift: .*{re.escape(cause)}")

    async def met() -> bool:
        row = await asyncio.to_thread(house.row, id_)
        healed = row is not None and row.phase is Phase.RUNNING and not row.drift
        return healed and any(map(told.match, await causes(house, id_)))

    return met


async def test_every_drift_is_found_told_and_healed(house: House) -> None:
    extra = {"CODEHUB_POLL_INTERVAL": "600s", "CODEHUB_POLICIES": "false"}
    house = replace(house, extra={**extra, "CODEHUB_HEAL_REMAKES": "100"})
    for id_ in IDS.values():
        house.write(id_)
    async with house.daemon():
        await all_running(house)
        await asyncio.gather(*(house.leave_marker(id_, id_) for id_ in IDS.values()))
        before = {name: await house.started(id_) for name, id_ in IDS.items()}
        # The list comes every ten minutes here: what is found now, is found by events.
        for name, (hand, _) in HANDS.items():
            await hand(house, IDS[name])
        for name, (_, told) in HANDS.items():
            cause = told.replace("{net}", f"{house.prefix}net")
            what = f"{name}: {cause}"
            try:
                await until(rested(house, IDS[name], cause), what, within=60)
            except TimeoutError:
                row, history = house.row(IDS[name]), await causes(house, IDS[name])
                raise AssertionError(f"{what}: {row} {history}") from None
    for name, id_ in IDS.items():
        assert await house.marker(id_) == id_
        after = await house.started(id_)
        assert (after == before[name]) == (name in {"place", "detach"}), name
        assert (after[0] == before[name][0]) == (name in {"place", "detach", "stop"}), name
    results = await house.up()
    assert {result.action for result in results} == {"nothing"}
    with Index.open(house.settings.index_url) as index:
        assert "s3cr3t" not in str([index.workspaces(), *map(index.history, IDS.values())])
    assert "s3cr3t" not in house.log()


class Silence:
    """An engine whose events are cut off."""

    async def follow(self) -> AsyncGenerator[Happened | Gap]:
        await asyncio.Event().wait()
        yield Gap()


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_without_events_the_list_finds_it_or_the_hourly_look(house: House) -> None:
    clock, look = Clock(), Demand(cause="a look")
    house.write("alice")
    async with house.runner(daemon=True) as runner:
        await runner.up()
        queue = runner.queue
        watch = DriftWatch(queue, events=Silence(), every=1, clock=clock)

        async def passes() -> str:
            """One pass and one round of the watch; the newest cause when they have ended."""
            await queue.sweep(look)
            await watch.round()
            await until(lambda: not queue.is_busy("alice"))
            row = house.row("alice")
            assert row is not None
            assert (row.phase, row.sync, row.drift) == (Phase.RUNNING, Sync.SYNCED, ())
            return (await causes(house, "alice"))[0]

        assert await passes() == "up; it is new"
        await detach(house, "alice")
        assert await passes() == f"drift: network {house.prefix}net → none"
        await passes()
        await other_env(house, "alice")
        assert (await passes()).endswith(", env.TOKEN not set → set")
        await passes()
        # Neither the list nor, here, an event shows it.
        before = await house.started("alice")
        await update(house, "alice", PidsLimit=999)
        assert "pids" not in await passes()
        clock.now = EVERY
        assert await passes() == "drift: pids 128 → 999"
        assert await house.started("alice") == before


async def test_a_report_touches_nothing_until_somebody_says_up(house: House) -> None:
    ids = ["w-memory", "w-rm", "w-stop"]
    for id_ in ids:
        house.write(id_, drift="report")
    async with house.daemon():
        for id_ in ids:
            await house.until_phase(id_, Phase.RUNNING)
        before = await house.started("w-memory")
        await update(house, "w-memory", Memory=128 << 20, MemorySwap=128 << 20)
        await stop(house, "w-stop")
        await house.remove_container("w-rm")
        told = {
            "w-memory": (Phase.RUNNING, {"memory": "128Mi", "memory and swap": "128Mi"}),
            "w-stop": (Phase.WARM, {"state": "exited"}),
            "w-rm": (Phase.PENDING, {"container": "gone"}),
        }
        for id_, (phase, differences) in told.items():
            row = await house.until(id_, lambda row: bool(row.drift))
            assert (row.phase, row.sync) == (phase, Sync.OUT_OF_SYNC)
            assert {each["field"]: each["found"] for each in row.drift} == differences
        rows = [house.row(id_) for id_ in ids]
        house.write("w-later")  # once it runs, at least one pass has gone by
        await house.until_phase("w-later", Phase.RUNNING)
        assert [house.row(id_) for id_ in ids] == rows
        assert await house.started("w-memory") == before
        assert await house.containers() == {"w-memory", "w-stop", "w-later"}

        async with open_runner(house.settings) as operator:
            results = await operator.up()
        assert [result.phase for result in results] == [Phase.RUNNING] * 4
        assert [found.drift for id_ in ids if (found := house.row(id_))] == [(), (), ()]
        assert await house.started("w-memory") == before
