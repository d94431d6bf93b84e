"""Where a repository is and how to log in: what is refused, and what git gets in its environment."""

import base64
import os
import shlex
from pathlib import Path

import pytest

from settings.errors import SettingsError
from settings.load import load
from settings.model import RunnerSettings
from stacks.errors import GitAccessError
from stacks.git.remote import Remote

HTTPS = "https://git.example.org/team/workspaces.git"
SSH = "git@git.example.org:team/workspaces.git"


def secret(path: Path, content: str = "s3cret\n", mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def loaded(tmp_path: Path, **values: str) -> RunnerSettings:
    env = {f"CODEHUB_{name.upper()}": value for name, value in values.items()}
    return load(RunnerSettings, env, cwd=tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        HTTPS, SSH, "http://127.0.0.1:3000/a/b.git", "ssh://git@git.example.org:2222/a/b.git",
        "file:///srv/git/x.git", "https://[::1]:8443/x.git", "git.example.org:x.git",
    ],
)  # fmt: skip
def test_addresses(tmp_path: Path, url: str) -> None:
    settings = loaded(tmp_path, repo=url, repo_path="./ws//prod/")
    assert (settings.repo, settings.repo_path) == (url, "ws/prod")
    assert settings.prunes


@pytest.mark.parametrize(
    "url",
    [
        "https://alice:hunter2@git.example.org/x.git", "https://hunter2@git.example.org/x.git",
        "ssh://git:hunter2@git.example.org/x.git", "--upload-pack=hunter2", "ext::sh -c hunter2",
        "ext::hunter2", "ssh://-oProxyCommand=hunter2/x", "git@-oProxyCommand=hunter2:x",
        "ftp://git.example.org/hunter2", "https://git.example.org/x?token=hunter2", "hunter2",
        "https://git.example.org:99999/hunter2", "file://host/hunter2", "host:-hunter2",
        "https://git.example.org/x\nhunter2",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_are_not_quoted(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, repo=url)
    (wrong,) = caught.value.wrong
    assert (wrong.name, "hunter2" in str(wrong)) == ("CODEHUB_REPO", False)
    assert ("repo_token_file" in wrong.problem) == (":hunter2@" in url or "//hunter2@" in url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repo_branch", "-x"), ("repo_branch", "a..b"), ("repo_branch", "a b"),
        ("repo_branch", "a:b"), ("repo_branch", "x.lock"), ("repo_branch", "refs/*"),
        ("repo_path", "../x"), ("repo_path", "/etc"), ("repo_path", "a\nb"),
        ("repo_user", "a:b"), ("repo_poll", "0s"),
    ],
)  # fmt: skip
def test_names_that_could_mean_something_else_are_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError):
        loaded(tmp_path, **{name: value})


def test_a_folder_prunes_only_when_it_is_said(tmp_path: Path) -> None:
    assert not loaded(tmp_path).prunes
    assert loaded(tmp_path, prune="true").prunes
    assert not loaded(tmp_path, repo=HTTPS, repo_prune="false").prunes


def test_the_token_is_in_the_environment_alone(tmp_path: Path) -> None:
    file = secret(tmp_path / "token")
    settings = loaded(tmp_path, repo=HTTPS, repo_token_file=str(file), repo_user="oauth2")
    remote = Remote.of(settings)
    login = remote.login()
    header = "Basic " + base64.b64encode(b"oauth2:s3cret").decode()
    assert login.environment["GIT_CONFIG_VALUE_0"] == f"Authorization: {header}"
    assert login.hidden(f"remote: you sent {header}, s3cret") == "remote: you sent Basic ***, ***"
    assert "s3cret" not in repr(remote)
    file.write_text("renewed")
    assert base64.b64encode(b"oauth2:renewed").decode() in str(remote.login().environment)


