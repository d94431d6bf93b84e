"""The Pulumi CLI and its plugins: official where that answers, else built from Go modules into the cache.

What is in the cache under its key is never built again; `bin/`, the plugin folder and the identity are
pointed at it. Which Go builds is decided in `toolchains`.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import official
from tools.cache import (
    CLI_SOURCES,
    PLUGIN_SOURCES,
    Cache,
    cli_key,
    plugin_key,
)
from tools.commands import Say, run, silent
from tools.errors import BuildError, DownloadError
from tools.pins import PULUMI_VERSION

VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
HELPERS = {
    "analyzer-policy-python": "pulumi.policy",
    "resource-pulumi-python": "pulumi.dynamic",
}
"""Programs of two lines that the official distribution ships and a CLI built from modules lacks."""


def cli_ready(cache: Cache) -> bool:
    """Whether the stable link leads to a CLI of the pinned version and our sources."""
    target = cache.pulumi_cli.resolve()
    return target.is_file() and target.parent.parent.name in (cli_key(), official.CLI_KEY)


def plugin_ready(cache: Cache) -> bool:
    """Whether the Docker plugin of our sources, or the official one, is where Pulumi looks."""
    try:
        identity = cache.identity_file.read_text()
    except FileNotFoundError:
        return False
    known = (f"docker-{plugin_key()}", official.PLUGIN_IDENTITY)
    return identity in known and cache.docker_plugin.exists()


def helpers_ready(cache: Cache) -> bool:
    """Whether the helper programs are there."""
    return all(path.exists() for path in _helper_paths(cache).values())


def install_cli(
    cache: Cache, go: Path, *, server: str = official.SERVER, say: Say = silent
) -> None:
    """Put the Pulumi CLI into the cache: the official one, else a build.

    Raises:
        CommandFailedError: the build failed.
        BuildError: it made something else than the pinned version.
    """
    try:
        official.install_cli(cache, server=server, say=say)
    except DownloadError as error:
        say(f"{error.message}: building from Go modules")
        build_cli(cache, go, say=say)


def install_plugin(cache: Cache, go: Path, *, say: Say = silent) -> None:
    """Put the Docker plugin where Pulumi looks: the official one, else a build of ours.

    Raises:
        CommandFailedError: the build failed.
    """
    try:
        official.install_plugin(cache, say=say)
    except DownloadError as error:
        say(f"{error.message}: building from Go modules")
        build_plugin(cache, go, say=say)


def install_helpers(cache: Cache) -> None:
    """Write the helper programs; they run CODEHUB_PYTHON, else the python3 on PATH."""
    for name, path in _helper_paths(cache).items():
        text = f'#!/bin/sh\nexec "${{CODEHUB_PYTHON:-python3}}" -m {HELPERS[name]} "$@"\n'
        cache.write(path, text, mode=0o755)


def _helper_paths(cache: Cache) -> dict[str, Path]:
    # In the plugin folder, not on PATH: what Pulumi finds on PATH it uses with a warning.
    plugins = cache.pulumi_home / "plugins"
    return {name: plugins / f"{name}-v{PULUMI_VERSION}" / f"pulumi-{name}" for name in HELPERS}


def build_cli(cache: Cache, go: Path, *, say: Say = silent) -> None:
    """Build the Pulumi CLI where the cache lacks it, and link it."""
    built = build(
        GoProgram(
            sources=CLI_SOURCES,
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            flags=(f"-ldflags=-s -w -X {VERSION_VARIABLE}=v{PULUMI_VERSION}",),
            binary="bin/pulumi",
        ),
        cache.root / "pulumi" / cli_key(),
        cache=cache,
        go=go,
        say=say,
    )
    cache.link(cache.pulumi_cli, built)


def build_plugin(cache: Cache, go: Path, *, say: Say = silent) -> None:
    """Build the Docker plugin where the cache lacks it, link it, and note its identity."""
    built = build(
        GoProgram(
            sources=PLUGIN_SOURCES,
            package=".",
            flags=("-ldflags=-s -w", "-tags=no_compose"),
            binary="pulumi-resource-docker",
        ),
        cache.root / "docker-plugin" / plugin_key(),
        cache=cache,
        go=go,
        say=say,
    )
    cache.link(cache.docker_plugin, built)
    cache.write(cache.identity_file, f"docker-{plugin_key()}")


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where a program is built.

    Attributes:
        go: The Go command.
        work: A copy of the program's sources: -mod=mod may write to go.mod and go.sum.
        out: The folder of what is built.
        log: Where Go's output goes.
        say: Is told its lines.
    """

    go: Path
    work: Path
    out: Path
    log: Path
    say: Say

    def run(self, *words: object) -> None:
        """Run Go with these words.

        Raises:
            CommandFailedError: it failed.
        """
        env = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        run([self.go, *words], cwd=self.work, env=env, log=self.log, say=self.say)


Prepare = Callable[[Workshop], None]
"""Brings what a program's sources lack, before it is built."""


def _nothing(_shop: Workshop) -> None:
    """Bring nothing."""


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """A program to build: its module with a committed go.sum, the package, flags, and the binary's place.

    `prepare` brings what our sources lack.
    """

    sources: Path
    package: str
    flags: tuple[str, ...]
    binary: str
    prepare: Prepare = _nothing


def build(program: GoProgram, target: Path, *, cache: Cache, go: Path, say: Say = silent) -> Path:
    """Build a program into a folder of the cache, unless that is there.

    Returns:
        The binary.

    Raises:
        CommandFailedError: Go failed.
        BuildError: Go needed a module that the committed go.sum does not cover.
    """
    if not target.exists():
        with cache.scratch(program.sources.name) as scratch:
            _go_build(program, scratch, cache=cache, go=go, say=say)
            cache.install(scratch / "out", target)
    return target / program.binary


def _go_build(program: GoProgram, scratch: Path, *, cache: Cache, go: Path, say: Say) -> None:
    sources = program.sources
    log = cache.logs / f"{sources.name}.log"
    shop = Workshop(go=go, work=scratch / "src", out=scratch / "out", log=log, say=say)
    shutil.copytree(sources, shop.work)
    program.prepare(shop)
    flags = ["-trimpath", "-mod=mod", "-buildvcs=false", "-o", shop.out / program.binary]
    shop.run("build", *flags, *program.flags, program.package)
    # What -mod=mod adds to go.sum is not what we committed.
    if (shop.work / "go.sum").read_bytes() != (sources / "go.sum").read_bytes():
        raise BuildError(
            f"{sources.name}: the build needed modules that the committed go.sum does not cover",
            remedy="see docs/explanation/toolchain.md, 'Changing a version'",
        )
