"""Workspace files for benchmarks, and the names in a workspace's container."""

from pathlib import Path

HOME = "/home/coder"
RUN_FOLDER = "/run/codehub"
LIGHT_IMAGE = "codehub/light"
IDE_IMAGE = "codehub/code-server"


def spec_text(*, image: str = LIGHT_IMAGE, state: str = "auto", note: str = "") -> str:
    """Return a workspace file's text."""
    env = f'env: {{NOTE: "{note}"}}\n' if note else ""
    limits = "{cpu: 2, memory: 4Gi}" if image == IDE_IMAGE else "{cpu: 1, memory: 256Mi, pids: 128}"
    return f"owner: alice\nimage: {image}\nresources: {limits}\n{env}state: {state}\n"


def write_fleet(folder: Path, count: int, **spec: str) -> list[str]:
    """Write `count` files; return the ids."""
    ids = [f"bench-{number:03d}" for number in range(count)]
    for workspace in ids:
        (folder / f"{workspace}.yaml").write_text(spec_text(**spec), encoding="utf-8")
    return ids
