"""Settings from the environment and the file, and what a wrong one says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlalchemy import make_url

from settings.errors import SettingsError
from settings.load import SHOWN, load
from settings.model import CLASSES, GatewaySettings, RunnerSettings, Settings
from settings.types import Gap, Size, setting
from state_index.index import Index


def complaint(env: dict[str, str], cwd: Path, kind: type[Settings] = GatewaySettings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(kind, env, cwd)
    lines = str(caught.value).splitlines()
    assert [f"  {item}" for item in caught.value.wrong] == lines[1:]
    return [line.strip() for line in lines[1:]]


def test_defaults_need_nothing(tmp_path: Path) -> None:
    gateway = load(GatewaySettings, {}, tmp_path)
    assert gateway.data == tmp_path / ".codehub"
    assert gateway.index_url == f"sqlite:///{tmp_path}/.codehub/index.db"
    assert gateway.store_url == f"sqlite:///{tmp_path}/.codehub/gateway.db"
    assert (gateway.host, gateway.port, gateway.base_url) == ("127.0.0.1", 8000, None)
    runner = load(RunnerSettings, {"HOME": "/home/alice"}, tmp_path)
    assert runner.workspaces == tmp_path / "workspaces.d"
    assert runner.pulumi == Path("/home/alice/.cache/codehub/bin/pulumi")
    assert runner.pulumi_home == Path("/home/alice/.cache/codehub/pulumi-home")
    assert (runner.prune, runner.policies, runner.parallel) == (False, True, 2)


def test_the_process_s_own_environment_and_folder_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEHUB_LOG_LEVEL", "debug")
    monkeypatch.chdir(tmp_path)
    loaded = load(Settings)
    assert (loaded.log_level, loaded.data) == ("debug", tmp_path / ".codehub")


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    env = {
        "CODEHUB_DATA": "/var/lib/codehub",
        "CODEHUB_PORT": "0",
        "CODEHUB_BASE_URL": "https://hub.example.org/",
        "CODEHUB_TRUSTED_PROXIES": "127.0.0.1/32, 2001:db8::/32",
        "CODEHUB_SESSION_IDLE": "1h30m",
        "CODEHUB_LOG_FORMAT": "json",
    }
    gateway = load(GatewaySettings, env, tmp_path)
    assert gateway.index_url == "sqlite:////var/lib/codehub/index.db"
    assert gateway.port == 0
    assert gateway.base_url == "https://hub.example.org"
    assert gateway.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("2001:db8::/32"))
    assert gateway.session_idle == 5400
    assert gateway.log_format == "json"
    runner = load(RunnerSettings, {"CODEHUB_PRUNE": "yes", "CODEHUB_PULUMI": "bin/p"}, tmp_path)
    assert runner.prune is True
    assert runner.pulumi == tmp_path / "bin" / "p"


def test_any_folder_name_makes_a_right_url(tmp_path: Path) -> None:
    odd = tmp_path / "50%41 of? a#b@c:d"
    gateway = load(GatewaySettings, {"CODEHUB_DATA": str(odd)}, tmp_path)
    assert make_url(gateway.index_url).database == str(odd / "index.db")
    Index.migrate(gateway.index_url)
    assert gateway.paths.index_db.is_file()


def test_code_gives_numbers_without_units() -> None:
    assert GatewaySettings(session_idle=5).session_idle == 5
    with pytest.raises(ValidationError):
        GatewaySettings(session_idle="5")


def test_settings_are_frozen_and_closed(tmp_path: Path) -> None:
    loaded = load(Settings, {}, tmp_path)
    with pytest.raises(ValidationError):
        loaded.log_level = "debug"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings(nonsense=1)  # type: ignore[call-arg]


def test_the_file_is_read_and_the_environment_beats_it(tmp_path: Path) -> None:
    (tmp_path / "codehub.toml").write_text(
        'port = 9000\nhost = "0.0.0.0"\nsession_idle = "2h"\n'
        'trusted_proxies = ["10.0.0.0/8"]\nparallel = 4\n'
    )
    gateway = load(GatewaySettings, {"CODEHUB_HOST": "::1", "CODEHUB_PORT": ""}, tmp_path)
    assert (gateway.port, gateway.host, gateway.session_idle) == (9000, "::1", 7200)
    assert gateway.trusted_proxies == (ip_network("10.0.0.0/8"),)
    assert load(RunnerSettings, {}, tmp_path).parallel == 4


def test_the_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hub.toml").write_text("prune = true\ndata = 'd'")
    env = {"CODEHUB_CONFIG": "etc/hub.toml"}
    runner = load(RunnerSettings, env, tmp_path)
    assert (runner.prune, runner.data) == (True, tmp_path / "d")


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "codehub.toml").write_text("login_attempts = 0\nsesion_max = '1d'\nZoo = {}")
    env = {
        "CODEHUB_PORT": "70000",
        "CODEHUB_HOSTS": "h",
        "CODEHUB_SESSION_IDLE": "30",
        "CODEHUB_TRUSTED_PROXIES": "10.0.0.0/8,zz",
        "CODEHUB_LOG_LEVEL": "loud",
        "CODEHUB_BASE_URL": "https://hub/path",
    }
    assert complaint(env, tmp_path) == [
        "CODEHUB_HOSTS: no such setting; did you mean CODEHUB_HOST?",
        "Zoo in codehub.toml: no such setting",
        "sesion_max in codehub.toml: no such setting; did you mean session_max?",
        (
            "CODEHUB_LOG_LEVEL: input should be 'debug', 'info', 'warning' or 'error', not 'loud'"
            " (e.g. CODEHUB_LOG_LEVEL=debug)"
        ),
        (
            "CODEHUB_BASE_URL: an origin is wanted: http:// or https://, a host, perhaps a port,"
            " no path, not 'https://hub/path' (e.g. CODEHUB_BASE_URL=https://hub.example.org)"
        ),
        (
            "CODEHUB_PORT: input should be less than or equal to 65535, not '70000'"
            " (e.g. CODEHUB_PORT=8080)"
        ),
        (
            "CODEHUB_TRUSTED_PROXIES: input is not a valid IPv4 network, not '10.0.0.0/8,zz'"
            " (e.g. CODEHUB_TRUSTED_PROXIES=127.0.0.1/32,10.0.0.0/8)"
        ),
        (
            "CODEHUB_SESSION_IDLE: not a duration: a number with a unit ms, s, m, h or d is wanted,"
            " such as 30m or 1h30m, not '30' (e.g. CODEHUB_SESSION_IDLE=2h)"
        ),
        (
            "login_attempts in codehub.toml: input should be greater than or equal to 1, not '0'"
            ' (e.g. login_attempts = "5")'
        ),
    ]


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("CODEHUB_PORT", "-1", "greater than or equal to 0"),
        ("CODEHUB_PORT", "http", "valid integer"),
        ("CODEHUB_HOST", " ", None),
        ("CODEHUB_BASE_URL", "hub.example.org", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "ftp://hub.example.org", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://hub:abc", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://hub:65536", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://:443", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://[::1", "an origin is wanted"),
        ("CODEHUB_BASE_URL", "https://h\u00f6st", "an origin is wanted"),
        ("CODEHUB_SESSION_MAX", "0s", "greater than 0"),
        ("CODEHUB_SESSION_MAX", "forever", "not a duration"),
        ("CODEHUB_PARALLEL", "0", "greater than or equal to 1"),
        ("CODEHUB_PARALLEL", "1.5", "valid integer"),
        ("CODEHUB_NAME_PREFIX", "UPPER-", "match pattern"),
        ("CODEHUB_NAME_PREFIX", "noend", "match pattern"),
        ("CODEHUB_NETWORK", "-net", "match pattern"),
        ("CODEHUB_PRUNE", "perhaps", "valid boolean"),
        ("CODEHUB_ALLOW_UNENFORCED", "host", "'workspace-ipv4', "),
        ("CODEHUB_BLOCKED_NETWORKS", "10.0.0.1/8", "not a valid IPv4 network"),
        ("CODEHUB_LOG_FORMAT", "xml", "'console' or 'json'"),
        ("CODEHUB_POLL_INTERVAL", "1ms", "greater than or equal to 0.05"),
    ],
)
def test_each_wrong_value_is_named_with_its_problem_and_an_example(
    tmp_path: Path, variable: str, value: str, problem: str | None
) -> None:
    kind = next(
        one
        for one in (GatewaySettings, RunnerSettings)
        if variable.removeprefix("CODEHUB_").lower() in one.model_fields
    )
    if problem is None:
        load(kind, {variable: value}, tmp_path)
        return
    [line] = complaint({variable: value}, tmp_path, kind)
    assert line.startswith(f"{variable}: ")
    assert problem in line
    assert f"not {value!r}" in line
    assert f"(e.g. {variable}=" in line


def test_a_setting_of_another_process_is_no_error(tmp_path: Path) -> None:
    env = {"CODEHUB_PORT": "80", "CODEHUB_PARALLEL": "3", "CODEHUB_PASSWORD": "x"}
    env |= {"CODEHUB_TEST_LIGHT_IMAGE": "i", "CODEHUB_CACHE": "/c", "PATH": "/bin"}
    assert load(RunnerSettings, env, tmp_path).pulumi == Path("/c/bin/pulumi")
    assert load(GatewaySettings, env, tmp_path).port == 80


def test_variables_are_written_large(tmp_path: Path) -> None:
    assert complaint({"CODEHUB_port": "80"}, tmp_path) == [
        "CODEHUB_port: no such setting; did you mean CODEHUB_PORT?"
    ]


def test_what_is_only_a_variable_is_no_key_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "codehub.toml").write_text('password = "hunter2"')
    [line] = complaint({}, tmp_path)
    assert line.startswith("password in codehub.toml: no such setting")
    assert "hunter2" not in line


def test_a_long_wrong_value_is_quoted_in_part(tmp_path: Path) -> None:
    [line] = complaint({"CODEHUB_PORT": "9" * 3000}, tmp_path)
    assert len(line) < SHOWN + 150


def test_numbers_in_the_file_need_their_units_too(tmp_path: Path) -> None:
    (tmp_path / "codehub.toml").write_text("session_idle = 30")
    [line] = complaint({}, tmp_path)
    assert line.startswith("session_idle in codehub.toml: not a duration")
    assert line.endswith('(e.g. session_idle = "2h")')


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"port = = 1", "codehub.toml: not TOML: Invalid value (at line 1, column 8)"),
        (b"host = '\xff'", "codehub.toml: not TOML: not UTF-8"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "codehub.toml").write_bytes(content)
    [line] = complaint({}, tmp_path)
    assert line.startswith(f"codehub.toml: {tmp_path}/{problem}")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    [line] = complaint({"CODEHUB_CONFIG": "none.toml"}, tmp_path)
    assert line.startswith(f"CODEHUB_CONFIG: {tmp_path}/none.toml: No such file or directory")
    [line] = complaint({"CODEHUB_CONFIG": "."}, tmp_path)
    assert "Is a directory" in line


class Secretive(Settings):
    """A class with a secret of pydantic's kind, and a size; the product's own hold URLs."""

    key: SecretStr = setting(
        SecretStr("hunter2-default"), description="d", why="w", example="k", min_length=8
    )
    room: Size = setting(1024, description="d", why="w", example="4Gi", unit="size", ge=1024)


def test_sizes_are_read(tmp_path: Path) -> None:
    assert Secretive(room="4Ki").room == 4096
    assert Secretive(room=2048).room == 2048


class Demanding(Settings):
    """A class with a setting that has no default."""

    needed: str = setting(description="d", why="w", example="e")


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    assert complaint({}, tmp_path, Demanding) == [
        "CODEHUB_NEEDED: field required (e.g. CODEHUB_NEEDED=e)"
    ]


CANARY = "hunter2"


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    env = {
        "CODEHUB_INDEX_URL": f"postgresql://u:{CANARY}@h/db",
        "CODEHUB_STORE_URL": f"postgresql://u:{CANARY}@h/db",
    }
    gateway = load(GatewaySettings, env, tmp_path)
    assert CANARY in gateway.index_url
    for shown in (repr(gateway), str(gateway), f"{gateway}"):
        assert CANARY not in shown
    runner = load(RunnerSettings, {"CODEHUB_DOCKER_HOST": f"tcp://u:{CANARY}@h:2375"}, tmp_path)
    assert CANARY in (runner.docker_host or "")
    assert CANARY not in repr(runner)
    assert CANARY not in repr(Secretive())


def test_secrets_are_in_no_error(tmp_path: Path) -> None:
    (tmp_path / "codehub.toml").write_text(
        f'index_url = ["{CANARY}"]\nstore_url = {{ {CANARY} = "{CANARY}" }}\nkey = "{CANARY}"'
    )
    for kind in (GatewaySettings, Secretive):
        with pytest.raises(SettingsError) as caught:
            load(kind, {"CODEHUB_KEY": CANARY}, tmp_path)
        shown = f"{caught.value} {caught.value!r} {caught.value.wrong!r}"
        assert "index_url in codehub.toml: not a valid value (e.g. index_url = " in shown
        assert CANARY not in shown
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CODEHUB_BASE_URL", f"https://u:{CANARY}@hub"),
        ("CODEHUB_DOCKER_HOST", f"ssh://u:{CANARY}@h"),
        ("CODEHUB_DOCKER_HOST", f"tcp://u:{CANARY} {CANARY}@h"),
        ("CODEHUB_DOCKER_HOST", CANARY),
        ("CODEHUB_DOCKER_HOST", "/var/run/docker.sock"),
        ("CODEHUB_DOCKER_HOST", "tcp://127.0.0.1:0"),
        ("CODEHUB_DOCKER_HOST", f"tcp://127.0.0.1:{CANARY}"),
        ("CODEHUB_PORT", f"{CANARY}@" + "x" * SHOWN),
        ("CODEHUB_PORT", "x" * SHOWN + f"{CANARY}@"),
        ("CODEHUB_CONFIG", f"https://u:{CANARY}@h/codehub.toml"),
    ],
)
def test_a_value_that_may_hold_credentials_is_not_quoted(
    tmp_path: Path, variable: str, value: str
) -> None:
    kind = RunnerSettings if variable == "CODEHUB_DOCKER_HOST" else GatewaySettings
    [line] = complaint({variable: value}, tmp_path, kind)
    assert line.startswith(f"{variable}: ")
    assert CANARY not in line
    assert "x" * 9 not in line
    assert "(e.g. " in line


NAMES = sorted({name for kind in CLASSES for name in kind.model_fields} | {"config"})
SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=30).map(
    lambda text: f"{CANARY}{text}@host"
)


@given(
    name=st.sampled_from(NAMES),
    value=SECRET | st.lists(SECRET, min_size=1, max_size=2),
    in_file=st.booleans(),
)
def test_no_setting_quotes_credentials(name: str, value: str | list[str], in_file: bool) -> None:
    """Wherever a URL with a password ends up, by whatever slip."""
    with TemporaryDirectory(prefix="codehub-test-") as folder:
        env = {} if in_file else {f"CODEHUB_{name.upper()}": str(value)}
        if in_file:
            # JSON's strings and arrays are TOML's, but for what is escaped as two halves.
            line = f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            (Path(folder) / "codehub.toml").write_text(line.replace("\x7f", ""), encoding="utf-8")
        for kind in CLASSES:
            with suppress_settings_error() as told:
                load(kind, env, Path(folder))
            assert CANARY not in "".join(told)


@contextmanager
def suppress_settings_error() -> Iterator[list[str]]:
    """Give what the error said, if there was one."""
    told: list[str] = []
    try:
        yield told
    except SettingsError as error:
        told.append(f"{error} {error!r} {error.wrong!r}")


@pytest.mark.parametrize(
    ("value", "gaps"),
    [
        ("", ()),
        ("metadata, host-ipv6", (Gap.METADATA, Gap.HOST_IPV6)),
        ("all", tuple(Gap)),
    ],
)
def test_gaps_are_named_or_all(tmp_path: Path, value: str, gaps: tuple[Gap, ...]) -> None:
    found = load(RunnerSettings, {"CODEHUB_ALLOW_UNENFORCED": value}, tmp_path)
    assert found.allow_unenforced == gaps
    (tmp_path / "codehub.toml").write_text(f"allow_unenforced = {list(map(str, gaps))}")
    assert load(RunnerSettings, {}, tmp_path).allow_unenforced == gaps


@pytest.mark.parametrize("name", ["bridge", "host", "none", "container"])
def test_an_engines_own_network_is_no_name_for_ours(tmp_path: Path, name: str) -> None:
    (line,) = complaint({"CODEHUB_NETWORK": name}, tmp_path, RunnerSettings)
    assert f"{name} is a network of the engine's own" in line


def test_a_network_with_a_zone_is_refused(tmp_path: Path) -> None:
    (line,) = complaint(
        {"CODEHUB_BLOCKED_NETWORKS": "fd00::/8,fe80::1%eth0/128"}, tmp_path, RunnerSettings
    )
    assert "leave out the %" in line