def test_a_bearer_token(tmp_path: Path) -> None:
    file = secret(tmp_path / "token")
    login = Remote(url=HTTPS, branch="main", token_file=file, auth="bearer").login()
    assert login.environment["GIT_CONFIG_VALUE_0"] == "Authorization: Bearer s3cret"


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        ("s3cret", 0o644, "others may read"),
        ("s3cret", 0o660, "others may read"),
        ("two words", 0o600, "holds no token"),
        ("a\nInjected: header", 0o600, "holds no token"),
        ("", 0o600, "holds no token"),
        ("x" * 5000, 0o600, "holds no token"),
    ],
)
def test_files_that_are_no_secret(tmp_path: Path, content: str, mode: int, problem: str) -> None:
    file = secret(tmp_path / "token", content, mode)
    with pytest.raises(GitAccessError, match=problem) as caught:
        Remote(url=HTTPS, branch="main", token_file=file).login()
    assert "s3cret" not in str(caught.value)


def test_a_secret_that_is_missing_a_folder_or_anothers(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(GitAccessError, match=r"can't be read|is not a file"):
            Remote(url=HTTPS, branch="main", token_file=path).login()
    file = secret(tmp_path / "token")
    os.chown(file, 1234, -1)
    with pytest.raises(GitAccessError, match="another user"):
        Remote(url=HTTPS, branch="main", token_file=file).login()


def test_no_token_goes_over_a_line_that_can_be_read(tmp_path: Path) -> None:
    file = secret(tmp_path / "token")
    with pytest.raises(GitAccessError, match="not sent over http"):
        Remote(url="http://git.example.org/x", branch="main", token_file=file).login()
    login = Remote(url="http://127.0.0.1:3000/x", branch="main", token_file=file).login()
    assert "GIT_CONFIG_VALUE_0" in login.environment


def test_nobody_logs_in_where_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    login = Remote(url=HTTPS, branch="main").login()
    assert "GIT_CONFIG_COUNT" not in login.environment
    assert login.environment["HTTPS_PROXY"] == "http://proxy:3128"


def test_ssh_talks_to_known_hosts_with_that_key_only(tmp_path: Path) -> None:
    key, hosts = secret(tmp_path / "key"), secret(tmp_path / "hosts", mode=0o644)
    remote = Remote(url=SSH, branch="main", key_file=key, known_hosts=hosts)
    words = shlex.split(remote.login().environment["GIT_SSH_COMMAND"])
    assert words[:3] == ["ssh", "-F", "/dev/null"]
    assert {f"IdentityFile={key}", f"UserKnownHostsFile={hosts}", "StrictHostKeyChecking=yes"} <= {
        *words
    }
    assert {"IdentityAgent=none", "BatchMode=yes", "ProxyCommand=none"} <= {*words}


def test_ssh_without_known_hosts_or_with_open_files_is_refused(tmp_path: Path) -> None:
    hosts = secret(tmp_path / "hosts", mode=0o644)
    with pytest.raises(GitAccessError, match="host keys"):
        Remote(url=SSH, branch="main").login()
    key = secret(tmp_path / "key", mode=0o640)
    with pytest.raises(GitAccessError, match="others may read"):
        Remote(url=SSH, branch="main", key_file=key, known_hosts=hosts).login()
    hosts.chmod(0o666)
    with pytest.raises(GitAccessError, match="others may change"):
        Remote(url=SSH, branch="main", known_hosts=hosts).login()


@pytest.mark.parametrize("name", ["a b", "a%h", "a'b", "a$b", "a\nb", 'a"b', "~"])
def test_paths_that_ssh_or_a_shell_would_read_otherwise(tmp_path: Path, name: str) -> None:
    hosts = secret(tmp_path / name, mode=0o644)
    with pytest.raises(GitAccessError, match="meaning of their own"):
        Remote(url=SSH, branch="main", known_hosts=hosts).login()


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost", "[::1]:8080"])
def test_no_proxy_is_between_this_machine_and_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    """A token that may go over http:// to this machine would else go to the proxy."""
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy:3128")
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    remote = Remote(url=f"http://{host}/x", branch="main", token_file=secret(tmp_path / "token"))
    login = remote.login()
    assert not [name for name in login.environment if name.lower().endswith("_proxy")]
    assert login.environment["SSL_CERT_FILE"] == "/ca.pem"
