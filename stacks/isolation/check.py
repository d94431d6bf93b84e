"""What a person asks about isolation: try it now, tell what is known, print or remove the rules."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiodocker

from settings.model import RunnerSettings
from stacks.address import engine_address
from stacks.docker_calls import translated
from stacks.errors import NetworkMissingError, RulesRefusedError
from stacks.isolation import nft, rules
from stacks.isolation.containers import LABEL, STEP, Cell
from stacks.isolation.guard import Guard, guard_of
from stacks.isolation.verdict import Verdict
from stacks.programs.inputs import NETWORK_OPTIONS


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found.

    Attributes:
        network: Where.
        scratch: Whether that was a network for this check alone.
        verdict: What.
    """

    network: str
    scratch: bool
    verdict: Verdict


async def check(settings: RunnerSettings) -> Checked:
    """Load the rules and probe now; on a network like it where there is none yet.

    Raises:
        StacksError: The engine does not answer, or the probe could not be run.
    """
    async with guard_of(settings) as guard:
        if settings.paths.run.is_dir():
            verdict = await guard.verdict(anew=True)
            if verdict is not None:
                return Checked(network=settings.network, scratch=False, verdict=verdict)
    return await _on_scratch(settings)


async def known(settings: RunnerSettings) -> Verdict | None:
    """Tell what is known, without changing a rule; None where there is no network yet.

    Two containers are run for it when nothing is known that still holds.

    Raises:
        StacksError: The engine does not answer, or the probe could not be run.
    """
    if not settings.paths.run.is_dir():
        return None
    async with guard_of(settings, loads=False) as guard:
        return await guard.verdict()


async def text(settings: RunnerSettings) -> str:
    """Give the rules for ``nft -f``.

    Raises:
        NetworkMissingError: There is no network yet, and so no bridge to write them for.
    """
    async with guard_of(settings) as guard:
        bridge = await guard.bridge()
        if bridge is None:
            raise NetworkMissingError(
                f"the network {settings.network} is not there yet",
                remedy="The first `codehub up` makes it.",
            )
        return rules.render(await guard.site(bridge))


async def remove(settings: RunnerSettings) -> None:
    """Remove the network's table of rules.

    Raises:
        RulesRefusedError: We may not.
    """
    if problem := await nft.remove(settings.network):
        name = rules.table(settings.network)
        raise RulesRefusedError(f"the table {name} was not removed: {problem}", step=STEP)
    # Else it would be back at the machine's next start.
    await asyncio.to_thread(settings.paths.rules.unlink, missing_ok=True)


async def _on_scratch(settings: RunnerSettings) -> Checked:
    with tempfile.TemporaryDirectory(prefix="codehub-") as folder:
        # An engine proxy lets containers mount nothing but what is below the data tree's `run`.
        place = settings.paths.run if settings.data.is_dir() else Path(folder)
        host = settings.docker_host
        async with _scratch_network(host, settings.network) as network:
            guard = Guard(
                cell=Cell(network=network, run=place),
                file=Path(folder) / "isolation.json",
                docker_host=host,
                blocked=settings.blocked_networks,
            )
            async with guard:
                verdict = await guard.verdict()
    assert verdict is not None, "its network was made a moment ago"
    return Checked(network=network, scratch=True, verdict=verdict)


@asynccontextmanager
async def _scratch_network(docker_host: str | None, like: str) -> AsyncIterator[str]:
    """Make a network as workspaces have it, and remove it with its rules."""
    name = f"{like}-{secrets.token_hex(4)}"
    docker = aiodocker.Docker(engine_address(docker_host))
    try:
        with translated(STEP):
            made = await docker.networks.create(
                {
                    "Name": name,
                    "Driver": "bridge",
                    "Options": NETWORK_OPTIONS,
                    "Labels": {LABEL: like},
                }
            )
        try:
            yield name
        finally:
            await nft.remove(name)
            with translated(STEP):
                await made.delete()
    finally:
        await docker.close()
