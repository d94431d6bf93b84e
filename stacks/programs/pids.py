"""The limit of processes, which the Docker provider cannot set.

Neither the official plugin 5.2 nor the Terraform provider below it knows a pids limit, so it is
written by one call of the engine's API at the end of every `up`; an `up` is not done before.
The label ``codehub.pids`` declares it, so that previews and policies see it.
"""

import http.client
import json
import os
import socket
from urllib.parse import quote, urlsplit

from stacks.errors import EngineUnavailableError, OperationFailedError

DEFAULT_HOST = "unix:///var/run/docker.sock"
TIMEOUT_SECONDS = 30.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(self._path)


def limit_pids(container: str, pids: int, *, docker_host: str | None) -> None:
    """Set the most processes and threads a container may have, running or not.

    Args:
        container: Name or id.
        pids: The limit.
        docker_host: ``unix://`` or ``tcp://`` address; None: DOCKER_HOST or the default socket.

    Raises:
        EngineUnavailableError: The engine does not answer.
        OperationFailedError: It refused.
    """
    connection = _connect(docker_host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
    try:
        connection.request(
            "POST",
            f"/containers/{quote(container, safe='')}/update",
            body=json.dumps({"PidsLimit": pids}),
            headers={"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        body = answer.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise EngineUnavailableError(
            f"the engine did not answer: {error}", step=f"pids limit of {container}"
        ) from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise OperationFailedError(
            f"the engine refused a limit of {pids} processes: {body.strip()}",
            step=f"pids limit of {container}",
        )


def _connect(host: str) -> http.client.HTTPConnection:
    parts = urlsplit(host)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path)
    return http.client.HTTPConnection(
        parts.hostname or "localhost", parts.port or 2375, timeout=TIMEOUT_SECONDS
    )
