"""The compose command, which reads `deploy/compose.yaml`: built from its Go module into the cache.

Debian 12 has none that knows compose files of today, so one version is pinned and tested; whoever has one uses that.
"""

from pathlib import Path

from tools.build import GoProgram, build
from tools.cache import BUILD_FLAGS, PROJECT, Cache, source_key
from tools.commands import Say, silent
from tools.pins import COMPOSE_VERSION

SOURCES = PROJECT / "tools" / "compose_cli"
MODULE = "github.com/docker/compose/v5"


def key() -> str:
    """The key of the build from our go.mod and go.sum."""
    return source_key(SOURCES, version=COMPOSE_VERSION, extra=BUILD_FLAGS)


def ready(cache: Cache) -> bool:
    """Whether the stable link leads to this very build."""
    target = cache.compose.resolve()
    return target.is_file() and target.parent.name == key()


def install(cache: Cache, go: Path, *, say: Say = silent) -> None:
    """Build it where the cache lacks it, and link it.

    Raises:
        CommandFailedError: the build failed.
        BuildError: Go needed a module that the committed go.sum does not cover.
    """
    program = GoProgram(
        sources=SOURCES,
        package=f"{MODULE}/cmd",
        flags=(f"-ldflags=-s -w -X {MODULE}/internal.Version=v{COMPOSE_VERSION}",),
        binary="docker-compose",
    )
    built = build(program, cache.root / "compose" / key(), cache=cache, go=go, say=say)
    cache.link(cache.compose, built)
