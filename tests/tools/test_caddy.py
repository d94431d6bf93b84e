"""Caddy is built once per version and sources, and found by a stable link; what of it is ours has tests in Go."""

import re
import shutil
import subprocess
from pathlib import Path

from tools import caddy
from tools.cache import Cache
from tools.commands import output
from tools.pins import CADDY_VERSION
from tools.toolchains import find_go, install_go

COVERED = 95.0
"""Percent of the statements of our Go code, but for the seam to Caddy, which tests/deploy runs."""


def test_the_one_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert caddy.ready(cache)
    modules = (output([cache.caddy, "list-modules"]) or "").split()
    assert {"http.handlers.log_append", "http.handlers.engine_body"} <= set(modules)
    assert f"caddy/v2 v{CADDY_VERSION}\n" in (caddy.SOURCES / "go.mod").read_text()


def test_what_is_in_the_cache_is_linked_and_not_built_again(cache: Cache) -> None:
    assert not caddy.ready(cache)
    built = cache.root / "caddy" / caddy.key() / "caddy"
    built.parent.mkdir(parents=True)
    built.write_text("built")
    caddy.install(cache, Path("/no/go"))
    assert cache.caddy.resolve() == built
    assert caddy.ready(cache)


def test_another_versions_build_is_not_ready(cache: Cache) -> None:
    old = cache.root / "caddy" / "2.0.0-0123456789ab" / "caddy"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    cache.link(cache.caddy, old)
    assert not caddy.ready(cache)


def test_our_go_code_passes_its_own_tests(tmp_path: Path) -> None:
    """It imports nothing but Go's own library, so that its tests need no module of others."""
    cache = Cache.from_env()
    go = find_go(cache) or install_go(cache)
    shutil.copytree(caddy.SOURCES / "body", tmp_path / "body")
    (tmp_path / "go.mod").write_text("module codehub.local/caddy\n\ngo 1.25\n")
    done = subprocess.run(
        [go, "test", "-cover", "./body"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    covered = re.search(r"coverage: ([\d.]+)% of statements", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert covered
    assert float(covered[1]) >= COVERED
