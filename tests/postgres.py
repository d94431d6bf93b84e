"""A PostgreSQL server of the tests' own: Debian's, in a temporary folder, reached by a unix socket.

It refuses to run as root, so root starts it as another user. It ends with the tests, also when they
are killed.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PATIENCE = 60.0
# Quick rather than safe: what is in it is thrown away.
OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "shared_buffers=16MB",
    "listen_addresses=",
)


class Server:
    """A running server; `restart` and `stop` are for tests of what happens then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as = _other_user(folder)
        self._schemas = 0
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make its data folder."""
        command = [str(_programs() / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres"]
        options = ["-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"]
        done = subprocess.run(
            [*self._as, *command, *options], cwd=self.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it and wait until it answers; from the main thread, with whose end it would end."""
        options = [word for option in OPTIONS for word in ("-c", option)]
        where = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        command = [str(_programs() / "postgres"), *where, *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as, *command],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it; connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the administrator; its rows."""
        where = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_url(self) -> str:
        """The URL of an empty place for tables that nobody else uses: a schema."""
        self._schemas += 1
        schema = f"test{self._schemas}"
        self.run(f"CREATE SCHEMA {schema}")
        return (
            f"postgresql+psycopg://postgres@/postgres?host={self.folder}"
            f"&options=-csearch_path%3D{schema}"
        )


def _programs() -> Path:
    """Debian keeps the server's programs apart from the PATH, a folder a version."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


def _other_user(folder: Path) -> list[str]:
    """What a command begins with so that it ends with us and is not root; gives the folder away."""
    ends_with_us = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() != 0:
        return ends_with_us
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    other = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*ends_with_us, *other]


@contextmanager
def serving() -> Iterator[Server]:
    """A server while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="codehub-test-pg-"))
    try:
        server = Server(folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
