"""What the doctor finds on this machine, and on machines that lack something."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from settings.load import load
from settings.model import GatewaySettings, RunnerSettings
from tools import doctor
from tools.cache import Cache
from tools.doctor import Check
from tools.engine import DEFAULT_ADDRESS

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., RunnerSettings]:
    def make(**env: str) -> RunnerSettings:
        return load(
            RunnerSettings, env={"CODEHUB_CACHE": str(tmp_path / "cache"), **env}, cwd=tmp_path
        )

    return make


def by_name(found: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in found}


@pytest.mark.engine
def test_a_machine_that_is_set_up_is_well(tmp_path: Path) -> None:
    (tmp_path / "workspaces.d").mkdir()
    # Under the usual prefix there may be the workspaces of whoever works on this machine.
    env = {**os.environ, "CODEHUB_NAME_PREFIX": "codehub-test-none-"}
    found = doctor.checks(load(RunnerSettings, env, cwd=tmp_path))
    assert [check for check in found if not check.ok] == []
    assert not any(check.remedy for check in found)
    assert {
        "engine",
        "limits",
        "image codehub/light",
        "image codehub/code-server",
        "image codehub/probe",
    } <= {check.name for check in found}


def test_an_empty_machine_is_told_each_thing_and_its_remedy(
    settings: Callable[..., RunnerSettings], cache: Cache
) -> None:
    found = by_name(doctor.checks(settings(CODEHUB_DOCKER_HOST=NOWHERE), cache))
    lacking = {name for name, check in found.items() if not check.ok}
    assert lacking == {"pulumi", "docker plugin", "policy analyzer", "engine", "workspace files"}
    assert all(found[name].remedy for name in lacking)
    assert found["docker plugin"].detail == "5.2.0 is missing"
    assert NOWHERE in found["engine"].detail


def test_another_version_is_told(
    settings: Callable[..., RunnerSettings], cache: Cache, program: Callable[[str, str], Path]
) -> None:
    old = program("pulumi", "echo v3.200.0")
    cache.write(cache.docker_plugin, "old")
    cache.write(cache.identity_file, "docker-5.2.0-000000000000")
    asked = settings(CODEHUB_PULUMI=str(old), CODEHUB_DOCKER_HOST=NOWHERE)
    found = by_name(doctor.checks(asked, cache))
    assert (found["pulumi"].ok, found["pulumi"].detail) == (False, "v3.200.0")
    assert found["docker plugin"].detail == "5.2.0 is out of date"


@pytest.mark.parametrize(("mode", "ok", "remedy"), [(0o700, True, ""), (0o755, False, "chmod 700")])
def test_the_data_folder_is_for_its_owner(
    tmp_path: Path, settings: Callable[..., RunnerSettings], mode: int, ok: bool, remedy: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    asked = settings(CODEHUB_DATA=str(data), CODEHUB_DOCKER_HOST=NOWHERE)
    found = by_name(doctor.checks(asked, Cache(tmp_path)))["data folder"]
    assert found.ok is ok
    assert found.remedy.startswith(remedy)


PROXY = {"CODEHUB_TRUSTED_PROXIES": "127.0.0.1/32"}
PUBLIC = {"CODEHUB_BASE_URL": "https://hub.example.org"}


@pytest.mark.parametrize(
    ("env", "wrong", "remedy"),
    [
        (PUBLIC, "all visitors seem to come from its address", "set CODEHUB_TRUSTED_PROXIES"),
        (PROXY, "refused (421), and cookies are not Secure", "set CODEHUB_BASE_URL"),
        ({**PUBLIC, **PROXY}, "", ""),
        ({}, "", ""),
        ({"CODEHUB_BASE_URL": "http://hub.internal:8000"}, "", ""),
    ],
)
def test_settings_of_a_tls_edge_go_together(
    tmp_path: Path,
    settings: Callable[..., RunnerSettings],
    env: dict[str, str],
    wrong: str,
    remedy: str,
) -> None:
    gateway = load(GatewaySettings, env=env, cwd=tmp_path)
    asked = settings(CODEHUB_DOCKER_HOST=NOWHERE)
    found = by_name(doctor.checks(asked, Cache(tmp_path), gateway=gateway))["TLS edge"]
    assert found.ok is (not wrong)
    assert wrong in found.detail
    assert found.remedy.startswith(remedy)
    assert bool(found.remedy) is bool(remedy)
    assert "TLS edge" not in by_name(doctor.checks(asked, Cache(tmp_path)))


@pytest.fixture
def volume() -> Iterator[tuple[str, str]]:
    """A name prefix, and the id of a tree that made a volume under it."""
    prefix, tree = f"codehub-test-{uuid.uuid4().hex[:8]}-", uuid.uuid4().hex[:16]
    name = f"{prefix}alice-home-1"
    labels = [f"--label=codehub.prefix={prefix}", f"--label=codehub.tree={tree}"]
    subprocess.run(["docker", "volume", "create", *labels, name], check=True, capture_output=True)
    yield prefix, tree
    subprocess.run(["docker", "volume", "rm", name], check=True, capture_output=True)


@pytest.mark.engine
def test_what_another_data_tree_has_under_our_prefix_is_a_warning(
    tmp_path: Path, settings: Callable[..., RunnerSettings], volume: tuple[str, str]
) -> None:
    prefix, tree = volume
    asked = settings(CODEHUB_DATA=str(tmp_path / "data"), CODEHUB_NAME_PREFIX=prefix)
    engine = doctor.engine_of(asked)
    (found,) = doctor._trees(engine, asked)
    assert (found.ok, found.detail) == (
        True,
        f"no id yet; on this engine: {prefix}alice-home-1 of tree {tree}",
    )
    assert f"set another CODEHUB_NAME_PREFIX (here {prefix})" in found.remedy
    take_over = f"echo {tree} >>{asked.paths.tree}"
    assert f"codehub up first, which gives this tree its own id, then {take_over}" in found.remedy
    assert not asked.paths.tree.exists(), "a look changes nothing"

    asked.paths.make()
    asked.paths.tree.write_text("0123456789abcdef\n")
    (found,) = doctor._trees(engine, asked)
    assert f"have its workspaces: {take_over}, restart codehub run" in found.remedy
    subprocess.run(["sh", "-c", take_over], check=True)
    assert doctor._trees(engine, asked) == [Check("data tree", True, "0123456789abcdef")]
    asked.paths.tree.write_text("what?\n")
    (broken,) = doctor._trees(engine, asked)
    assert (broken.ok, "not the id of a data tree" in broken.detail) == (False, True)


def test_limits_that_the_engine_cannot_hold() -> None:
    info = {"MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": False, "CgroupVersion": "2"}
    assert doctor._limits(info).detail.endswith("limits of pids")
    found = doctor._limits(info | {"PidsLimit": True})
    assert found == Check("limits", True, "memory, cpu, pids (cgroup v2)")


@pytest.mark.engine
def test_an_image_of_other_sources_is_told() -> None:
    from dataclasses import replace

    from tools import images
    from tools.engine import Engine

    engine = Engine.from_env()
    old = doctor._image(engine, replace(images.light(), key="0-old"))
    assert (old.ok, old.detail) == (False, "is out of date")
    gone = doctor._image(engine, replace(images.light(), name="codehub-test-none"))
    assert gone.detail == "is missing"


def test_the_engine_is_the_settings_one_first(
    settings: Callable[..., RunnerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:1")
    assert doctor.engine_of(settings()).address == "tcp://h:1"
    assert doctor.engine_of(settings(CODEHUB_DOCKER_HOST=NOWHERE)).address == NOWHERE
    monkeypatch.delenv("DOCKER_HOST")
    assert doctor.engine_of(settings()).address == DEFAULT_ADDRESS
