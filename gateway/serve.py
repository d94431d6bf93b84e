"""Runs the gateway: one process, one listening socket, until it is told to end.

SIGTERM and SIGINT end it within ten seconds: no new connections, event streams and tunnels are
closed, answers under way may finish for `PATIENCE` seconds, then they are cut off. A second signal
ends the patience. Workspaces keep running.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import uvicorn
import uvloop

from gateway.app import Gateway, create_app
from gateway.errors import ListenError
from gateway.live import Ended
from gateway.proxy.app import protocols
from gateway.store import open_store
from settings.model import GatewaySettings
from state_index.index import Index
from telemetry.logs import configure, get_logger

PATIENCE: Final = 5.0
"""Seconds that answers under way have to finish, once the gateway is to end."""

_GRACE: Final = 7  # when this is over, uvicorn cancels tasks, which it says with tracebacks
_KEEP_ALIVE: Final = 65
_BACKLOG: Final = 2048
_TICK: Final = 1.0
"""Seconds between two looks at the clock, for the header `Date`."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_log = get_logger(__name__)


class Server(uvicorn.Server):
    """The server, with streams that end before it waits for them, and exit code 0 for signals.

    It waits for its end. uvicorn looks ten times a second whether that is asked for, which is a fifth
    of what an idle gateway costs.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Make a server for the application; it listens on sockets that `serve` is given."""
        self._ends = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                gateway.asgi,
                **protocols(gateway.proxy),  # type: ignore[arg-type]
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._gateway = gateway
        self._patience = PATIENCE

    @property
    def should_exit(self) -> bool:
        """Whether its end is asked for; to be set in its event loop."""
        return self._ends.is_set()

    @should_exit.setter
    def should_exit(self, ends: bool) -> None:
        if ends:
            self._ends.set()
        else:
            self._ends.clear()

    async def main_loop(self) -> None:
        """Serve until the end is asked for."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._ends.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Begin to end; asked again, wait for nothing any more."""
        if self.should_exit:
            self._patience = 0.0
            self._cut()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End event streams, which would be waited for, then everything else."""
        self._gateway.services.feed.close()
        late = asyncio.get_running_loop().call_later(self._patience, self._cut)
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()

    def _cut(self) -> None:
        """Cut off what is still open: first what a session holds, so that the log says why."""
        self._gateway.services.live.end_all(Ended.SHUTDOWN)
        for connection in list(self.server_state.connections):
            connection.cut()  # type: ignore[union-attr]  # they are all of `protocols`

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as the wish to end; not raised again, so the exit code is 0."""
        loop = asyncio.get_running_loop()
        for sig in _SIGNALS:
            loop.add_signal_handler(sig, self.handle_exit, sig, None)
        try:
            yield
        finally:
            for sig in _SIGNALS:
                loop.remove_signal_handler(sig)


def run(settings: GatewaySettings, *, started: Callable[[str], None] = lambda _url: None) -> None:
    """Serve until a signal ends it.

    Args:
        settings: The settings.
        started: Called with the address that people open, once it listens.

    Raises:
        ListenError: The address can't be listened on.
        StoreUnavailableError: The store can't be opened.
        IndexUnavailableError: The index can't be opened.
        DataFolderError: The data folder can't be used.
    """
    configure(settings.log_level, settings.log_format)
    settings.paths.make()
    with (
        listening(settings) as (sock, actual),
        Index.open(actual.index_url) as index,
        open_store(actual) as store,
    ):
        server = Server(create_app(actual, index=index, store=store))
        url = public_url(actual)
        _log.info("gateway_listening", url=url)
        started(url)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve([sock]))
        _log.info("gateway_ended")


@contextmanager
def listening(settings: GatewaySettings) -> Iterator[tuple[socket.socket, GatewaySettings]]:
    """Listen, and give the settings with the port that was really taken.

    Raises:
        ListenError: The address can't be listened on.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        sock = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python adds the address to the system's words.
        reason = (error.strerror or type(error).__name__).partition(" (while")[0]
        # What holds an @ is no address, but perhaps a URL with a password.
        host = "what CODEHUB_HOST says," if "@" in settings.host else settings.host
        raise ListenError(
            f"Can't listen on {host} port {settings.port}: {reason}."
            " Set CODEHUB_PORT to another port, or end what holds it."
        ) from error
    with sock:
        yield sock, settings.model_copy(update={"port": _port(sock)})


def public_url(settings: GatewaySettings) -> str:
    """Return the address that people open."""
    if settings.base_url is not None:
        return settings.base_url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _port(sock: socket.socket) -> int:
    address: Any = sock.getsockname()
    return int(address[1])
