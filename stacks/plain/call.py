"""Calls the Pulumi command on a workspace's stack, with the program served to it."""

import importlib
import os
import shlex
import threading
from collections.abc import Sequence
from pathlib import Path

from settings.load import FILE
from settings.model import RunnerSettings
from stacks import parts
from stacks.engine import command, engine
from stacks.engine.processes import SESSION_SUFFIX
from stacks.errors import BadRequestError
from stacks.plain import child
from stacks.plain.held import Held
from stacks.plain.program import render, settle

RENDERS = frozenset({"preview", "pre", "up", "update"})
"""Subcommands that run the program."""
UPS = frozenset({"up", "update"})


def environment(settings: RunnerSettings) -> dict[str, str]:
    """Give what Pulumi's command, and our program under it, need besides PATH."""
    found = command.environment(parts.engine_config(settings))
    ours = {name: value for name, value in os.environ.items() if name.startswith("CODEHUB_")}
    # The program runs in another folder: what is named or found from this one is named in full.
    config = Path(ours.get("CODEHUB_CONFIG") or FILE)
    places = {
        "CODEHUB_DATA": str(settings.paths.root.absolute()),
        "CODEHUB_WORKSPACES": str(settings.workspaces.absolute()),
        **({"CODEHUB_CONFIG": str(config.absolute())} if config.exists() else {}),
    }
    kept = {name: value for name, value in os.environ.items() if name in {"TERM", "NO_COLOR"}}
    return {**kept, **found, **ours, **places}


def exports(settings: RunnerSettings) -> list[str]:
    """Give lines for a shell that make a plain `pulumi` work on our stacks."""
    found = environment(settings)
    wanted = [name for name in found if name.startswith(("PULUMI_", "CODEHUB_", "DOCKER_"))]
    # Whoever types Pulumi's commands is no program that drives it.
    told = sorted(set(wanted) - {"PULUMI_AUTOMATION_API", "PULUMI_DEBUG_COMMANDS"})
    return [f"export {name}={shlex.quote(found[name])}" for name in told]


def call(settings: RunnerSettings, workspace_id: str, args: Sequence[str]) -> int:
    """Run ``pulumi ARGS`` on the workspace's stack, and give its exit code.

    Args:
        settings: Which data tree and which files.
        workspace_id: The workspace; its stack has the same name.
        args: Pulumi's subcommand and its arguments, without ``--stack``.

    Raises:
        StacksError: Somebody else has the data tree, or came to have it meanwhile, nothing may be
            rendered for the workspace, or there is no Pulumi.
    """
    if not args or args[0].startswith("-"):
        raise BadRequestError("Pulumi's subcommand comes first, such as `preview`")
    with Held(settings, workspace_id) as held:
        _prepare(settings, workspace_id)
        # Loaded when it is needed: it brings Pulumi's SDK.
        served = importlib.import_module("stacks.engine.serving").serving
        with served(lambda: render(held.inputs)) as address:
            code = _run(settings, workspace_id, args, address, lost=held.lost)
        if code == 0 and args[0] in UPS:
            settle(held.inputs, settings.docker_host)
    return code


def _prepare(settings: RunnerSettings, stack: str) -> None:
    config = parts.engine_config(settings)
    engine.prepare_folders(config)
    engine.prepare_stack(config, stack)


def _run(
    settings: RunnerSettings,
    stack: str,
    args: Sequence[str],
    address: str,
    *,
    lost: threading.Event,
) -> int:
    client = [f"--client={address}"] if args[0] in RENDERS else []
    words = [str(settings.pulumi), *args, "--stack", command.whole_name(stack), *client]
    work = settings.paths.work
    # The name that the engine has for the sessions of its own operations on this stack.
    record = work / f"{stack}{SESSION_SUFFIX}"
    return child.run(words, cwd=work, env=environment(settings), record=record, lost=lost)
