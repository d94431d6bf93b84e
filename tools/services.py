"""The images of our own services, which `deploy/compose.yaml` starts: gateway, runner, and Caddy for proxy and edge.

Built by the engine from `images/services/*.Dockerfile`; what these copy is put together here. Debian, packages and
Pulumi are in images of their own below, so that a change of our sources builds for seconds. All three have one tag.
"""

import tarfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tools import images, packages, rootfs
from tools.cache import PROJECT, Cache, cli_key, plugin_key, source_key, sources, text_key
from tools.commands import Say, silent
from tools.engine import Engine, pieces
from tools.errors import BuildError
from tools.images import IMAGE_LABEL, Image
from tools.linked import CADDY

SOURCES = PROJECT / "images" / "services"
DEPLOY = PROJECT / "deploy"
MOUNTED = ("edge.Caddyfile", "engine-calls.map", "engine-proxy.Caddyfile")
"""What Caddy reads at its start, from beside the compose file."""
UID = 990
SHARED = ("cli", "forges", "policies", "settings", "spec", "state_index", "telemetry")
GATEWAY = (*SHARED, "gateway")
RUNNER = (*SHARED, "stacks", "tools", "images")
"""With `tools` and the sources of images, by which `codehub doctor` knows whether the engine's are these."""
AUTHORITIES = "./etc/ssl/certs/ca-certificates.crt"

Fill = Callable[[tarfile.TarFile], None]


def key(cache: Cache, *, deploy: Path = DEPLOY) -> str:
    """The tag of all three: of our sources, all that is below them, and what is mounted into Caddy.

    The last is in no image. But compose makes a container anew for another image, and not for another file: by the tag
    a new version's list of calls is read when that version starts.
    """
    rooms = sorted({*GATEWAY, *RUNNER})
    ours = (source_key(PROJECT / room, version=room) for room in rooms)
    project = (PROJECT / "pyproject.toml").read_text()
    mounted = ((deploy / name).read_text() for name in MOUNTED)
    return text_key(*ours, project, _pulumi_key(cache), CADDY.key, *mounted, version="1")


def all_images(cache: Cache) -> list[Image]:
    """What is to be built, in this order."""
    base = Image("codehub/base", _base_key(), _build_base, kept=False)
    pulumi = Image(
        "codehub/base-pulumi", _pulumi_key(cache), partial(_build_pulumi, base), kept=False
    )
    tag = key(cache)
    return [
        base,
        pulumi,
        Image("codehub/caddy", tag, _build_caddy, kept=False),
        Image("codehub/gateway", tag, partial(_build_gateway, base), kept=False),
        Image("codehub/runner", tag, partial(_build_runner, pulumi), kept=False),
    ]


def ready(cache: Cache, engine: Engine) -> bool:
    """Whether the engine has these very builds, also as `latest`."""
    return all(images.ready(engine, image) for image in all_images(cache))


def has_debian(cache: Cache) -> bool:
    """Whether the root file system that all are built on is in the cache."""
    return rootfs.place(cache, _debian()).exists()


def install(cache: Cache, engine: Engine, *, say: Say = silent) -> None:
    """Build what the engine has not.

    Raises:
        ToolError: what kept the build or the engine from doing it.
    """
    for image in all_images(cache):
        if not images.ready(engine, image):
            images.install(cache, engine, image, say=say)


def _base_key() -> str:
    recipe = source_key(SOURCES, version="1")
    return text_key(recipe, rootfs.key(_debian()), packages.key(), version="1")


def _pulumi_key(cache: Cache) -> str:
    identity = cache.identity_file
    plugin = identity.read_text() if identity.exists() else plugin_key()
    return text_key(_base_key(), cli_key(), plugin, version="1")


def _debian() -> list[str]:
    return (SOURCES / "packages.txt").read_text().split()


def _base_tar(cache: Cache, say: Say) -> Path:
    return rootfs.kept(cache, _debian(), user="codehub", uid=UID, say=say)


def _build_base(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    base, tree = _base_tar(cache, say), packages.tree(cache, say=say)
    theirs = packages.runners(tree)

    def fill(tar: tarfile.TarFile) -> None:
        tar.add(base, "base.tar")
        _add(tar, tree, "packages", (path for path in sources(tree) if path not in theirs))

    _build(cache, engine, image, fill, "base", say=say)


def _build_pulumi(below: Image, cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    tree = packages.tree(cache, say=say)
    home = cache.pulumi_home

    def fill(tar: tarfile.TarFile) -> None:
        _add(tar, tree, "packages", packages.runners(tree))
        _add(tar, cache.root, "cache", [cache.pulumi_cli])
        _add(
            tar, home, "cache/pulumi-home", [cache.identity_file, *home.glob("plugins/*/pulumi-*")]
        )

    _build(cache, engine, image, fill, "base-pulumi", below=below, say=say)


def _build_gateway(below: Image, cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    _build(cache, engine, image, partial(_fill, GATEWAY), "gateway", below=below, say=say)


def _build_runner(below: Image, cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    _build(cache, engine, image, partial(_fill, RUNNER), "runner", below=below, say=say)


def _fill(rooms: Iterable[str], tar: tarfile.TarFile) -> None:
    for room in rooms:
        _add(tar, PROJECT, "codehub", sources(PROJECT / room))
    _add(tar, PROJECT, "codehub", [PROJECT / "pyproject.toml"])
    _add(tar, SOURCES, "codehub", [SOURCES / "command"])


def _build_caddy(cache: Cache, engine: Engine, image: Image, say: Say) -> None:
    with tarfile.open(_base_tar(cache, say)) as base:
        authorities = base.extractfile(AUTHORITIES)
        if authorities is None:
            raise BuildError(f"Debian's {AUTHORITIES} is no file")
        certificates = authorities.read()

    def fill(tar: tarfile.TarFile) -> None:
        _add(tar, cache.bin, "", [cache.caddy])
        images.add_entry(tar, "ca-certificates.crt", 0o644, 0, certificates)
        images.add_entry(tar, "data", 0o700, 0)

    _build(cache, engine, image, fill, "caddy", say=say)


def _build(
    cache: Cache,
    engine: Engine,
    image: Image,
    fill: Fill,
    name: str,
    *,
    below: Image | None = None,
    say: Say,
) -> None:
    """Put the context of one of our Dockerfiles together, and have the engine build it."""
    say(f"building {image.reference}")
    with cache.scratch(name) as scratch:
        context = scratch / "context.tar"
        with tarfile.open(context, "w", dereference=True) as tar:
            recipe = (SOURCES / f"{name}.Dockerfile").read_bytes()
            images.add_entry(tar, "Dockerfile", 0o644, 0, recipe)
            fill(tar)
        engine.build(
            pieces(context),
            image.reference,
            labels={IMAGE_LABEL: image.key},
            arguments={"BASE": below.reference} if below else {},
        )


def _add(tar: tarfile.TarFile, folder: Path, prefix: str, files: Iterable[Path]) -> None:
    """Add files of a folder, readable for everybody, whoever's umask they were made under."""
    for path in sorted(files):
        entry = tar.gettarinfo(path, str(Path(prefix) / path.relative_to(folder)))
        entry.uid = entry.gid = 0
        entry.mode = 0o755 if entry.mode & 0o100 else 0o644
        with path.open("rb") as stream:
            tar.addfile(entry, stream)
