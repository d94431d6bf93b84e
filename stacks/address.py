"""Where the container engine is."""

import os

DEFAULT_HOST = "unix:///var/run/docker.sock"


def engine_address(docker_host: str | None) -> str:
    """Give the engine's address: the setting's, else DOCKER_HOST's, else the usual socket."""
    return docker_host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
