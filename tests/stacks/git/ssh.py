"""A real sshd on loopback for tests: its own keys and configuration, one user, ended at the end."""

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.hub import wait_for
from tools.dev import free_port

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Sshd:
    """A server.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        key: A private key that it lets in.
        other_key: One that it does not.
        known_hosts: Its host key.
    """

    port: int
    key: Path
    other_key: Path
    known_hosts: Path

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Run it; logs go to the folder."""
    folder.mkdir(mode=0o700)
    host, key, other = (_key(folder / name) for name in ("host", "key", "other"))
    port = free_port("127.0.0.1")
    shutil.copy(f"{key}.pub", folder / "authorized_keys")
    public = Path(f"{host}.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    lines = {
        "HostKey": host,
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "ListenAddress": f"127.0.0.1:{port}",
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        try:
            wait_for(lambda: _listens(port), "sshd")
            yield Sshd(port, key, other, folder / "known_hosts")
        finally:
            server.terminate()
            server.wait(10)


def _key(path: Path) -> Path:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
