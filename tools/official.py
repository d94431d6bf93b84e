"""Pulumi's own downloads: tried first, with little patience, verified by their published checksum.

Where they do not answer, DownloadError says so and the caller builds instead. The Docker plugin is asked for
through the official CLI, the ordinary client for plugins, and only when that CLI itself could be had.
"""

import hashlib
import platform
import urllib.request
from http.client import HTTPResponse
from pathlib import Path

from tools.cache import Cache
from tools.commands import Say, run, silent
from tools.errors import DownloadError, ToolError
from tools.pins import DOCKER_PLUGIN_VERSION, PULUMI_VERSION

SERVER = "https://get.pulumi.com"
PATIENCE = 3.0
"""Seconds for an answer: a machine without a way out must not wait long for nothing."""
CLI_KEY = f"{PULUMI_VERSION}-official"
PLUGIN_IDENTITY = f"docker-{DOCKER_PLUGIN_VERSION}-official"
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
CHUNK = 1 << 20


def install_cli(cache: Cache, *, server: str = SERVER, say: Say = silent) -> None:
    """Download the official CLI, compare its checksum with the published one, put it into the cache.

    Raises:
        DownloadError: the server does not answer, lacks the file, or sent something else.
    """
    target = cache.root / "pulumi" / CLI_KEY
    if not target.exists():
        archive = _archive_name()
        published = _published_checksum(f"{server}/releases/sdk", archive)
        with cache.scratch("pulumi-official") as scratch:
            file = scratch / archive
            _fetch(f"{server}/releases/sdk/{archive}", file, say=say)
            _verify(file, published)
            _unpack(file, scratch, log=cache.logs / "pulumi.log", say=say)
            (scratch / "out").mkdir()
            (scratch / "pulumi").replace(scratch / "out" / "bin")
            cache.install(scratch / "out", target)
    cache.link(cache.pulumi_cli, target / "bin" / "pulumi")


def install_plugin(cache: Cache, *, say: Say = silent) -> None:
    """Have the official CLI install the official Docker plugin.

    Raises:
        DownloadError: the CLI is not the official one, or it could not get the plugin.
    """
    if cache.pulumi_cli.resolve().parent.parent.name != CLI_KEY:
        raise DownloadError("the official CLI is not here to ask")
    command = [cache.pulumi_cli, "plugin", "install", "resource", "docker", DOCKER_PLUGIN_VERSION]
    try:
        env = {"PULUMI_HOME": str(cache.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "1"}
        run(command, env=env, log=cache.logs / "docker_plugin.log", say=say)
    except ToolError as error:
        raise DownloadError("the official Docker plugin could not be had") from error
    cache.write(cache.identity_file, PLUGIN_IDENTITY)


def _unpack(file: Path, folder: Path, *, log: Path, say: Say) -> None:
    # Not by tarfile: Debian 12's Python came before its filters. tar writes nothing outside the folder either.
    command = ["tar", "-xzf", file, "-C", folder, "--no-same-owner", "--no-same-permissions"]
    try:
        run(command, env={"TAR_OPTIONS": ""}, log=log, say=say)
    except ToolError as error:
        # The last lines that tar said, not the very last one, which is only that it gave up.
        why = " ".join(error.message.split())
        raise DownloadError(f"the official download can't be unpacked ({why})") from error


def _archive_name() -> str:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise DownloadError(f"no official CLI is known for {machine}")
    return f"pulumi-v{PULUMI_VERSION}-linux-{ARCHITECTURES[machine]}.tar.gz"


def _published_checksum(base: str, archive: str) -> str:
    with _open(f"{base}/pulumi-{PULUMI_VERSION}-checksums.txt") as answer:
        text = answer.read().decode()
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        if name.strip(" *") == archive:
            return digest
    raise DownloadError(f"no checksum of {archive} is published")


def _open(url: str) -> HTTPResponse:
    try:
        answer: HTTPResponse = urllib.request.urlopen(url, timeout=PATIENCE)  # noqa: S310 - https or a test's server
    except OSError as error:
        raise DownloadError(f"the official download does not answer ({error})") from error
    return answer


def _fetch(url: str, file: Path, *, say: Say) -> None:
    with _open(url) as answer, file.open("wb") as out:
        try:
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                say(f"downloaded {out.tell() >> 20} MB")
        except OSError as error:
            raise DownloadError(f"the official download broke off ({error})") from error


def _verify(file: Path, published: str) -> None:
    with file.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != published:
        raise DownloadError(
            f"{file.name} is not what was published: sha256 {actual}, not {published}"
        )
