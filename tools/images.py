"""The workspace images: built without a container registry, kept as tar files, loaded into the engine.

`light` and `probe` are one static program each. `code-server` is a Debian root file system, code-server's tree from npm with
Node from its wheel, and the files of `images/code-server/rootfs`. An image is named by the key of its sources
and by `latest`; it is built once per key and cache, and loaded once per engine.
"""

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import code_server, rootfs, toolchains
from tools.cache import BUILD_FLAGS, PROJECT, Cache, source_key
from tools.commands import Say, run, silent
from tools.engine import Engine, pieces
from tools.errors import BuildError
from tools.pins import CODE_SERVER_VERSION

LIGHT_SOURCES = PROJECT / "images" / "light"
PROBE_SOURCES = PROJECT / "images" / "probe"
CODE_SERVER_SOURCES = PROJECT / "images" / "code-server"
RECIPE = "1"
"""Part of the code-server key: raise it when the code that builds the image changes what is in it."""
IMAGE_LABEL = "codehub.image-key"
UID = 1000
HOME = "home/coder"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """An image of ours: `name:key` and `name:latest`."""

    name: str
    key: str
    build: Callable[[Cache, Engine, "Image", Say], None]
    kept: bool = True
    """Whether the cache keeps it as a tar file; without, what it is made of is kept."""

    @property
    def reference(self) -> str:
        """The name that no other build has."""
        return f"{self.name}:{self.key}"

    def tarball(self, cache: Cache) -> Path:
        """Where the built image is kept."""
        return cache.images / f"{Path(self.name).name}-{self.key}.tar"


def light() -> Image:
    """The image of tests and fleets: a static server of a few MB."""
    key = source_key(LIGHT_SOURCES, version="1", extra=BUILD_FLAGS)
    return Image("codehub/light", key, _build_light)


def probe() -> Image:
    """The image of the isolation probe, which the runner starts beside workspaces for a moment."""
    key = source_key(PROBE_SOURCES, version="1", extra=BUILD_FLAGS)
    return Image("codehub/probe", key, _build_probe)


def workspace() -> Image:
    """The image with code-server."""
    wheels = (toolchains.WHEELS / "node.txt").read_text()
    key = source_key(
        CODE_SERVER_SOURCES, version=CODE_SERVER_VERSION, extra=(RECIPE, code_server.RECIPE, wheels)
    )
    return Image("codehub/code-server", key, _build_code_server)


def ready(engine: Engine, image: Image) -> bool:
    """Whether the engine has this very build, also as `latest`."""
    found = engine.image_id(image.reference)
    return found is not None and found == engine.image_id(f"{image.name}:latest")


def install(cache: Cache, engine: Engine, image: Image, *, say: Say = silent) -> None:
    """Load the image into the engine, built first where the cache has no tar file of it.

    Raises:
        ToolError: what kept the build or the engine from doing it.
    """
    tarball = image.tarball(cache)
    before = {engine.image_id(name) for name in (image.reference, f"{image.name}:latest")}
    if engine.image_id(image.reference) is not None:
        say(f"naming {image.reference} latest")  # a checkout of other sources had its turn
    elif tarball.exists():
        say(f"loading {image.reference}")
        engine.load(tarball)
    else:
        image.build(cache, engine, image, say)
        if image.kept:
            _keep(cache, engine, image, say)
    engine.tag(image.reference, image.name, "latest")
    same = engine.untagged(f"{IMAGE_LABEL}={image.key}")  # of a set-up that built it at our side
    for nameless in {*same, *(before & set(engine.untagged(IMAGE_LABEL)))}:
        engine.remove_image(str(nameless))  # one that is in use stays: `codehub gc`


