"""A real Gitea of the tests' own: SQLite in a temporary folder, on a port of this machine only.

Built by `scripts/setup --dev` (tools/linked.py). It has an API and no web pages. It ends with the tests,
also when they are killed.
"""

import base64
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from pydantic import SecretStr

from tools.cache import Cache

PATIENCE = 60.0
MEMORY = Path("/dev/shm")
"""Hundreds of tables are made at the start, and on a busy disk each one waits for it."""
ADMIN = "forge-admin"
RIGHTS = ("write:repository", "write:issue", "read:user")
"""What docs/how-to/connect-a-forge.md says of a token's rights."""

CONFIG = """\
RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {memory}/gitea.db
[security]
INSTALL_LOCK = true
PASSWORD_HASH_ALGO = pbkdf2$1000$50
SECRET_KEY = {secret}
ALLOWED_HOST_LIST = loopback
[log]
LEVEL = warn
[indexer]
ISSUE_INDEXER_TYPE = db
REPO_INDEXER_ENABLED = false
[cron]
ENABLED = false
[mailer]
ENABLED = false
[actions]
ENABLED = false
[service]
DISABLE_REGISTRATION = true
"""


@dataclass(frozen=True)
class User:
    """Somebody who may use it: a name and a token."""

    name: str
    token: SecretStr


