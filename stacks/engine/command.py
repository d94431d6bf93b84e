"""The one call of the Pulumi CLI that an operation is: its arguments and environment. Pure.

Why not `pulumi.automation.Stack`: its `up` calls the CLI six times (version, select, up, two
outputs, history), of which one does the work. What it does around that one call is done in
`stacks.engine.worker` with the SDK's own parts. Figures: docs/explanation/pulumi-operations.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from stacks.address import engine_address
from stacks.engine.model import EngineConfig, Kind, Operation

PROJECT = "codehub"
ORGANIZATION = "organization"  # what the file backend calls everybody
PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the CLI reaches the worker.

    Attributes:
        address: ``host:port`` of the program's language server and of the event log.
        policy_pack: What the CLI takes for the policy pack, from its own folder (the option is a
            list with commas, which a path from the root may hold too); None without policies.
    """

    address: str
    policy_pack: str | None = None


def arguments(operation: Operation, servers: Servers) -> list[str]:
    """Give the CLI's arguments for an operation."""
    args = [
        operation.kind.value,
        "--non-interactive",
        "--stack",
        whole_name(operation.stack),
        "--exec-kind=auto.inline",
        f"--event-log=tcp://{servers.address}",
        "--suppress-outputs",
        # Nobody reads what it prints, and this prints least: nothing is laid out for a terminal.
        "--output=json",
        "--color=never",
    ]
    return args + _of_kind(operation, servers)


def whole_name(stack: str) -> str:
    """Give a stack's name as the CLI takes it from any folder."""
    return f"{ORGANIZATION}/{PROJECT}/{stack}"


def _of_kind(operation: Operation, servers: Servers) -> list[str]:
    if operation.kind is Kind.REFRESH:
        return ["--yes", "--skip-preview"]
    if operation.kind is Kind.DESTROY:
        return ["--yes", "--skip-preview", "--exclude-protected"]
    args = [f"--client={servers.address}"]
    if operation.kind is Kind.UP:
        args += ["--yes", "--skip-preview"]
    if operation.refresh:
        args.append("--refresh")
    if servers.policy_pack:
        args.append(f"--policy-pack={servers.policy_pack}")
    return args


def environment(config: EngineConfig) -> dict[str, str]:
    """Give the CLI's whole environment; nothing else of ours reaches it or its plugins."""
    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # Pulumi asks who it is, and a service's uid may have no name anywhere.
    found["USER"] = os.environ.get("USER") or str(os.getuid())
    # Always: by itself the plugin would not see what else says where the engine is.
    found["DOCKER_HOST"] = engine_address(config.docker_host)
    return {**found, **_settings(config)}


def _settings(config: EngineConfig) -> Mapping[str, str]:
    return {
        "PULUMI_HOME": str(config.pulumi_home),
        # Without metadata: no .attrs file beside each state file.
        # Quoted: a ``%``, ``?`` or ``#`` of the path would make it another folder's.
        "PULUMI_BACKEND_URL": f"file://{quote(str(config.state))}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(config.work / "passphrase"),
        # A lost settings file is taken from the state instead of made anew.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_AUTOMATION_API": "true",
        "PULUMI_DEBUG_COMMANDS": "true",  # --event-log is refused without
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        # Every call writes a log of 25 KB and lists that folder: keep it small.
        "PULUMI_LOG_ROTATION_MAX_TOTAL_MB": str(max(1, config.logs >> 20)),
        # Our plugin's own log, which reaches the CLI by a call for each line; the official one has no switch.
        "TF_LOG": "off",
        "GOGC": "400",
    }
