"""The set-up as a whole: on this machine, which has everything, and where something is missing."""

import subprocess
import sys
import threading
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

import pytest

from tools import setup
from tools.cache import PROJECT, Cache
from tools.engine import Engine
from tools.errors import BuildError, MissingToolError
from tools.steps import Step

NOWHERE = "unix:///nonexistent/docker.sock"


def steps(cache: Cache, **flags: bool) -> dict[str, Step]:
    return {step.name: step for step in setup.steps(cache, Engine(NOWHERE), **flags)}


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "tools.setup", *args],
        cwd=PROJECT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.engine
def test_with_nothing_to_do_it_says_nothing() -> None:
    done = run("--dev")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.engine
def test_every_step_is_done_here() -> None:
    assert setup.set_up(Cache.from_env(), Engine.from_env(), dev=True) == []


def test_each_need_is_a_step_before(cache: Cache) -> None:
    seen: set[str] = set()
    for name, step in steps(cache, dev=True).items():
        assert seen.issuperset(step.needs), name
        seen.add(name)
    debian = {"browser", "postgresql", "iproute2", "systemd", "git", "openssh-server"}
    for_tests = debian | {"gitea", "github-api"}
    for_compose = {"caddy", "compose", "mmdebstrap", "services"}
    assert seen >= for_tests | for_compose
    assert not (for_tests | for_compose) & set(steps(cache))
    assert set(steps(cache, deploy=True)) - set(steps(cache)) == {"caddy"}
    assert set(steps(cache, compose=True)) - set(steps(cache)) == for_compose


def test_where_it_may_not_it_says_what_is_missing() -> None:
    done = run(CODEHUB_DOCKER_HOST=NOWHERE)
    assert done.returncode == 1
    assert f"the engine at {NOWHERE} does not answer" in done.stderr
    assert "→ start it, or unset" in done.stderr


def test_wrong_settings_are_told_first() -> None:
    done = run(CODEHUB_PARALLEL="many")
    assert done.returncode == 2
    assert "CODEHUB_PARALLEL" in done.stderr


def test_an_unknown_flag() -> None:
    assert run("--fast").returncode == 2


def test_an_interruption_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_args: object, **_flags: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "set_up", interrupted)
    assert setup.main([]) == 130
    assert "goes on from here" in capsys.readouterr().err


def test_what_an_interrupted_one_left_is_removed(cache: Cache) -> None:
    (cache.root / "tmp" / "half").mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    (cache.root / "tmp" / f"{ended.pid}-half").mkdir()
    with cache.scratch("whole") as whole, setup._alone(cache):
        assert list((cache.root / "tmp").iterdir()) == [whole], "who works on it goes on"


def test_one_set_up_at_a_time(cache: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    cache.root.mkdir(parents=True)
    entered = threading.Event()

    def second() -> None:
        with setup._alone(cache):
            entered.set()

    with (cache.root / "setup.lock").open("w") as first:
        flock(first, LOCK_EX)
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2)
        flock(first, LOCK_UN)
        assert entered.wait(5)
        thread.join()
    assert "another set-up uses this cache" in capsys.readouterr().err


def test_go_is_wanted_while_something_is_to_be_built_and_by_tests(
    cache: Cache, only_programs: Callable[[str, str], Path]
) -> None:
    ready = Cache.from_env()
    assert steps(ready)["go"].check()
    assert not steps(ready, dev=True)["go"].check()
    assert not steps(cache)["go"].check()
    only_programs("go", "echo go1.26.8")
    assert steps(cache)["go"].check()


def test_builds_without_go_are_refused(
    cache: Cache, only_programs: Callable[[str, str], Path]
) -> None:
    with pytest.raises(BuildError, match="no Go here"):
        steps(cache)["pulumi"].run(print)


def test_the_helpers_step(cache: Cache) -> None:
    step = steps(cache)["pulumi-helpers"]
    assert not step.check()
    step.run(print)
    assert step.check()


def test_an_image_kept_as_a_file_needs_no_compilers(cache: Cache) -> None:
    from tools import images

    kept = images.workspace().tarball(cache)
    kept.parent.mkdir(parents=True)
    kept.touch()

    class Empty(Engine):
        def image_id(self, _reference: str) -> str | None:
            return None

    found = {step.name: step for step in setup.steps(cache, Empty())}
    assert found["compilers"].check()
    assert found["node"].check()
    kept.unlink()
    assert not found["node"].check()


def test_nft_is_wanted_by_root_only(
    cache: Cache,
    only_programs: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert not steps(cache)["nftables"].check()
    only_programs("nft", "")
    assert steps(cache)["nftables"].check()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert steps(cache)["nftables"].check()


@pytest.mark.usefixtures("no_root")
@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("compilers", "mmdebstrap"),
        ("browser", "chromium"),
        ("postgresql", "postgresql"),
        ("nftables", "nftables"),
        ("iproute2", "iproute2"),
        ("systemd", "systemd"),
        ("openssh-server", "openssh-server"),
    ],
)
def test_debian_packages_are_named_where_they_cannot_be_installed(
    cache: Cache, name: str, package: str
) -> None:
    with pytest.raises(MissingToolError, match=f"as root: apt-get .*{package}"):
        steps(cache, dev=True)[name].run(print)
