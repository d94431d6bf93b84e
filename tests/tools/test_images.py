"""Images are built once per key, kept as a file, and loaded into an engine that lacks them."""

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub import docker
from tools import code_server, images
from tools.cache import Cache, source_key
from tools.engine import Engine
from tools.errors import BuildError


@pytest.fixture
def engine() -> Engine:
    return Engine.from_env()


@pytest.fixture
def name() -> Iterator[str]:
    """An image name of this test's own; containers, volumes and tags are removed at the end."""
    name = f"codehub-test-{secrets.token_hex(3)}"
    yield name
    docker("rm", "-f", name, check=False)
    docker("volume", "rm", name, check=False)
    for tag in docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).split():
        docker("rmi", "-f", tag)


@pytest.mark.engine
def test_the_light_image_is_built_kept_and_loaded(cache: Cache, engine: Engine, name: str) -> None:
    image = replace(images.light(), name=name)
    assert not images.ready(engine, image)
    images.install(cache, engine, image)
    assert images.ready(engine, image)
    built = engine.image_id(image.reference)
    docker("rmi", f"{name}:latest")
    said: list[str] = []
    images.install(cache, engine, image, say=said.append)
    docker("rmi", image.reference, f"{name}:latest")
    images.install(cache, engine, image, say=said.append)
    assert said == [f"naming {image.reference} latest", f"loading {image.reference}"]
    assert engine.image_id(f"{name}:latest") == built
    assert (
        docker("inspect", "-f", '{{index .Config.Labels "codehub.image-key"}}', name) == image.key
    )


@pytest.mark.engine
def test_a_new_volume_takes_the_users_home(cache: Cache, engine: Engine, name: str) -> None:
    image = replace(images.light(), name=name)
    images.install(cache, engine, image)
    mount = f"type=volume,src={name},dst=/home/coder"
    docker("create", "--name", name, "--mount", mount, image.reference)
    docker("start", name)
    home = Path(docker("volume", "inspect", "-f", "{{.Mountpoint}}", name))
    assert (home.stat().st_uid, home.stat().st_gid) == (1000, 1000)
    assert docker("inspect", "-f", "{{.Config.User}} {{.Config.WorkingDir}}", name) == (
        "1000:1000 /home/coder"
    )


@pytest.mark.engine
def test_an_older_build_makes_way(cache: Cache, engine: Engine, name: str) -> None:
    image = replace(images.light(), name=name)
    old, other = cache.images / f"{name}-0-old.tar", cache.images / "other-0-old.tar"
    cache.images.mkdir(parents=True)
    for file in (old, other):
        file.touch()
    images.install(cache, engine, image)
    assert sorted(p.name for p in cache.images.iterdir()) == sorted(
        [other.name, image.tarball(cache).name]
    )


def test_the_light_image_needs_go(
    cache: Cache, engine: Engine, only_programs: Callable[[str, str], Path]
) -> None:
    with pytest.raises(BuildError, match="no Go"):
        images.install(cache, engine, replace(images.light(), name="codehub-test-never"))


def test_keys_name_versions() -> None:
    assert images.workspace().reference.startswith("codehub/code-server:4.139.1-")
    assert images.light().reference.startswith("codehub/light:1-")


def small_base() -> bytes:
    """What mmdebstrap would make, in small: folders that the overlay has too, a file, a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in (".", "./usr", "./usr/local", "./usr/local/bin", "./opt"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("./usr/a")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
        entry = tarfile.TarInfo("./bin")
        entry.type, entry.linkname = tarfile.SYMTYPE, "usr/bin"
        tar.addfile(entry)
    return buffer.getvalue()


@pytest.fixture
def path_with_mmdebstrap(tmp_path: Path, path_first: Callable[[str, str], Path]) -> Path:
    """A mmdebstrap that writes the small base where it is told to, and counts its runs."""
    (tmp_path / "base.tar").write_bytes(small_base())
    find = (
        'for a in "$@"; do case $a in *base.tar) cp %s/base.tar $a;; esac; done; echo x >> %s/runs'
    )
    path_first("mmdebstrap", find % (tmp_path, tmp_path))
    return tmp_path / "runs"


@pytest.mark.engine
def test_the_workspace_image_joins_base_tree_and_overlay(
    cache: Cache, engine: Engine, name: str, tmp_path: Path, path_with_mmdebstrap: Path
) -> None:
    tree = cache.root / "code-server" / code_server.key()
    (tree / "node_modules").mkdir(parents=True)
    (tree / "node").write_text("node")
    (tree / "node_modules" / "link").symlink_to("../node")
    image = replace(images.workspace(), name=name)
    images.install(cache, engine, image)
    docker("create", "--name", name, image.reference)
    docker("export", "-o", str(tmp_path / "out.tar"), name)
    docker("rm", name)
    with tarfile.open(tmp_path / "out.tar") as tar:
        entries = {entry.name.rstrip("/"): entry for entry in tar}
    assert {"usr/a", "bin", "opt/code-server/node"} <= entries.keys()
    assert entries["opt/code-server/node_modules/link"].linkname == "../node"
    assert entries["usr/local/bin/codehub-entrypoint"].mode & 0o111
    assert entries["home/coder"].uid == 1000
    assert entries["run/codehub"].mode & 0o777 == 0o770
    shown = docker("inspect", "-f", "{{json .Config.Entrypoint}} {{.Config.User}}", image.reference)
    assert shown == '["/usr/bin/tini","--","/usr/local/bin/codehub-entrypoint"] 1000:1000'

    image.tarball(cache).unlink()
    docker("rmi", "-f", image.reference, f"{name}:latest")
    images.install(cache, engine, image)
    assert path_with_mmdebstrap.read_text().count("x") == 1  # the base was kept


def test_the_tree_changes_with_its_sources() -> None:
    assert code_server.key().startswith(f"{code_server.RECIPE}-")
    assert code_server.key() != source_key(code_server.SOURCES, version=code_server.RECIPE)


@pytest.mark.engine
def test_the_probes_image_holds_the_probe(cache: Cache, engine: Engine, name: str) -> None:
    image = replace(images.probe(), name=name)
    images.install(cache, engine, image)
    shown = docker("inspect", "-f", "{{json .Config.Entrypoint}} {{.Config.User}}", image.reference)
    assert shown == '["/probe"] 1000:1000'


@pytest.mark.engine
def test_a_rebuild_leaves_no_image_without_a_name(cache: Cache, engine: Engine, name: str) -> None:
    """It takes the names of what was there before: by its key, and `latest`."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a"))

    def build(_cache: Cache, engine: Engine, image: images.Image, _say: object) -> None:
        changes = [f'LABEL {images.IMAGE_LABEL}="{image.key}"']
        engine.import_image([layer.getvalue()], image.name, image.key, changes)

    image = images.Image(name, f"1-{name}", build)
    images.install(cache, engine, image)
    first = engine.image_id(image.reference)
    image.build(cache, engine, image, lambda _: None)  # as another set-up does at the same time
    assert engine.image_id(image.reference) != first
    engine.tag(image.reference, name, "latest")
    label = f"{images.IMAGE_LABEL}={image.key}"
    assert engine.untagged(label) == [first], "the former build has no name any more"
    docker("create", "--name", name, str(first), "/a")
    images.install(cache, engine, image)
    assert engine.untagged(label) == [first], "a container is made of it"
    docker("rm", name)
    images.install(cache, engine, image)
    assert engine.untagged(label) == []
    assert images.ready(engine, image)
    assert not engine.remove_image(str(first)), "gone already is fine"
