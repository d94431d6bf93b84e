"""What of the Caddy of `deploy/` is ours has tests in Go."""

import re
import shutil
import subprocess
from pathlib import Path

from tools.cache import Cache
from tools.linked import CADDY
from tools.toolchains import find_go, install_go

COVERED = 95.0
"""Percent of the statements of our Go code, but for the seam to Caddy, which tests/deploy runs."""


def test_our_go_code_passes_its_own_tests(tmp_path: Path) -> None:
    """It imports nothing but Go's own library, so that its tests need no module of others."""
    cache = Cache.from_env()
    go = find_go(cache) or install_go(cache)
    shutil.copytree(CADDY.program.sources / "body", tmp_path / "body")
    (tmp_path / "go.mod").write_text("module codehub.local/caddy\n\ngo 1.25\n")
    done = subprocess.run(
        [go, "test", "-cover", "./body"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    covered = re.search(r"coverage: ([\d.]+)% of statements", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert covered
    assert float(covered[1]) >= COVERED