class Gitea:
    """A running server."""

    def __init__(self, folder: Path, memory: Path) -> None:
        self.folder = folder
        self._memory = memory
        self.program = Cache.from_env().gitea
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._token = ""
        self._users: dict[str, User] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)

    def make(self) -> None:
        """Write its configuration."""
        text = CONFIG.format(
            folder=self.folder,
            memory=self._memory,
            port=self._port,
            static=self.program.resolve().parent,
            secret=secrets.token_hex(16),
        )
        (self.folder / "app.ini").write_text(text)

    def _make_admin(self) -> None:
        whom = ["--username", ADMIN, "--random-password", "--email", "admin@example.test"]
        token = ["--access-token", "--access-token-name", "test", "--access-token-scopes", "all"]
        said = self._run("admin", "user", "create", "--admin", *whom, *token)
        # Whoever has a password from a command has to change it; a token need not.
        found = re.search(r"\b[0-9a-f]{40}\b", said)
        assert found, said
        self._token = found[0]

    def _command(self, *words: str) -> list[str]:
        return [str(self.program), "--config", str(self.folder / "app.ini"), *words]

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            self._command(*words), cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Start it, wait until it answers, and make the administrator.

        From the main thread, with whose end it ends.
        """
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command("web")],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log.txt").read_text()
            assert time.monotonic() < deadline, "Gitea does not answer"
            time.sleep(0.02)
        self._make_admin()

    def _answers(self) -> bool:
        try:
            return self._client.get("/version").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it."""
        self._client.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(PATIENCE)
            self._process = None

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        user: User | None = None,
    ) -> Any:
        """Ask its API, as the administrator or as a user; the answer."""
        token = user.token.get_secret_value() if user else self._token
        answer = self._client.request(
            method, path, json=body, headers={"Authorization": f"token {token}"}
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def user(self, name: str) -> User:
        """Give a user, who is made when it is the first time."""
        if name not in self._users:
            self._users[name] = self.new_user(name)
        return self._users[name]

    def new_user(self, name: str, *, rights: tuple[str, ...] = RIGHTS) -> User:
        """Make a user with a token of these rights."""
        password = secrets.token_urlsafe(16)
        told = {"username": name, "password": password, "email": f"{name}@example.test"}
        self.ask("POST", "/admin/users", {**told, "must_change_password": False})
        answer = self._client.post(
            f"/users/{name}/tokens",
            json={"name": "test", "scopes": list(rights)},
            auth=(name, password),
        )
        assert answer.is_success, answer.text
        return User(name, SecretStr(answer.json()["sha1"]))

    def new_repository(self, owner: User, name: str) -> "Repository":
        """Make a repository with one commit on `main`."""
        told = {"name": name, "auto_init": True, "default_branch": "main", "private": False}
        self.ask("POST", f"/admin/users/{owner.name}/repos", told)
        return Repository(self, f"{owner.name}/{name}")


@dataclass(frozen=True)
class Repository:
    """A repository on it, changed by the API as a person would by git."""

    gitea: Gitea
    name: str

    def write(self, user: User, path: str, text: str, *, branch: str, base: str = "") -> str:
        """Commit a new file to a branch, which is made of `base` when that is given; the commit."""
        told = {"content": base64.b64encode(text.encode()).decode(), "message": f"write {path}"}
        where = {"branch": base, "new_branch": branch} if base else {"branch": branch}
        answer = self.gitea.ask(
            "POST", f"/repos/{self.name}/contents/{path}", {**told, **where}, user=user
        )
        return str(answer["commit"]["sha"])

    def change(self, user: User, path: str, text: str | None, *, branch: str) -> str:
        """Commit another text of a file that is there, or its removal (None); the commit."""
        where = f"/contents/{path}"
        sha = self.ask("GET", f"{where}?ref={branch}")["sha"]
        told: dict[str, Any] = {"sha": sha, "branch": branch, "message": f"change {path}"}
        if text is None:
            return str(self.ask("DELETE", where, told, user=user)["commit"]["sha"])
        content = base64.b64encode(text.encode()).decode()
        return str(self.ask("PUT", where, {**told, "content": content}, user=user)["commit"]["sha"])

    def open_pull(self, user: User, branch: str, title: str) -> int:
        """Open a pull request of a branch into `main`; its number."""
        told = {"base": "main", "head": branch, "title": title, "body": "please"}
        return int(self.ask("POST", "/pulls", told, user=user)["number"])

    def merge(self, user: User | None, pull: int) -> bool:
        """Merge a pull request, as the administrator or a user; False while Gitea looks whether that can be."""
        try:
            self.ask("POST", f"/pulls/{pull}/merge", {"Do": "merge"}, user=user)
        except AssertionError as error:
            if "try again" in str(error).lower():
                return False
            raise
        return True

    def head(self, branch: str = "main") -> str:
        """The commit of a branch."""
        return str(self.ask("GET", f"/branches/{branch}")["commit"]["id"])

    def status(self, commit: str, context: str) -> tuple[str, str]:
        """A status of a commit and its words; both empty where there is none."""
        told = self.ask("GET", f"/commits/{commit}/status")["statuses"] or ()
        ours = (
            (str(one["status"]), str(one["description"]))
            for one in told
            if one["context"] == context
        )
        return next(ours, ("", ""))

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        user: User | None = None,
    ) -> Any:
        """Ask its API below the repository."""
        return self.gitea.ask(method, f"/repos/{self.name}{path}", body, user=user)

    def comments(self, pull: int) -> list[tuple[str, str]]:
        """Author and text of each comment of a pull request."""
        found = self.ask("GET", f"/issues/{pull}/comments")
        return [(one["user"]["login"], one["body"]) for one in found]

    def hook(self, url: str, secret: str) -> int:
        """Have pushes and pull requests delivered to an address; the hook's number."""
        config = {"url": url, "content_type": "json", "secret": secret}
        told = {
            "type": "gitea",
            "config": config,
            "events": ["push", "pull_request"],
            "active": True,
        }
        return int(self.ask("POST", "/hooks", told)["id"])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving() -> Iterator[Gitea]:
    """A server while the block runs."""
    with ExitStack() as folders:
        folder, memory = (
            Path(folders.enter_context(TemporaryDirectory(prefix="codehub-test-gitea-", dir=where)))
            for where in (None, MEMORY if os.access(MEMORY, os.W_OK) else None)
        )
        gitea = Gitea(folder, memory)
        try:
            gitea.make()
            gitea.start()
            yield gitea
        finally:
            gitea.stop()
