"""The images of our services: what each holds and lacks; `tests/deploy/test_compose.py` runs them."""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub import docker
from tools import deploying, images, rootfs, services
from tools.cache import Cache
from tools.engine import Engine


@pytest.fixture
def name() -> Iterator[str]:
    """The beginning of image names of this test's own, which are removed at the end."""
    name = f"codehub-test-{secrets.token_hex(3)}"
    yield name
    shown = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{name}-*")
    if shown:
        docker("rmi", *shown.split())


@pytest.mark.engine
@pytest.mark.timeout(300)  # three images of 1.6 GB are written, read by the engine, and removed
def test_they_are_built_once(name: str) -> None:
    """Under other names, out of the cache: nothing of the set-up's own is touched."""
    cache, engine = Cache.from_env(), Engine.from_env()
    built = [replace(one, name=one.name.replace("codehub/", f"{name}-")) for one in all_of(cache)]
    for image in built:
        images.install(cache, engine, image)
        assert images.ready(engine, image)
        assert not image.tarball(cache).exists()
    services.install(cache, engine)
    assert services.ready(cache, engine)
    gateway, runner = (content(f"{name}-{kind}") for kind in ("gateway", "runner"))
    assert {"gateway", "spec", "packages"} <= gateway
    assert not {"stacks", "tools", "cache"} & gateway
    assert {"stacks", "spec", "packages", "cache"} <= runner
    assert "gateway" not in runner


def all_of(cache: Cache) -> list[images.Image]:
    return services.all_images(cache)


def content(image: str) -> set[str]:
    listed = docker("run", "--rm", "--network", "none", "--entrypoint", "ls", image, "/opt/codehub")
    return set(listed.split())


def test_without_debian_in_the_cache_mmdebstrap_is_needed(
    cache: Cache, only_programs: Callable[[str, str], Path]
) -> None:
    def wanted(cache: Cache) -> bool:
        steps = deploying.compose_steps(cache, Engine("unix:///nonexistent"), lambda _: Path("go"))
        return not next(step for step in steps if step.name == "mmdebstrap").check()

    assert wanted(cache)
    assert not wanted(Cache.from_env())
    only_programs("mmdebstrap", "")
    assert not wanted(cache)


def test_the_tag_is_of_what_is_inside(cache: Cache) -> None:
    before = services.key(cache)
    cache.write(cache.identity_file, "another plugin")
    assert services.key(cache) != before


@pytest.mark.parametrize("name", services.MOUNTED)
def test_the_tag_is_of_what_is_mounted_too(cache: Cache, tmp_path: Path, name: str) -> None:
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    for each in services.MOUNTED:
        (deploy / each).write_text((services.DEPLOY / each).read_text())
    before = services.key(cache, deploy=deploy)
    assert before == services.key(cache)
    (deploy / name).write_text("another")
    assert services.key(cache, deploy=deploy) != before


def test_mounted_is_each_file_that_compose_mounts() -> None:
    told = (services.DEPLOY / "compose.yaml").read_text()
    assert sorted(set(re.findall(r"- \./([\w.-]+):", told))) == sorted(services.MOUNTED)


def test_debian_is_made_anew_once_its_file_is_removed(cache: Cache) -> None:
    """By the pattern that docs/how-to/deploy.md removes it with."""
    packages = (services.SOURCES / "packages.txt").read_text().split()
    cache.write(rootfs.place(cache, packages), "old")
    assert services.has_debian(cache)
    for old in cache.images.glob("base-*.rootfs"):
        old.unlink()
    assert not services.has_debian(cache)
