"""What the build of Gitea needs besides our go.mod: its sources but for two files, and its data folders.

The module holds no built web pages, and the tests need none: the API is enough. Texts, templates and the
like are in it; Gitea reads them from the folder that STATIC_ROOT_PATH names, so they go beside the program.
"""

import shutil
from pathlib import Path

from tools.build import Workshop
from tools.commands import output
from tools.errors import BuildError
from tools.pins import GITEA_VERSION

MODULE = f"code.gitea.io/gitea@v{GITEA_VERSION}"
LEFT_OUT = ("gitea_downloader.go", "gitlab.go")
"""Imports of repositories from other servers; the modules of these servers' clients are not served."""
DATA = ("options", "public", "templates")


def unpack(shop: Workshop) -> None:
    """Put the module's sources beside our go.mod, and its data folders beside the program.

    Go checks the module against our go.sum as it downloads it.

    Raises:
        CommandFailedError: the module can't be had.
        BuildError: Go does not say where it keeps modules.
    """
    shop.run("mod", "download", MODULE)
    kept = output([shop.go, "env", "GOMODCACHE"])
    if not kept:
        raise BuildError("`go env GOMODCACHE` names no folder")
    unpack_from(Path(kept) / MODULE, shop)


def unpack_from(module: Path, shop: Workshop) -> None:
    """The same, of a module that is there; what Go keeps is read-only, and our copies are not."""
    for name in DATA:
        _copy(module / name, shop.out / name)
    sources = shop.work / "gitea"
    _copy(module, sources)
    for name in LEFT_OUT:
        (sources / "services" / "migrations" / name).unlink()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
