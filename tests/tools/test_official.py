"""The official download: verified by its published checksum, given up quickly where it does not answer."""

import hashlib
import io
import os
import platform
import socket
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools import build, official
from tools.cache import Cache
from tools.errors import CommandFailedError, DownloadError
from tools.pins import PULUMI_VERSION

CLI = '#!/bin/sh\necho "$@" >> "$PULUMI_HOME/asked"\n[ ! -e "$PULUMI_HOME/fail" ]\n'


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Release:
    """A release server's folder."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "releases" / "sdk"
        self.folder.mkdir(parents=True)
        self.archive = self.folder / f"pulumi-v{PULUMI_VERSION}-linux-x64.tar.gz"
        with tarfile.open(self.archive, "w:gz") as tar:
            entry = tarfile.TarInfo("pulumi/pulumi")
            entry.mode, entry.size = 0o755, len(CLI)
            tar.addfile(entry, io.BytesIO(CLI.encode()))
        self.publish(hashlib.sha256(self.archive.read_bytes()).hexdigest())

    def publish(self, digest: str, name: str = "") -> None:
        lines = f"{'0' * 64}  other.tar.gz\n{digest}  {name or self.archive.name}\n"
        (self.folder / f"pulumi-{PULUMI_VERSION}-checksums.txt").write_text(lines)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path / "www")


@pytest.fixture
def server(tmp_path: Path, release: Release) -> Iterator[str]:
    handler = partial(Quiet, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def x86(monkeypatch: pytest.MonkeyPatch) -> None:
    # The archive's name hangs on the machine the tests run on.
    monkeypatch.setitem(official.ARCHITECTURES, platform.machine(), "x64")


def test_the_verified_cli_is_linked(cache: Cache, server: str) -> None:
    said: list[str] = []
    official.install_cli(cache, server=server, say=said.append)
    assert cache.pulumi_cli.read_text() == CLI
    assert cache.pulumi_cli.stat().st_mode & 0o111
    assert build.cli_ready(cache)
    assert said == ["downloaded 0 MB"]


def test_what_is_there_is_not_downloaded_again(cache: Cache, server: str, release: Release) -> None:
    official.install_cli(cache, server=server)
    release.archive.unlink()
    official.install_cli(cache, server=server)
    assert build.cli_ready(cache)


def test_a_wrong_checksum_is_refused(cache: Cache, server: str, release: Release) -> None:
    release.publish("1" * 64)
    with pytest.raises(DownloadError, match="not what was published"):
        official.install_cli(cache, server=server)
    assert not cache.pulumi_cli.exists()


def test_what_tar_does_not_understand_is_refused(
    cache: Cache, server: str, release: Release
) -> None:
    release.archive.write_bytes(b"half")
    release.publish(hashlib.sha256(b"half").hexdigest())
    with pytest.raises(DownloadError, match=r"unpacked \(tar ended with 2: gzip: "):
        official.install_cli(cache, server=server)
    assert not cache.pulumi_cli.exists()


def test_an_archive_does_not_leave_its_folder(
    cache: Cache, server: str, release: Release, tmp_path: Path
) -> None:
    with tarfile.open(release.archive, "w:gz") as tar:
        for name in ("pulumi/pulumi", f"../../../{tmp_path.name}-up", f"{tmp_path}/away"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    release.publish(hashlib.sha256(release.archive.read_bytes()).hexdigest())
    with pytest.raises(DownloadError, match="can't be unpacked"):
        official.install_cli(cache, server=server)
    assert not (tmp_path / "away").exists()
    assert not (tmp_path / f"{tmp_path.name}-up").exists()


def test_rights_beyond_the_usual_are_not_taken_over(
    cache: Cache, server: str, release: Release
) -> None:
    with tarfile.open(release.archive, "w:gz") as tar:
        entry = tarfile.TarInfo("pulumi/pulumi")
        entry.mode = 0o6777
        tar.addfile(entry, io.BytesIO())
    release.publish(hashlib.sha256(release.archive.read_bytes()).hexdigest())
    mask = os.umask(0o022)
    try:
        official.install_cli(cache, server=server)
    finally:
        os.umask(mask)
    assert cache.pulumi_cli.stat().st_mode & 0o7777 == 0o755


def test_without_tar_it_says_so(
    cache: Cache, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="there is no program tar here"):
        official.install_cli(cache, server=server)


def test_an_unpublished_checksum_is_refused(cache: Cache, server: str, release: Release) -> None:
    release.publish("1" * 64, "something-else.tar.gz")
    with pytest.raises(DownloadError, match="no checksum"):
        official.install_cli(cache, server=server)


def test_a_server_that_lacks_it_or_does_not_answer(cache: Cache, server: str) -> None:
    for address in (f"{server}/nothing", "http://127.0.0.1:1"):
        with pytest.raises(DownloadError, match="does not answer"):
            official.install_cli(cache, server=address)


def test_a_download_that_breaks_off(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        port = listener.getsockname()[1]
        sent = pool.submit(break_off, listener)
        with pytest.raises(DownloadError, match="broke off"):
            official._fetch(f"http://127.0.0.1:{port}/x", tmp_path / "x", say=lambda _line: None)
        sent.result()


def break_off(listener: socket.socket) -> None:
    """Answer one request with the beginning of a body, then reset the connection."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nhalf")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_an_unknown_machine_builds(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "ARCHITECTURES", {})
    with pytest.raises(DownloadError, match="no official CLI is known"):
        official.install_cli(cache, server="http://127.0.0.1:1")


def test_the_official_cli_is_asked_for_the_plugin(cache: Cache, server: str) -> None:
    cache.pulumi_home.mkdir(parents=True)
    official.install_cli(cache, server=server)
    official.install_plugin(cache)
    asked = (cache.pulumi_home / "asked").read_text()
    assert asked == "plugin install resource docker 5.2.0\n"
    assert cache.identity_file.read_text() == official.PLUGIN_IDENTITY


def test_a_plugin_that_cannot_be_had(cache: Cache, server: str) -> None:
    cache.pulumi_home.mkdir(parents=True)
    with pytest.raises(DownloadError, match="not here to ask"):
        official.install_plugin(cache)
    official.install_cli(cache, server=server)
    (cache.pulumi_home / "fail").touch()
    with pytest.raises(DownloadError, match="could not be had"):
        official.install_plugin(cache)
    assert not cache.identity_file.exists()


def test_without_the_download_it_is_built(
    cache: Cache, program: Callable[[str, str], Path]
) -> None:
    go = program("go", "echo compiling; exit 1")
    said: list[str] = []
    with pytest.raises(CommandFailedError):
        build.install_cli(cache, go, server="http://127.0.0.1:1", say=said.append)
    with pytest.raises(CommandFailedError):
        build.install_plugin(cache, go, say=said.append)
    assert sum(line.endswith("building from Go modules") for line in said) == 2
