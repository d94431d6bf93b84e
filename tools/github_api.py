"""GitHub's own description of its API (OpenAPI), from npm into the cache: the tests check our requests by it.

The package holds those of all its editions, unpacked hundreds of megabytes; one file and the licence are kept.
"""

import os
import shutil
from pathlib import Path

from tools.cache import PROJECT, Cache, source_key
from tools.commands import Say, run, silent
from tools.errors import BuildError
from tools.pins import GITHUB_API_VERSION
from tools.toolchains import find_node, install_node

SOURCES = PROJECT / "tools" / "github_api"
KEPT = {"generated/api.github.com.json": "api.github.com.json", "LICENSE": "LICENSE"}


def description(cache: Cache) -> Path:
    """Where the description is, or will be."""
    key = source_key(SOURCES, version=GITHUB_API_VERSION)
    return cache.root / "github-api" / key / "api.github.com.json"


def install(cache: Cache, *, say: Say = silent) -> None:
    """Have npm bring it; npm checks the package against the integrity in our lock.

    Raises:
        CommandFailedError: npm failed.
        BuildError: the package lacks what it should hold.
    """
    node = find_node(cache) or install_node(cache, say=say)
    with cache.scratch("github-api") as scratch:
        work = scratch / "npm"
        shutil.copytree(SOURCES, work)
        npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        env = {"PATH": f"{node / 'bin'}:{os.environ.get('PATH', os.defpath)}"}
        log = cache.logs / "github-api.log"
        run([node / "bin" / "node", npm, "ci", *flags], cwd=work, env=env, log=log, say=say)
        keep(work / "node_modules" / "@octokit" / "openapi", scratch / "out")
        cache.install(scratch / "out", description(cache).parent)


def keep(package: Path, out: Path) -> None:
    """Take the few files that are needed out of the package.

    Raises:
        BuildError: one is not there.
    """
    out.mkdir()
    for name, kept in KEPT.items():
        if not (package / name).is_file():
            raise BuildError(f"@octokit/openapi holds no {name}")
        shutil.copyfile(package / name, out / kept)