def _keep(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    say(f"keeping {image.reference}")
    tarball = image.tarball(cache)
    with cache.scratch("image") as scratch:
        engine.save([image.reference], scratch / tarball.name)
        for old in cache.images.glob(f"{Path(image.name).name}-*.tar"):
            old.unlink()
        cache.install(scratch / tarball.name, tarball)


def _labels(image: Image) -> list[str]:
    return [f'LABEL {IMAGE_LABEL}="{image.key}"']


def _build_light(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    _build_static(LIGHT_SOURCES, cache, engine, image, say)


def _build_probe(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    _build_static(PROBE_SOURCES, cache, engine, image, say)


def _build_static(sources: Path, cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    name = sources.name
    go = toolchains.find_go(cache)
    if go is None:
        raise BuildError(f"there is no Go here to build the {name} image with")
    with cache.scratch(name) as scratch:
        compile_static(go, sources, scratch / name, log=cache.logs / f"{name}.log", say=say)
        layer = _static_layer(name, (scratch / name).read_bytes())
    changes = [
        f'ENTRYPOINT ["/{name}"]',
        f"USER {UID}:{UID}",
        f"ENV HOME=/{HOME}",
        f"WORKDIR /{HOME}",
    ]
    engine.import_image([layer], image.name, image.key, changes + _labels(image))


def compile_light(go: Path, binary: Path, *, log: Path, say: Say = silent) -> None:
    """Build the light image's program; see `compile_static`."""
    compile_static(go, LIGHT_SOURCES, binary, log=log, say=say)


def compile_static(go: Path, sources: Path, binary: Path, *, log: Path, say: Say = silent) -> None:
    """Build a program that needs no files besides itself.

    Raises:
        CommandFailedError: Go failed.
    """
    flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, "."]
    env = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    run([go, "build", *flags], cwd=sources, env=env, log=log, say=say)


def _static_layer(name: str, binary: bytes) -> bytes:
    """A root file system of one program; the home and the run folder belong to the user inside."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, mode, owner in (
            ("etc", 0o755, 0),
            ("home", 0o755, 0),
            (HOME, 0o755, UID),
            ("run", 0o755, 0),
            ("run/codehub", 0o770, UID),
            ("tmp", 0o1777, 0),
        ):
            add_entry(tar, path, mode, owner)
        passwd = f"root:x:0:0::/:/\ncoder:x:{UID}:{UID}::/{HOME}:/\n"
        add_entry(tar, "etc/passwd", 0o644, 0, passwd.encode())
        add_entry(tar, "etc/group", 0o644, 0, f"root:x:0:\ncoder:x:{UID}:\n".encode())
        add_entry(tar, name, 0o755, 0, binary)
    return buffer.getvalue()


def add_entry(
    tar: tarfile.TarFile, path: str, mode: int, owner: int, data: bytes | None = None
) -> None:
    """Add a file, or without data a folder."""
    entry = tarfile.TarInfo(path)
    entry.mode, entry.uid, entry.gid = mode, owner, owner
    entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    entry.size = len(data or b"")
    tar.addfile(entry, io.BytesIO(data or b""))


def _build_code_server(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    tree = code_server.tree(cache, say=say)
    packages = (CODE_SERVER_SOURCES / "packages.txt").read_text().split()
    base = rootfs.kept(cache, packages, user="coder", uid=UID, say=say)
    with cache.scratch("code-server-image") as scratch:
        layer = scratch / "layer.tar"
        say("putting the image together")
        with tarfile.open(layer, "w") as tar:
            seen = _copy(base, tar)
            _add_tree(tar, tree, Path("opt/code-server"), seen)
            _add_tree(tar, CODE_SERVER_SOURCES / "rootfs", Path(), seen)
            add_entry(tar, f"./{HOME}", 0o755, UID)
            add_entry(tar, "./run/codehub", 0o770, UID)
        say(f"importing {image.reference}")
        engine.import_image(pieces(layer), image.name, image.key, _configuration() + _labels(image))


def _configuration() -> list[str]:
    return [
        # tini reaps what terminals leave behind and hands SIGTERM on.
        'ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/codehub-entrypoint"]',
        f"USER {UID}:{UID}",
        f"WORKDIR /{HOME}",
        f"ENV HOME=/{HOME} LANG=C.UTF-8 SHELL=/bin/bash PATH={PATH}",
    ]


def _copy(base: Path, tar: tarfile.TarFile) -> set[Path]:
    """Copy a tar file's entries; the engine takes no path twice, so say which are there."""
    seen = set()
    with tarfile.open(base) as source:
        for entry in source:
            tar.addfile(entry, source.extractfile(entry) if entry.isreg() else None)
            seen.add(Path(entry.name))
    return seen


def _add_tree(tar: tarfile.TarFile, folder: Path, prefix: Path, seen: set[Path]) -> None:
    for path in (folder, *sorted(folder.rglob("*"))):
        name = prefix / path.relative_to(folder)
        if name not in seen:
            seen.add(name)
            tar.add(path, f"./{name}", recursive=False, filter=_root_owned)


def _root_owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode &= 0o755
    return entry
