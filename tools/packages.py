"""The locked Python packages as a folder that goes into the images of our services.

They are installed for the image's Python, whichever runs the set-up, and split: what only Pulumi and the engine's
client need is left out of the gateway's image.
"""

import re
import shutil
import sys
from importlib.metadata import distributions
from pathlib import Path

from tools.cache import PROJECT, Cache, text_key
from tools.commands import Say, run, silent

LOCK = PROJECT / "requirements" / "runtime.txt"
PYTHON = "3.11"
"""Of the images' Debian."""
RUNNERS = frozenset(
    {
        "aiodocker",
        "debugpy",
        "dill",
        "googleapis-common-protos",
        "grpcio",
        "protobuf",
        "pulumi",
        "pulumi-docker",
        "pulumi-policy",
        "semver",
        "setuptools",
        "wrapt",
    }
)
"""Packages that only the runner needs; besides, all of OpenTelemetry, which Pulumi brings."""


def key(lock: Path = LOCK) -> str:
    """The key of the folder: of the lock and the Python."""
    return text_key(lock.read_text(), version=PYTHON)


def tree(cache: Cache, *, lock: Path = LOCK, say: Say = silent) -> Path:
    """The folder with all packages, made where the cache has none of this lock.

    Args:
        cache: where it is kept.
        lock: a requirements file with hashes.
        say: is told pip's lines.

    Raises:
        CommandFailedError: pip could not get one, or its hash is another.
    """
    target = cache.root / "packages" / key(lock)
    if not target.exists():
        with cache.scratch("packages") as scratch:
            _install(lock, scratch / "packages", log=cache.logs / "packages.log", say=say)
            cache.install(scratch / "packages", target)
        for old in target.parent.iterdir():
            if old != target:
                shutil.rmtree(old)
    return target


def _install(lock: Path, folder: Path, *, log: Path, say: Say) -> None:
    # The lock is whole, so pip has nothing to resolve; and byte code is the image's own Python's.
    flags = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--no-compile"]
    place = ["--python-version", PYTHON, "--target", folder, "-r", lock]
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run([*pip, *flags, *place], log=log, say=say)


def runners(folder: Path) -> set[Path]:
    """The files of a folder that belong to packages which only the runner needs."""
    theirs = (each for each in distributions(path=[str(folder)]) if _is_runners(each.name))
    files = (file for each in theirs for file in each.files or ())
    # Commands are listed as they would be outside of the folder: nothing of ours starts them.
    return {folder / file for file in files if ".." not in file.parts}


def _is_runners(name: str) -> bool:
    plain = re.sub(r"[-_.]+", "-", name).lower()
    return plain in RUNNERS or plain.startswith("opentelemetry-")
