"""The limit of processes, which the Docker provider cannot set.

Neither the official plugin 5.2 nor the Terraform provider below it knows a pids limit, so it is
written by one call of the engine's API at the end of every `up`; an `up` is not done before.
The label ``codehub.pids`` declares it, so that previews and policies see it.
"""

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import quote, urlsplit

from stacks.address import engine_address
from stacks.errors import EngineUnavailableError, OperationFailedError

TIMEOUT_SECONDS = 30.0

BETWEEN_STATES = "cannot update a stopped container"
"""What the engine says of a container that ended or restarts at this very moment."""
SETTLE_SECONDS = 5.0
PAUSE_SECONDS = 0.05


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
    host = engine_address(docker_host)
    path = f"/containers/{quote(container, safe='')}"
    step = f"pids limit of {container}"
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        status, answer = _ask(host, "GET", f"{path}/json", step=step)
        if status == http.HTTPStatus.OK and answer["HostConfig"].get("PidsLimit") == pids:
            return
        if status == http.HTTPStatus.OK:
            body = {"PidsLimit": pids}
            status, answer = _ask(host, "POST", f"{path}/update", step=step, body=body)
        if status == http.HTTPStatus.OK:
            return
        said = str(answer.get("message", answer))
        if BETWEEN_STATES not in said or time.monotonic() > deadline:
            text = f"the engine refused a limit of {pids} processes: {said}"
            raise OperationFailedError(text, step=step)
        time.sleep(PAUSE_SECONDS)


def _ask(
    host: str, method: str, path: str, *, step: str, body: dict[str, int] | None = None
) -> tuple[int, dict[str, Any]]:
    connection = _connect(host)
    try:
        connection.request(
            method, path, body=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EngineUnavailableError(f"the engine did not answer: {error}", step=step) from error
    finally:
        connection.close()


def _connect(host: str) -> http.client.HTTPConnection:
    parts = urlsplit(host)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path)
    return http.client.HTTPConnection(
        parts.hostname or "localhost", parts.port or 2375, timeout=TIMEOUT_SECONDS
    )
