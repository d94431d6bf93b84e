"""At set-up: tries once per start of the machine what workspaces will be able to reach, and tells what is open.

It knows the trial by its command line only. What is open does not end the set-up: the runner starts no workspace
then, and says why.
"""

import subprocess
import sys
from pathlib import Path

from settings.model import RunnerSettings
from settings.types import Gap
from tools import images
from tools.cache import Cache

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CHECK = ("isolation", "check")


def tell(cache: Cache, settings: RunnerSettings) -> bool:
    """Try it, unless that was done since the machine started, with this probe.

    Returns:
        Whether it was tried.
    """
    if frozenset(settings.allow_unenforced) == frozenset(Gap):
        return False
    stamp, now = cache.root / "isolation", f"{BOOT_ID.read_text().strip()} {images.probe().key}"
    if stamp.exists() and stamp.read_text() == now:
        return False
    done = subprocess.run(
        [sys.executable, "-m", "cli", *CHECK], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(
            f"what workspaces could reach here (codehub isolation check):\n{done.stdout}{done.stderr}",
            file=sys.stderr,
        )
    cache.write(stamp, now)
    return True
