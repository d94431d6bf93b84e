"""The systemd units are right as far as systemd tells without running: keys, commands, users, hardening.

They did not run under a systemd here; what they start does, as other tests say.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.house import DEPLOY
from tools.cache import PROJECT, Cache

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOUNT = DEPLOY / "systemd" / "var-lib-codehub-run.mount"
EXPOSURE = 25
"""Tenths of systemd's own score, of 100: it calls up to 40 good."""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Units as they would be for this checkout and cache."""
    for unit in (*UNITS, MOUNT):
        text = unit.read_text(encoding="utf-8")
        text = text.replace("/opt/codehub/cache", str(Cache.from_env().root))
        text = text.replace("/opt/codehub", str(PROJECT))
        # The docker unit may be of another package here, or of none.
        (tmp_path / unit.name).write_text(text.replace("Wants=docker.service\n", ""))
    return tmp_path


def analyze(*words: str, folder: Path) -> str:
    """Run systemd-analyze; it must succeed."""
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_systemd_understands_them_and_finds_their_commands(here: Path) -> None:
    names = [f"./{unit.name}" for unit in (*UNITS, MOUNT)]
    assert analyze("verify", "--man=no", "--recursive-errors=no", *names, folder=here) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_they_are_closed(here: Path, unit: Path) -> None:
    analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", f"./{unit.name}", folder=here)


def test_only_the_engine_proxy_may_open_the_engines_socket() -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        is_proxy = unit.stem == "codehub-engine-proxy"
        groups = re.findall(r"^SupplementaryGroups=(.*)$", text, re.MULTILINE)
        assert ("docker" in " ".join(groups).split()) == is_proxy
        assert ("-/run/docker.sock" in text) == (not is_proxy)
        asks = unit.stem in ("codehub-runner", "codehub-engine-proxy")
        assert ("-/run/codehub-engine" in text) == (not asks)


def test_who_may_write_run_folders_waits_for_their_mount() -> None:
    """Once a service runs, it could move the folder away before something is mounted over it."""
    place = re.search(r"^Where=(.*)$", MOUNT.read_text(encoding="utf-8"), re.MULTILINE)
    assert place
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        serves = unit.stem in ("codehub-runner", "codehub-gateway", "codehub-engine-proxy")
        # The first orders and asks for the unit; where nobody installed it, that asks for nothing.
        for key in ("RequiresMountsFor", "AssertPathIsMountPoint"):
            assert (f"\n{key}={place[1]}\n" in text) == serves


def test_their_users_are_made() -> None:
    made = re.findall(
        r"^u (\S+)", (DEPLOY / "systemd" / "codehub.sysusers").read_text(), re.MULTILINE
    )
    for unit in UNITS:
        named = re.findall(r"^User=(\S+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= set(made)
