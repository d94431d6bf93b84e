"""The Pulumi program of a stack of ours, for who runs Pulumi by hand.

`__main__.py` in the work folder calls `main`, so `pulumi preview` and `pulumi up` work there with
the official distribution, which has a language host for Python. Where that is missing, `codehub
pulumi exec` serves the same program itself.
"""

import atexit
import importlib
import os

from settings.load import load
from settings.model import RunnerSettings
from stacks.plain.held import Held
from stacks.programs.inputs import WorkspaceInputs

PROGRAMS = "stacks.programs.docker"


def main() -> None:
    """Render the workspace whose stack Pulumi runs; the data tree is held until the process ends.

    Raises:
        StacksError: As `Held`.
        SettingsError: Something is wrong with the settings.
    """
    stack = importlib.import_module("stacks.engine.serving").current_stack()
    held = Held(load(RunnerSettings, env=os.environ), stack)
    held.__enter__()
    atexit.register(held.__exit__, None, None, None)
    render(held.inputs)


def render(inputs: WorkspaceInputs) -> None:
    """Declare a workspace's resources."""
    # Loaded when it is needed: it brings Pulumi's SDK.
    importlib.import_module(PROGRAMS).WORKSPACE.render(inputs.to_json(), frozenset())


def settle(inputs: WorkspaceInputs, docker_host: str | None) -> None:
    """Do what the provider can't express, after an `up`."""
    importlib.import_module(PROGRAMS).WORKSPACE.settle(inputs.to_json(), docker_host)
