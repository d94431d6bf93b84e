"""`python -m tools.setup`: everything a machine needs besides Python packages, step by step.

What is there is used; what is missing is installed or built into the cache; where that is not allowed, it says
what is missing and how to get it. Run again, it goes on where it was and, with nothing to do, takes part of a
second. `scripts/setup` calls it.
"""

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from settings.errors import SettingsError
from settings.load import load
from settings.model import RunnerSettings
from tools import apt, build, deploying, dockerd, doctor, images, isolation, testing, toolchains
from tools.cache import Cache
from tools.engine import Engine
from tools.errors import BuildError, ToolError
from tools.progress import display_for
from tools.steps import Step, run_steps

COMPILERS = ["mmdebstrap", "debian-archive-keyring", "g++", "make", "python3"]
"""Debian packages that build the code-server image: its root file system and its native modules."""


def steps(
    cache: Cache,
    engine: Engine,
    *,
    dev: bool = False,
    deploy: bool = False,
    compose: bool = False,
) -> list[Step]:
    """What there is to do, in order.

    Args:
        cache: where builds go.
        engine: where images go.
        dev: with what only the tests need.
        deploy: with what the units of `deploy/` need besides.
        compose: with what `deploy/compose.yaml` needs besides.
    """
    deploy, compose = deploy or compose or dev, compose or dev
    return [
        *_engine_steps(cache, engine),
        *_pulumi_steps(cache, dev=deploy),
        *_image_steps(cache, engine),
        *([deploying.caddy_step(cache, _go)] if deploy else []),
        *(deploying.compose_steps(cache, engine, _go) if compose else []),
        *(testing.steps(cache, _go) if dev else []),
    ]


def _engine_steps(cache: Cache, engine: Engine) -> list[Step]:
    return [
        Step(
            name="engine",
            title="Docker engine",
            estimate=30,
            check=engine.answers,
            run=lambda say: dockerd.ensure(engine, cache, say=say),
        ),
        Step(
            name="nftables",
            title="nft, which closes workspaces off from this machine",
            estimate=8,
            # Nobody else may load rules: there the runner says which an admin has to.
            check=lambda: os.geteuid() != 0 or shutil.which("nft") is not None,
            run=lambda say: apt.install(
                ["nftables"], why="nft", log=cache.logs / "apt.log", say=say
            ),
            needs=("engine",),
        ),
    ]


def _pulumi_steps(cache: Cache, *, dev: bool) -> list[Step]:
    def go_wanted() -> bool:
        small = all(one.tarball(cache).exists() for one in (images.light(), images.probe()))
        built = build.cli_ready(cache) and build.plugin_ready(cache) and small
        return dev or not built

    return [
        Step(
            name="go",
            title="Go toolchain",
            estimate=8,
            check=lambda: not go_wanted() or toolchains.find_go(cache) is not None,
            run=lambda say: toolchains.install_go(cache, say=say),
        ),
        Step(
            name="pulumi",
            title="Pulumi CLI",
            estimate=215,
            check=lambda: build.cli_ready(cache),
            run=lambda say: build.install_cli(cache, _go(cache), say=say),
            needs=("go",),
        ),
        Step(
            name="docker-plugin",
            title="Pulumi's Docker plugin",
            estimate=255,
            check=lambda: build.plugin_ready(cache),
            run=lambda say: build.install_plugin(cache, _go(cache), say=say),
            needs=("go", "pulumi"),
        ),
        Step(
            name="pulumi-helpers",
            title="Pulumi's Python helpers",
            estimate=1,
            check=lambda: build.helpers_ready(cache),
            run=lambda _say: build.install_helpers(cache),
        ),
    ]


def _image_steps(cache: Cache, engine: Engine) -> list[Step]:
    light, probe, workspace = images.light(), images.probe(), images.workspace()

    def kept() -> bool:
        return images.ready(engine, workspace) or workspace.tarball(cache).exists()

    return [
        Step(
            name="compilers",
            title="Tools that build the workspace image",
            estimate=40,
            check=lambda: kept() or all(map(shutil.which, ("mmdebstrap", "g++", "make"))),
            run=lambda say: apt.install(
                COMPILERS, why="tools that build the image", log=cache.logs / "apt.log", say=say
            ),
            needs=("engine",),
        ),
        Step(
            name="node",
            title="Node for the workspace image",
            estimate=6,
            check=lambda: kept() or toolchains.find_node(cache) is not None,
            run=lambda say: toolchains.install_node(cache, say=say),
            needs=("engine",),
        ),
        Step(
            name="image",
            title="Workspace image (code-server)",
            estimate=160,
            check=lambda: images.ready(engine, workspace),
            run=lambda say: images.install(cache, engine, workspace, say=say),
            needs=("engine", "compilers", "node"),
        ),
        Step(
            name="light-image",
            title="Light image",
            estimate=5,
            check=lambda: images.ready(engine, light),
            run=lambda say: images.install(cache, engine, light, say=say),
            needs=("engine", "go"),
        ),
        Step(
            name="probe-image",
            title="Image of the isolation probe",
            estimate=5,
            check=lambda: images.ready(engine, probe),
            run=lambda say: images.install(cache, engine, probe, say=say),
            needs=("engine", "go"),
        ),
    ]


def _go(cache: Cache) -> Path:
    go = toolchains.find_go(cache)
    if go is None:
        raise BuildError("there is no Go here to build with")
    return go


def set_up(
    cache: Cache,
    engine: Engine,
    *,
    dev: bool = False,
    deploy: bool = False,
    compose: bool = False,
) -> list[str]:
    """Bring this machine to where CodeHub runs.

    Returns:
        The steps that had to run.

    Raises:
        StepFailedError: one failed; it says what to do.
    """
    with _alone(cache), display_for(sys.stderr) as display:
        wanted = steps(cache, engine, dev=dev, deploy=deploy, compose=compose)
        return run_steps(wanted, display)


@contextmanager
def _alone(cache: Cache) -> Iterator[None]:
    """One set-up per cache at a time; what an interrupted one left half-made is removed."""
    cache.root.mkdir(parents=True, exist_ok=True)
    with (cache.root / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another set-up uses this cache: waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        cache.sweep()
        yield


def main(argv: Sequence[str] | None = None) -> int:
    """Run the set-up; the exit code is 0, 1 when a step failed, 2 for wrong settings."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description="Set this machine up.")
    parser.add_argument("--dev", action="store_true", help="with what the tests need")
    parser.add_argument("--deploy", action="store_true", help="with what deploy/ needs: Caddy")
    parser.add_argument(
        "--compose", action="store_true", help="with what deploy/compose.yaml needs"
    )
    options = parser.parse_args(argv)
    try:
        settings = load(RunnerSettings)
        cache = Cache.from_env()
        set_up(cache, doctor.engine_of(settings), **vars(options))
        isolation.tell(cache, settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: run it again and it goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
