"""The set-up's steps for what `deploy/` needs: Caddy, and for containers the compose command and our services' images."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tools import apt, services
from tools.cache import Cache
from tools.engine import Engine
from tools.linked import CADDY, COMPOSE
from tools.steps import Step

DEBIAN = ["mmdebstrap", "debian-archive-keyring"]
"""Debian packages that make the root file system of our services' images."""

Go = Callable[[Cache], Path]


def caddy_step(cache: Cache, go: Go) -> Step:
    """Caddy, for units and containers alike."""
    return Step(
        name="caddy",
        title="Caddy, engine proxy and TLS edge",
        estimate=90,
        check=lambda: CADDY.ready(cache),
        run=lambda say: CADDY.install(cache, go(cache), say=say),
        needs=("go",),
    )


def compose_steps(cache: Cache, engine: Engine, go: Go) -> list[Step]:
    """What `deploy/compose.yaml` needs besides."""
    return [
        Step(
            name="compose",
            title="Compose command",
            estimate=80,
            check=lambda: COMPOSE.ready(cache),
            run=lambda say: COMPOSE.install(cache, go(cache), say=say),
            needs=("go",),
        ),
        Step(
            name="mmdebstrap",
            title="mmdebstrap, which makes Debian for the images of our services",
            estimate=8,
            check=lambda: services.has_debian(cache) or shutil.which("mmdebstrap") is not None,
            run=lambda say: apt.install(
                DEBIAN, why="mmdebstrap", log=cache.logs / "apt.log", say=say
            ),
            needs=("engine", "compilers"),
        ),
        Step(
            name="services",
            title="Images of gateway, runner, proxy and edge",
            estimate=90,
            check=lambda: services.ready(cache, engine),
            run=lambda say: services.install(cache, engine, say=say),
            needs=("engine", "mmdebstrap", "caddy", "pulumi", "docker-plugin", "pulumi-helpers"),
        ),
    ]
