"""A gateway as a process of its own, as `codehub gateway` runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from gateway.serve import run
from settings.load import load
from settings.model import GatewaySettings
run(load(GatewaySettings, cwd=Path.cwd()), started=lambda url: print(url, flush=True))
"""


@contextmanager
def process(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run one, with its data in the folder and other settings, and give the address that it says."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CODEHUB_")}
    env |= {
        "CODEHUB_DATA": str(folder / "data"),
        "CODEHUB_PORT": "0",
        "CODEHUB_LOG_FORMAT": "json",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    env |= {f"CODEHUB_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()
