"""Where the built tools live, and the keys that name a build by its version and sources.

Everything is below one root, CODEHUB_CACHE, by default `codehub` in the user's cache folder. A build is made
in `tmp/` and renamed into place, so that what is there is whole. The runner reads the stable links only:
`bin/pulumi`, `pulumi-home/` and `pulumi-home/identity`. This module builds nothing.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.pins import DOCKER_PLUGIN_VERSION, PULUMI_VERSION

PROJECT = Path(__file__).resolve().parent.parent
CLI_SOURCES = PROJECT / "tools" / "pulumi_cli"
PLUGIN_SOURCES = PROJECT / "tools" / "docker_plugin"
BUILD_FLAGS = ("CGO_ENABLED=0", "-trimpath", "-mod=mod", "-buildvcs=false", "-ldflags=-s -w")
"""Part of each key: other flags make another binary."""


def source_key(folder: Path, *, version: str, extra: tuple[str, ...] = ()) -> str:
    """`<version>-<12 hex digits>` of the names and contents of the files below a folder.

    Args:
        folder: every regular file below it counts, except byte code and hidden files.
        version: what the sources are a build of.
        extra: whatever else decides on the outcome, such as build flags.
    """
    digest = hashlib.sha256("\0".join((version, *extra)).encode())
    for path in sorted(sources(folder)):
        digest.update(f"\0{path.relative_to(folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{version}-{digest.hexdigest()[:12]}"


def text_key(*parts: str, version: str) -> str:
    """`<version>-<12 hex digits>` of texts."""
    return f"{version}-{hashlib.sha256(chr(0).join((version, *parts)).encode()).hexdigest()[:12]}"


def sources(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder, except byte code and hidden files."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p.startswith(".") or p == "__pycache__" for p in parts):
            yield path


@dataclass(frozen=True)
class Cache:
    """Paths below one cache root."""

    root: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Cache":
        """The cache the environment asks for: CODEHUB_CACHE, XDG_CACHE_HOME, else ~/.cache."""
        if own := env.get("CODEHUB_CACHE"):
            return cls(Path(own).absolute())
        base = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".cache")
        return cls(Path(base).absolute() / "codehub")

    @property
    def bin(self) -> Path:
        """Stable links to the current builds."""
        return self.root / "bin"

    @property
    def pulumi_cli(self) -> Path:
        """The Pulumi CLI: a stable link to the current build."""
        return self.bin / "pulumi"

    @property
    def caddy(self) -> Path:
        """Caddy: a stable link to the current build."""
        return self.bin / "caddy"

    @property
    def compose(self) -> Path:
        """The compose command: a stable link to the current build."""
        return self.bin / "docker-compose"

    @property
    def gitea(self) -> Path:
        """The tests' Gitea: a stable link to the current build, beside which its data folders lie."""
        return self.bin / "gitea"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME: the folder that holds the plugins."""
        return self.root / "pulumi-home"

    @property
    def docker_plugin(self) -> Path:
        """The Docker plugin where Pulumi looks for it."""
        name = f"resource-docker-v{DOCKER_PLUGIN_VERSION}"
        return self.pulumi_home / "plugins" / name / "pulumi-resource-docker"

    @property
    def identity_file(self) -> Path:
        """The identity of the installed Docker plugin, as text."""
        return self.pulumi_home / "identity"

    @property
    def images(self) -> Path:
        """Tar files of built images, so that a new engine needs no rebuild."""
        return self.root / "images"

    @property
    def logs(self) -> Path:
        """Output of the set-up's steps and of an engine it started."""
        return self.root / "logs"

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """A new folder on the cache's file system, removed at the end: build there, then `install`."""
        parent = self.root / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{name}-", dir=parent))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the scratch folders of processes that ended without doing so."""
        for path in (self.root / "tmp").glob("*"):
            maker = path.name.split("-", 1)[0]
            if not (maker.isdecimal() and Path("/proc", maker).exists()):
                shutil.rmtree(path, ignore_errors=True)

    def install(self, source: Path, target: Path) -> None:
        """Put a finished file or folder in its place with one rename; an equal key is kept as it is."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and target.exists():
            return
        source.replace(target)

    def link(self, link: Path, target: Path) -> None:
        """Point a stable link at a build, atomically and by a relative path."""
        link.parent.mkdir(parents=True, exist_ok=True)
        new = link.with_name(f".{link.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(os.path.relpath(target, link.parent))
        new.replace(link)

    def write(self, path: Path, text: str, *, mode: int = 0o644) -> None:
        """Write a small file atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text(text)
        new.chmod(mode)
        new.replace(path)


def cli_key() -> str:
    """The key of the Pulumi CLI built from `tools/pulumi_cli`."""
    return source_key(CLI_SOURCES, version=PULUMI_VERSION, extra=BUILD_FLAGS)


def plugin_key() -> str:
    """The key of the Docker plugin built from `tools/docker_plugin`."""
    return source_key(PLUGIN_SOURCES, version=DOCKER_PLUGIN_VERSION, extra=BUILD_FLAGS)


def pulumi_cli() -> Path:
    """The Pulumi CLI of this machine's cache (it may not be there yet)."""
    return Cache.from_env().pulumi_cli


def pulumi_home() -> Path:
    """PULUMI_HOME of this machine's cache."""
    return Cache.from_env().pulumi_home
