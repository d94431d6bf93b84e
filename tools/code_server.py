"""code-server's tree, from npm and Node's wheel: everything the image has below /opt/code-server.

The npm package wants to install and compile from a postinstall script; we take the same steps one by one, so
that only the three native modules it needs on Linux are compiled. Foreign platforms' binaries are left out.
"""

import shutil
import sys
from pathlib import Path

from tools.cache import PROJECT, Cache, source_key
from tools.commands import Say, run, silent
from tools.errors import BuildError
from tools.toolchains import WHEELS, find_node

SOURCES = PROJECT / "images" / "code-server" / "npm"
NATIVE = ("@vscode/spdlog", "@vscode/sqlite3", "@vscode/native-watchdog")
RECIPE = "2"
"""Part of the key: raise it when this module changes what it makes."""


def key() -> str:
    """The key of the tree: of the npm lock, the Node wheel and this recipe."""
    return source_key(SOURCES, version=RECIPE, extra=((WHEELS / "node.txt").read_text(),))


def tree(cache: Cache, *, say: Say = silent) -> Path:
    """The folder with `node` and `node_modules`, made where the cache has none of this key.

    Raises:
        CommandFailedError: npm or the compiler failed.
    """
    target = cache.root / "code-server" / key()
    if not target.exists():
        with cache.scratch("code-server") as scratch:
            _make(cache, scratch / "tree", say)
            cache.install(scratch / "tree", target)
        for old in target.parent.iterdir():
            if old != target:
                shutil.rmtree(old)
    return target


def _make(cache: Cache, folder: Path, say: Say) -> None:
    node = find_node(cache)
    if node is None:
        raise BuildError("the Node wheel is not in the cache")
    shutil.copytree(SOURCES, folder)
    vscode = folder / "node_modules" / "code-server" / "lib" / "vscode"
    _npm(cache, node, folder, ["ci"], say)
    for place in (vscode, vscode / "extensions"):
        _npm(cache, node, place, ["install"], say)
    say("compiling native modules")
    _npm(cache, node, vscode, ["rebuild", "--foreground-scripts", *NATIVE], say, scripts=True)
    for native in NATIVE:
        if not list((vscode / "node_modules" / native).glob("build/Release/*.node")):
            raise BuildError(
                f"npm built no binary of {native}", remedy=f"see {cache.logs}/code-server.log"
            )
    for name in ("code-server", "code"):
        _link(vscode / "bin" / "remote-cli" / name, "code-linux.sh")
    _link(vscode / "bin" / "helpers" / "browser.sh", "browser-linux.sh")
    _trim(folder, vscode)
    shutil.copy2(node / "bin" / "node", folder / "node")
    # The `code` command of a workspace's terminal looks for Node here.
    _link(folder / "node_modules" / "code-server" / "lib" / "node", "../../../node")


def _npm(
    cache: Cache, node: Path, cwd: Path, args: list[str], say: Say, *, scripts: bool = False
) -> None:
    flags = ["--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier"]
    if not scripts:
        flags.append("--ignore-scripts")
    env = {
        "PATH": f"{node / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "npm_config_nodedir": str(node),
        "PYTHON": sys.executable,
    }
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    log = cache.logs / "code-server.log"
    run([node / "bin" / "node", npm, *args, *flags], cwd=cwd, env=env, log=log, say=say)


def _link(link: Path, target: str) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _trim(folder: Path, vscode: Path) -> None:
    modules = vscode / "node_modules"
    for path in (
        *modules.glob("node-pty/prebuilds/*"),
        *modules.glob("@vscode/ripgrep-universal/bin/*"),
    ):
        if not path.name.startswith("linux-"):
            shutil.rmtree(path)
    for path in (
        *modules.glob("@vscode/*/build/Release/obj*"),
        *modules.glob("@vscode/sqlite3/deps"),
    ):
        shutil.rmtree(path)
    for path in folder.rglob("*.map"):
        path.unlink()
