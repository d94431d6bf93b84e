"""Go programs are built once per key, from what the committed go.sum covers."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import build, toolchains
from tools.cache import Cache, cli_key, plugin_key
from tools.commands import output
from tools.errors import BuildError, CommandFailedError

MAIN = 'package main\n\nfunc main() { println("built") }\n'


@pytest.fixture(scope="session")
def go() -> Path:
    found = toolchains.find_go(Cache.from_env())
    assert found is not None
    return found


@pytest.fixture
def small(tmp_path: Path) -> build.GoProgram:
    sources = tmp_path / "small"
    sources.mkdir()
    (sources / "go.mod").write_text("module example.test/small\n\ngo 1.25\n")
    (sources / "go.sum").touch()
    (sources / "main.go").write_text(MAIN)
    return build.GoProgram(
        sources=sources, package=".", flags=("-ldflags=-s -w",), binary="bin/small"
    )


def test_a_program_is_built_into_its_folder_once(
    cache: Cache, go: Path, small: build.GoProgram
) -> None:
    target = cache.root / "small" / "key"
    binary = build.build(small, target, cache=cache, go=go)
    assert output([binary]) == ""
    made = binary.stat().st_ino
    (small.sources / "main.go").write_text("no Go at all")
    assert build.build(small, target, cache=cache, go=go).stat().st_ino == made
    assert list((cache.root / "tmp").iterdir()) == []


def test_a_failed_build_leaves_nothing(cache: Cache, go: Path, small: build.GoProgram) -> None:
    (small.sources / "main.go").write_text("no Go at all")
    target = cache.root / "small" / "key"
    with pytest.raises(CommandFailedError, match="expected 'package'"):
        build.build(small, target, cache=cache, go=go)
    assert not target.exists()
    assert (cache.logs / "small.log").exists()


def test_a_module_that_go_sum_does_not_cover_is_refused(
    tmp_path: Path, cache: Cache, go: Path, small: build.GoProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = module_proxy(tmp_path / "proxy")
    for name, value in {
        "GOPROXY": proxy.as_uri(),
        "GONOSUMDB": "*",
        "GOMODCACHE": str(tmp_path / "modcache"),
        "GOFLAGS": "-modcacherw",
    }.items():
        monkeypatch.setenv(name, value)
    with (small.sources / "go.mod").open("a") as file:
        file.write("\nrequire example.test/dep v1.0.0\n")
    (small.sources / "main.go").write_text(
        'package main\n\nimport "example.test/dep"\n\nfunc main() { dep.Hi() }\n'
    )
    with pytest.raises(BuildError, match="does not cover"):
        build.build(small, cache.root / "small" / "key", cache=cache, go=go)


def module_proxy(root: Path) -> Path:
    """A module proxy in a folder, with one module."""
    versions = root / "example.test" / "dep" / "@v"
    versions.mkdir(parents=True)
    mod = "module example.test/dep\n\ngo 1.25\n"
    (versions / "list").write_text("v1.0.0\n")
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_text(mod)
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as archive:
        archive.writestr("example.test/dep@v1.0.0/go.mod", mod)
        archive.writestr("example.test/dep@v1.0.0/dep.go", "package dep\n\nfunc Hi() {}\n")
    return root


def test_builds_of_an_interrupted_set_up_are_only_linked(
    cache: Cache, program: Callable[[str, str], Path]
) -> None:
    go = program("go", "exit 1")
    cli = cache.root / "pulumi" / cli_key() / "bin" / "pulumi"
    plugin = cache.root / "docker-plugin" / plugin_key() / "pulumi-resource-docker"
    for binary in (cli, plugin):
        binary.parent.mkdir(parents=True)
        binary.touch(mode=0o755)
    assert not build.cli_ready(cache)
    assert not build.plugin_ready(cache)
    build.build_cli(cache, go)
    build.build_plugin(cache, go)
    assert build.cli_ready(cache)
    assert build.plugin_ready(cache)
    assert cache.identity_file.read_text() == f"docker-{plugin_key()}"


def test_a_cli_of_other_sources_is_not_ready(cache: Cache) -> None:
    old = cache.root / "pulumi" / "3.255.0-0123456789ab" / "bin" / "pulumi"
    old.parent.mkdir(parents=True)
    old.touch()
    cache.link(cache.pulumi_cli, old)
    assert not build.cli_ready(cache)


def test_the_helpers_run_the_interpreter_that_is_named(
    cache: Cache, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not build.helpers_ready(cache)
    build.install_helpers(cache)
    assert build.helpers_ready(cache)
    monkeypatch.setenv("CODEHUB_PYTHON", str(program("python", 'echo "$@"')))
    plugins = cache.pulumi_home / "plugins"
    said = {output([path, "127.0.0.1:1", "pack"]) for path in plugins.rglob("pulumi-*")}
    assert said == {"-m pulumi.policy 127.0.0.1:1 pack", "-m pulumi.dynamic 127.0.0.1:1 pack"}
