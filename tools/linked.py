"""Programs for `deploy/` and for the tests, each built from its Go module into the cache and found by a stable link."""

from dataclasses import dataclass
from pathlib import Path

from tools.build import GoProgram, build
from tools.cache import BUILD_FLAGS, PROJECT, Cache, source_key
from tools.commands import Say, silent
from tools.gitea import unpack
from tools.pins import CADDY_VERSION, COMPOSE_VERSION, GITEA_VERSION

COMPOSE_MODULE = "github.com/docker/compose/v5"


@dataclass(frozen=True, kw_only=True)
class LinkedProgram:
    """One program.

    Attributes:
        program: What is built, and of which sources.
        version: Its version, part of the key.
        builds: Name of the folder of its builds in the cache.
    """

    program: GoProgram
    version: str
    builds: str

    @property
    def key(self) -> str:
        """The key of the build from our go.mod, go.sum and sources."""
        return source_key(self.program.sources, version=self.version, extra=BUILD_FLAGS)

    def link(self, cache: Cache) -> Path:
        """Its stable place."""
        return cache.bin / self.program.binary

    def ready(self, cache: Cache) -> bool:
        """Whether the stable link leads to this very build."""
        target = self.link(cache).resolve()
        return target.is_file() and target.parent.name == self.key

    def install(self, cache: Cache, go: Path, *, say: Say = silent) -> None:
        """Build it where the cache lacks it, and link it.

        Raises:
            CommandFailedError: the build failed.
            BuildError: Go needed a module that the committed go.sum does not cover.
        """
        target = cache.root / self.builds / self.key
        cache.link(self.link(cache), build(self.program, target, cache=cache, go=go, say=say))


# Engine proxy and TLS edge. A handler of ours is built in, by which the engine proxy reads bodies
# (`caddy_server/body`). Debian 12's own is older than what that proxy needs besides (`log_append`).
CADDY = LinkedProgram(
    program=GoProgram(
        sources=PROJECT / "tools" / "caddy_server",
        package=".",
        flags=("-ldflags=-s -w",),
        binary="caddy",
    ),
    version=CADDY_VERSION,
    builds="caddy",
)

# The compose command, which reads `deploy/compose.yaml`. Debian 12 has none that knows compose files of
# today, so one version is pinned and tested; whoever has one uses that.
COMPOSE = LinkedProgram(
    program=GoProgram(
        sources=PROJECT / "tools" / "compose_cli",
        package=f"{COMPOSE_MODULE}/cmd",
        flags=(f"-ldflags=-s -w -X {COMPOSE_MODULE}/internal.Version=v{COMPOSE_VERSION}",),
        binary="docker-compose",
    ),
    version=COMPOSE_VERSION,
    builds="compose",
)

# The forge of the tests. Beside it lie the folders that it reads at its start (`tools.gitea`).
GITEA = LinkedProgram(
    program=GoProgram(
        sources=PROJECT / "tools" / "gitea_server",
        package="gitea.dev",
        flags=(f"-ldflags=-s -w -X main.Version={GITEA_VERSION}",),
        binary="gitea",
        prepare=unpack,
    ),
    version=GITEA_VERSION,
    builds="gitea",
)
