"""scripts/setup where there is no Python yet, its flags, and the command that it makes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hub import CODEHUB
from tools.cache import PROJECT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts in a folder of their own, without an environment."""
    shutil.copytree(PROJECT / "scripts", tmp_path / "scripts")
    return tmp_path


def run(
    checkout: Path,
    *args: str,
    script: str = "setup",
    path: str | Path | None = None,
    python: str = "",
) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash") or ""
    env = {"PATH": str(path) if path else os.environ["PATH"], "PYTHON": python}
    command = [bash, str(checkout / "scripts" / script), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_an_unknown_flag_is_refused(checkout: Path) -> None:
    done = run(checkout, "--fast")
    assert done.returncode == 2
    assert "unknown flag --fast" in done.stderr


def test_without_python_and_apt_it_says_what_to_do(checkout: Path) -> None:
    programs = checkout / "bin"
    programs.mkdir()
    for name in ("dirname", "id", "readlink"):
        (programs / name).symlink_to(shutil.which(name) or "")
    done = run(checkout, path=programs)
    assert done.returncode == 1
    assert "Python 3.11 or later with venv is missing" in done.stderr
    assert "apt-get install -y python3 python3-venv" in done.stderr


def another_python(folder: Path) -> Path:
    """A Python that is first on the path; it notes where it was asked to make an environment."""
    folder.mkdir(parents=True)
    python = folder / "python3"
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -m ] || {{ echo hello; echo True; exit; }}\necho "$PWD: $*" >"{folder}/asked"\nexit 9\n'
    )
    python.chmod(0o755)
    return folder / "asked"


DEBIANS = (
    shutil.which("/usr/bin/python3")
    and subprocess.run(
        ["/usr/bin/python3", "-c", "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"],
        check=False,
    ).returncode
    == 0
)


@pytest.mark.skipif(not DEBIANS, reason="this machine's own Python can't be taken")
def test_the_python_of_the_distribution_is_taken_before_another(checkout: Path) -> None:
    asked = another_python(checkout / "bin")
    run(checkout, "--python-only", path=f"{checkout}/bin:{os.environ['PATH']}")  # no requirements
    assert not asked.exists()
    configured = (checkout / ".venv" / "pyvenv.cfg").read_text().splitlines()
    assert "home = /usr/bin" in configured


@pytest.mark.parametrize("script", ["setup", "dev", "test", "bench"])
@pytest.mark.parametrize("folder", ["bin", "b in"])
def test_the_python_that_is_named_is_taken(
    checkout: Path, folder: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = another_python(checkout / "elsewhere" / folder)
    monkeypatch.chdir(checkout / "elsewhere")
    done = run(checkout, script=script, python=f"{folder}/python3")
    assert done.returncode == 9
    assert asked.read_text() == f"{checkout}: -m venv --clear .venv\n"


@pytest.mark.parametrize("python", ["/bin/false", "/bin/true", "exit", "no-such-program"])
def test_a_named_python_that_does_not_serve_is_refused(checkout: Path, python: str) -> None:
    done = run(checkout, "--python-only", python=python)
    assert done.returncode == 1
    assert done.stderr == f"PYTHON={python} is no Python 3.11 or later with venv.\n"
    assert not (checkout / ".venv").exists()


def test_another_python_is_taken_where_there_is_none_of_the_distribution(checkout: Path) -> None:
    asked = another_python(checkout / "bin")
    for name in ("dirname", "readlink"):
        (checkout / "bin" / name).symlink_to(shutil.which(name) or "")
    done = run(checkout, "--python-only", path=f"{checkout}/bin")
    assert done.returncode == 9
    assert asked.read_text() == f"{checkout}: -m venv --clear .venv\n"


@pytest.mark.parametrize("script", ["setup", "dev", "test", "bench"])
def test_through_a_link_a_script_works_in_its_own_checkout(checkout: Path, script: str) -> None:
    asked = another_python(checkout / "bin")
    (checkout / "linked" / "scripts").mkdir(parents=True)
    (checkout / "linked" / "scripts" / script).symlink_to(checkout / "scripts" / script)
    done = run(checkout / "linked", script=script, python=f"{checkout}/bin/python3")
    assert done.returncode == 9
    assert asked.read_text() == f"{checkout}: -m venv --clear .venv\n"


def test_the_command_works_through_a_link_and_from_anywhere(tmp_path: Path) -> None:
    link = tmp_path / "sp ace" / "hub"
    link.parent.mkdir()
    link.symlink_to(CODEHUB)
    (link.parent / "spec.py").write_text("raise SystemExit('the folder of the caller was taken')")
    done = subprocess.run(
        [link, "schema"], cwd=link.parent, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["title"]


def test_the_command_works_below_any_path(tmp_path: Path) -> None:
    """Its first line holds no path; it starts the interpreter beside it."""
    folder = tmp_path / "sp ace é"
    folder.mkdir()
    shutil.copy(CODEHUB, folder / "codehub")
    (folder / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (folder / "python").chmod(0o755)
    done = subprocess.run(
        [folder / "codehub", "up", "a b"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["-P", "-m", "cli", "up", "a b"]
