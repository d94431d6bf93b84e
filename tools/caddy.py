"""Caddy, which `deploy/` uses as engine proxy and TLS edge: built from its Go module into the cache.

A handler of ours is built in, by which the engine proxy reads bodies (`caddy_server/body`). Debian 12's own is older
than what that proxy needs besides (`log_append`).
"""

from pathlib import Path

from tools.build import GoProgram, build
from tools.cache import BUILD_FLAGS, PROJECT, Cache, source_key
from tools.commands import Say, silent
from tools.pins import CADDY_VERSION

SOURCES = PROJECT / "tools" / "caddy_server"


def key() -> str:
    """The key of the build from our go.mod and go.sum."""
    return source_key(SOURCES, version=CADDY_VERSION, extra=BUILD_FLAGS)


def ready(cache: Cache) -> bool:
    """Whether the stable link leads to this very build."""
    target = cache.caddy.resolve()
    return target.is_file() and target.parent.name == key()


def install(cache: Cache, go: Path, *, say: Say = silent) -> None:
    """Build it where the cache lacks it, and link it.

    Raises:
        CommandFailedError: the build failed.
        BuildError: Go needed a module that the committed go.sum does not cover.
    """
    program = GoProgram(
        sources=SOURCES,
        package=".",
        flags=("-ldflags=-s -w",),
        binary="caddy",
    )
    built = build(program, cache.root / "caddy" / key(), cache=cache, go=go, say=say)
    cache.link(cache.caddy, built)
