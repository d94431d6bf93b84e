"""scripts/setup where there is no Python yet, and its flags."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.cache import PROJECT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts in a folder of their own, without an environment."""
    shutil.copytree(PROJECT / "scripts", tmp_path / "scripts")
    return tmp_path


def run(checkout: Path, *args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash") or ""
    env = {"PATH": str(path) if path else os.environ["PATH"]}
    command = [bash, str(checkout / "scripts" / "setup"), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_an_unknown_flag_is_refused(checkout: Path) -> None:
    done = run(checkout, "--fast")
    assert done.returncode == 2
    assert "unknown flag --fast" in done.stderr


def test_without_python_and_apt_it_says_what_to_do(checkout: Path) -> None:
    programs = checkout / "bin"
    programs.mkdir()
    for name in ("dirname", "id"):
        (programs / name).symlink_to(shutil.which(name) or "")
    done = run(checkout, path=programs)
    assert done.returncode == 1
    assert "Python 3.11 or later with venv is missing" in done.stderr
    assert "apt-get install -y python3 python3-venv" in done.stderr


def test_the_two_commands_call_the_same_set_up() -> None:
    for name in ("dev", "test"):
        assert "\nscripts/setup --" in (PROJECT / "scripts" / name).read_text()
