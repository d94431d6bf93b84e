"""Where a repository is and how to log in there, as git's environment: never as an argument.

Secrets are read from files, before each fetch, as they may be renewed. What a file must be is checked
here: a secret that others can read, or that could break out of a header or a shell word, is refused.
"""

import base64
import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from settings.model import RunnerSettings
from settings.repository import is_here, sends_in_clear
from stacks.errors import GitAccessError

SECRET_MAX = 4096
"""Bytes of a token; a key is read by ssh itself."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./+@:=,-]*")
"""A path that neither a shell nor ssh's own words (`%`, `~`, `${}`, quotes, spaces) can read otherwise."""

_OTHERS_READ = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
_GROUP_READS = stat.S_IRWXO | stat.S_IRWXG

_PROXIES = (
    "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY",
    "no_proxy",
)  # fmt: skip
"""How the network is reached from this machine; this machine itself never is so."""

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")
"""Whose certificates count."""

_SSH = (
    "BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no", "IdentitiesOnly=yes", "IdentityAgent=none", "PasswordAuthentication=no",
    "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no",
    "ProxyCommand=none", "ControlPath=none", "ConnectTimeout=15", "ServerAliveInterval=10",
    "ServerAliveCountMax=3", "LogLevel=ERROR",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a fetch gets in its environment.

    Attributes:
        environment: Variables for git.
        secrets: What no message may tell.
    """

    environment: Mapping[str, str]
    secrets: tuple[str, ...] = ()

    def hidden(self, text: str) -> str:
        """Take the secrets out of a text: a server may send back what it was sent."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A repository elsewhere.

    Attributes:
        url: Its address, without user and password.
        branch: The branch that is followed.
        token_file: The token for https; None for none.
        user: The user name that goes with it.
        auth: How it is sent.
        key_file: The private key for ssh; None for none.
        known_hosts: The host keys for ssh; None for none.
    """

    url: str
    branch: str
    token_file: Path | None = None
    user: str = ""
    auth: Literal["basic", "bearer"] = "basic"
    key_file: Path | None = None
    known_hosts: Path | None = None

    @classmethod
    def of(cls, settings: RunnerSettings) -> "Remote":
        """Take it from the settings, which name a repository."""
        assert settings.repo, "asked only where a repository is followed"
        return cls(
            url=settings.repo,
            branch=settings.repo_branch,
            token_file=settings.repo_token_file,
            user=settings.repo_user,
            auth=settings.repo_auth,
            key_file=settings.repo_key_file,
            known_hosts=settings.repo_known_hosts,
        )

    @property
    def scheme(self) -> str:
        """The transport of its address; that of `user@host:path` is ssh."""
        return self.url.partition("://")[0] if "://" in self.url else "ssh"

    def login(self) -> Login:
        """Read the secrets that the address needs.

        Raises:
            GitAccessError: A file is missing, is no such secret, or can be read by others.
        """
        names = _CERTIFICATES if is_here(self.url) else (*_PROXIES, *_CERTIFICATES)
        passed = {name: os.environ[name] for name in names if name in os.environ}
        if self.scheme == "ssh":
            return Login(environment={**passed, **self._ssh()})
        if self.scheme == "file" or self.token_file is None:
            return Login(environment=passed)
        if sends_in_clear(self.url):
            told = "a token is not sent over http://, where anyone on the way could read it"
            raise GitAccessError(told, step="fetch", remedy="Use https:// in CODEHUB_REPO.")
        header, token = self._header(_read_token(self.token_file))
        configured = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: {header}",
        }
        secrets = (token, header.partition(" ")[2])
        return Login(environment={**passed, **configured}, secrets=secrets)

    def _header(self, token: str) -> tuple[str, str]:
        if self.auth == "bearer":
            return f"Bearer {token}", token
        pair = base64.b64encode(f"{self.user}:{token}".encode()).decode()
        return f"Basic {pair}", token

    def _ssh(self) -> dict[str, str]:
        if self.known_hosts is None:
            told = "the host keys of the ssh server are not known"
            remedy = (
                "Put them into a file (ssh-keyscan, compared by hand): CODEHUB_REPO_KNOWN_HOSTS."
            )
            raise GitAccessError(told, step="fetch", remedy=remedy)
        _check(self.known_hosts, readable_by_all=True)
        options = [*_SSH, f"UserKnownHostsFile={_plain(self.known_hosts)}"]
        if self.key_file is not None:
            _check(self.key_file, forbidden=_GROUP_READS)
            options.append(f"IdentityFile={_plain(self.key_file)}")
        words = ["ssh", "-F", "/dev/null", *(word for it in options for word in ("-o", it))]
        return {"GIT_SSH_COMMAND": shlex.join(words), "GIT_SSH_VARIANT": "ssh"}


def _read_token(path: Path) -> str:
    _check(path)
    with path.open("rb") as file:
        raw = file.read(SECRET_MAX + 1)
    token = raw.decode("ascii", "replace").strip()
    if len(raw) > SECRET_MAX or not _TOKEN.fullmatch(token):
        raise GitAccessError(f"{path} holds no token: one line of plain characters", step="fetch")
    return token


def _plain(path: Path) -> str:
    if not _PLAIN_PATH.fullmatch(str(path)):
        told = f"ssh can't be told of {str(path)!a}: its path has characters with a meaning of their own"
        raise GitAccessError(told, step="fetch", remedy="Move it to a path of plain characters.")
    return str(path)


def _check(path: Path, *, forbidden: int = _OTHERS_READ, readable_by_all: bool = False) -> None:
    """Refuse what is no file, is not ours, or what others may read or write."""
    try:
        found = path.stat()
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        told = f"{path} can't be read: {(error.strerror or '').lower()}"
        raise GitAccessError(told, step="fetch") from None
    if not stat.S_ISREG(found.st_mode):
        raise GitAccessError(f"{path} is not a file", step="fetch")
    if found.st_uid not in {0, os.geteuid()}:
        raise GitAccessError(f"{path} belongs to another user", step="fetch")
    bad = stat.S_IWGRP | stat.S_IWOTH if readable_by_all else forbidden
    if found.st_mode & bad:
        what = "change" if readable_by_all else "read"
        remedy = f"chmod {'go-w' if readable_by_all else '600'} {shlex.quote(str(path))}"
        raise GitAccessError(f"others may {what} {path}", step="fetch", remedy=f"{remedy}.")
