"""A small client of the Docker engine's API: ask its version, inspect, import, save, load and tag images.

Set-up cannot count on the `docker` command, and a check of everything must take milliseconds. Nothing here
touches containers: that is the runner's `power`.
"""

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from telemetry.redact import redact_address
from tools.errors import EngineRequestError, EngineUnreachableError

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
API = "/v1.41"
"""Debian 12's version, which every later engine this project supports still understands or negotiates."""
CHUNK = 1 << 20


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class EngineVersion:
    """What an engine says of itself."""

    version: str
    api: tuple[int, ...]


@dataclass(frozen=True)
class Engine:
    """One Docker engine, by its address.

    Raises:
        EngineUnreachableError: from every method, when nothing answers at the address.
        EngineRequestError: from every method, when the engine refuses.
    """

    address: str = field(default=DEFAULT_ADDRESS, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Engine":
        """The engine at DOCKER_HOST, else at the default socket."""
        return cls(env.get("DOCKER_HOST") or DEFAULT_ADDRESS)

    @property
    def shown(self) -> str:
        """The address without the credentials that it may hold, for people."""
        return redact_address(self.address)

    @property
    def socket_path(self) -> Path | None:
        """The unix socket's path, or None for an engine behind TCP."""
        parts = urlsplit(self.address)
        return Path(parts.path) if parts.scheme == "unix" else None

    def version(self) -> EngineVersion:
        """Which engine answers."""
        data = self._json("GET", "/version")
        return EngineVersion(data["Version"], tuple(int(n) for n in data["ApiVersion"].split(".")))

    def info(self) -> dict[str, Any]:
        """The engine's view of its host: limits it can hold, drivers, warnings."""
        return self._json("GET", "/info")

    def answers(self) -> bool:
        """Whether an engine answers at all."""
        try:
            self.version()
        except (EngineUnreachableError, EngineRequestError):
            return False
        return True

    def labelled(self, key: str, value: str) -> list[tuple[str, dict[str, str]]]:
        """Containers and volumes that carry a label: name and labels of each."""
        query = urlencode({"all": "1", "filters": json.dumps({"label": [f"{key}={value}"]})})
        containers: Any = self._json("GET", f"/containers/json?{query}")
        volumes = self._json("GET", f"/volumes?{query}").get("Volumes") or []
        named = [(each["Names"][0].removeprefix("/"), each) for each in containers]
        named += [(each["Name"], each) for each in volumes]
        return [(name, each.get("Labels") or {}) for name, each in named]

    def image_id(self, reference: str) -> str | None:
        """The id behind an image's name, or None when there is no such image."""
        try:
            data = self._json("GET", f"/images/{quote(reference)}/json")
        except EngineRequestError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            raise
        return str(data["Id"])

    def tag(self, image: str, repository: str, tag: str) -> None:
        """Give an image one more name."""
        query = urlencode({"repo": repository, "tag": tag})
        self._send("POST", f"/images/{quote(image)}/tag?{query}")

    def untagged(self, label: str) -> list[str]:
        """Ids of the images without a name that carry a label."""
        query = urlencode({"filters": json.dumps({"dangling": ["true"], "label": [label]})})
        found: Any = self._json("GET", f"/images/json?{query}")
        return [str(each["Id"]) for each in found]

    def remove_image(self, image: str) -> bool:
        """Remove an image, unless a container or another name of it is there; whether it went.

        With it go the nameless images of its build's steps, which else would keep what it took of the disk.
        """
        try:
            self._send("DELETE", f"/images/{quote(image)}")
        except EngineRequestError as error:
            if error.status in {404, 409}:
                return False
            raise
        return True

    def import_image(
        self, layers: Iterable[bytes], repository: str, tag: str, changes: list[str]
    ) -> None:
        """Make an image of one layer from a root file system's tar stream.

        Args:
            layers: the tar, in pieces.
            repository: the image's name.
            tag: its tag.
            changes: Dockerfile instructions for its configuration (ENTRYPOINT, ENV, USER, LABEL, ...).
        """
        query = [("fromSrc", "-"), ("repo", repository), ("tag", tag)]
        query += [("changes", change) for change in changes]
        self._send("POST", f"/images/create?{urlencode(query)}", body=layers)

    def build(
        self,
        context: Iterable[bytes],
        reference: str,
        *,
        labels: dict[str, str],
        arguments: dict[str, str],
    ) -> None:
        """Build an image by a Dockerfile; its steps have no network.

        Args:
            context: the tar of the Dockerfile and what it copies, in pieces.
            reference: the image's name and tag.
            labels: its labels.
            arguments: values of the Dockerfile's ARGs.
        """
        query = {"t": reference, "networkmode": "none", "rm": "1", "forcerm": "1", "version": "1"}
        query |= {"labels": json.dumps(labels), "buildargs": json.dumps(arguments)}
        self._send("POST", f"/build?{urlencode(query)}", body=context)

    def save(self, references: list[str], file: Path) -> None:
        """Write images with these names to a tar file that `load` reads."""
        query = urlencode([("names", reference) for reference in references])
        with self._request("GET", f"/images/get?{query}") as answer, file.open("wb") as out:
            while chunk := answer.read(CHUNK):
                out.write(chunk)

    def load(self, file: Path) -> None:
        """Load the images of a saved tar file, under their names."""
        self._send("POST", "/images/load?quiet=1", body=pieces(file))

    def _json(self, method: str, path: str) -> dict[str, Any]:
        with self._request(method, path, timeout=10) as answer:
            data: dict[str, Any] = json.loads(answer.read())
        return data

    def _send(self, method: str, path: str, body: Iterable[bytes] | None = None) -> None:
        with self._request(method, path, body=body) as answer:
            for line in answer.read().splitlines():
                message = _reported_error(line)
                if message:
                    raise EngineRequestError(answer.status, message)

    @contextmanager
    def _request(
        self, method: str, path: str, *, body: Iterable[bytes] | None = None, timeout: float = 600
    ) -> Iterator[HTTPResponse]:
        connection = self._connection(timeout)
        try:
            with _translated(self.shown):
                connection.request(
                    method,
                    API + path,
                    body=body,
                    encode_chunked=body is not None,
                    headers={"Transfer-Encoding": "chunked", "Content-Type": "application/x-tar"}
                    if body
                    else {},
                )
                answer = connection.getresponse()
                if answer.status >= 400:  # noqa: PLR2004
                    raise EngineRequestError(answer.status, _message(answer.read()))
                yield answer
        finally:
            connection.close()

    def _connection(self, timeout: float) -> HTTPConnection:
        path = self.socket_path
        if path:
            return _UnixConnection(str(path), timeout)
        parts = urlsplit(self.address)
        try:
            port = parts.port or 2375
        except ValueError:  # its text would quote what stands there: half a password, perhaps
            raise EngineUnreachableError(f"DOCKER_HOST is {self.shown}: no such port") from None
        if parts.scheme not in ("tcp", "http") or not parts.hostname:
            raise EngineUnreachableError(
                f"DOCKER_HOST is {self.shown}: only unix:// and tcp:// are understood"
            )
        return HTTPConnection(parts.hostname, port, timeout=timeout)


@contextmanager
def _translated(shown: str) -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        raise EngineUnreachableError(
            f"no Docker engine answers at {shown} ({error})",
            remedy="start it, or set DOCKER_HOST to where one answers",
        ) from error


def pieces(file: Path) -> Iterator[bytes]:
    """A file in pieces of 1 MiB."""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()


def _reported_error(line: bytes) -> str | None:
    # An import or load answers 200 and tells of its failure in the stream.
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return data.get("error") if isinstance(data, dict) else None
