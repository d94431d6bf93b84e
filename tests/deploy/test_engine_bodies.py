"""What the engine proxy reads in bodies: what is made is what workspaces have, and nothing else.

The list of what may be in a body, and JSON's tricks, have their own tests in `tools/caddy_server/body`; this proves that
the proxy asks it at each call, whatever way the body comes.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.house import EngineProxy, engine_proxy
from tests.deploy.test_engine_calls import ask

pytestmark = pytest.mark.engine

CREATE = "POST /containers/create"
REFUSED = "403"
TOO_LARGE = "413"
ASKED_THE_ENGINE = "404"
"""The image does not exist, and that the engine alone knows."""
NO_IMAGE = "codehub-test/none"


@pytest.fixture(scope="module")
def proxy() -> Iterator[EngineProxy]:
    with engine_proxy() as made:
        (made.run / "one").mkdir(parents=True)
        yield made


@pytest.fixture
def mounts(proxy: EngineProxy) -> list[dict[str, str]]:
    """What a workspace mounts, as Pulumi's plugin writes it."""
    return [
        {"Type": "volume", "Source": "codehub-ws-one-home-1", "Target": "/home/coder"},
        {"Type": "bind", "Source": f"{proxy.run}/one", "Target": "/run/codehub"},
    ]


def body(host: dict[str, Any], **changes: object) -> str:
    """Write a workspace's body with changes, as tightly as Go does."""
    kept = {
        "NetworkMode": "codehub-test-net",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
    }
    whole = {"User": "1000:1000", "Image": NO_IMAGE, "HostConfig": {**kept, **host}, **changes}
    return json.dumps(whole, separators=(",", ":"))


def test_what_a_workspace_has_passes(proxy: EngineProxy, mounts: list[dict[str, str]]) -> None:
    harmless: dict[str, Any] = {
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        "Privileged": False,
        "PidMode": "",
        "CapAdd": None,
        "Devices": [],
        "Mounts": mounts,
    }
    env = ['A="Privileged": true', "B=" + json.dumps({"NetworkMode": "host"}), "Ü=é<>&"]
    assert ask(proxy, CREATE, body(harmless, Env=env)) == ASKED_THE_ENGINE
    probe = {"Binds": [f"{proxy.run}/.net-probe-one-1f:/run/codehub"]}
    assert ask(proxy, CREATE, body(probe)) == ASKED_THE_ENGINE


ICC = {"com.docker.network.bridge.enable_icc": "false"}


def network(**changes: object) -> dict[str, Any]:
    """Give a network as the runner makes it, with changes."""
    return {"Name": "codehub-test-net", "Driver": "bridge", "Options": ICC, **changes}


REACHING: list[dict[str, Any]] = [
    {"Privileged": True},
    {"privileged": True},
    {"NetworkMode": "host"},
    {"NetworkMode": "container:other"},
    {"NetworkMode": "bridge"},
    {"NetworkMode": "another-net"},
    {"PidMode": "host"},
    {"IpcMode": "host"},
    {"UTSMode": "host"},
    {"UsernsMode": "host"},
    {"CgroupnsMode": "host"},
    {"CapAdd": ["SYS_ADMIN"]},
    {"CapAdd": "ALL"},
    {"Devices": [{"PathOnHost": "/dev/sda"}]},
    {"DeviceCgroupRules": ["a *:* rwm"]},
    {"DeviceRequests": [{"Driver": ""}]},
    {"VolumesFrom": ["other"]},
    {"Sysctls": {"net.ipv4.ip_forward": "1"}},
    {"PortBindings": {"80/tcp": [{}]}},
    {"PublishAllPorts": True},
    {"MaskedPaths": []},
    {"ReadonlyPaths": []},
    {"SecurityOpt": ["seccomp=unconfined"]},
    {"SecurityOpt": ["no-new-privileges:false"]},
    {"SecurityOpt": ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']},
    {"SecurityOpt": ["label=user:]", "seccomp=unconfined"]},
    {"SecurityOpt": ["no-new-privileges=0"]},
    {"SecurityOpt": "seccomp=unconfined"},
    {"VolumeDriver": "other"},
    {"Runtime": "other"},
    {"CgroupParent": "/"},
    {"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://127.0.0.1:1"}}},
    {"LogConfig": {"Config": {"a": "b"}, "type": "journald"}},
    {"Binds": ["/:/host"]},
    {"binds": ["/:/host"]},
    {"Binds": ["/var/run/docker.sock:/run/codehub"]},
    {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/run/codehub"}]},
    {"Mounts": [{"Source": "/", "Type": "bind", "Target": "/run/codehub"}]},
    {"Mounts": [{"type": "bind", "source": "/", "target": "/host"}]},
    {"Mounts": [{"Type": "volume", "Source": "database", "Target": "/home/coder"}]},
    {"Tmpfs": {"/x": "exec"}},
    {"Annotations": {"other": "runtime"}},
]


@pytest.mark.parametrize("host", REACHING, ids=json.dumps)
def test_what_reaches_for_the_host_is_refused(proxy: EngineProxy, host: dict[str, Any]) -> None:
    assert ask(proxy, CREATE, body(host)) == REFUSED


@pytest.mark.parametrize(
    "tail",
    [
        ',"Binds":["/:/host"]',
        ',"Binds":["RUN/one:/run/codehub","/:/host"]',
        ',"Binds":["RUN/../../etc:/run/codehub"]',
        ',"Binds":["RUN/..:/run/codehub"]',
        ',"Binds":["RUN/.:/run/codehub"]',
        ',"SecurityOpt":["seccomp=unconfined"]',
        ',"X":{"User":"0"}',
        ',"X":{"CapDrop":[]}',
        ',"Binds":["RUN/one:/run/codehub"],"Binds":["/:/host"]',
        ',"Binds":["RUN/one:/run/codehub"],"binds":["/:/host"]',
        ',"X":false},"HostConfig":{"Binds":["/:/host"]',
        ',"X":false},"hostconfig":{"Binds":["/:/host"]',
        ',"Binds":\n\t[ "/:/host" ]',
        ',"Bind\\u0073":["/:/host"]',
        ',"Bind\u017f":["/:/host"]',
        ',"Bind\\u017f":["/:/host"]',
        ',"Privileged" : true',
        ',"NetworkMode":"h\\u006fst"',
        ',"Mounts":[{"Type":"bind","Source":"RUN/one","Target":"/run/codehub","Source":"/"}]',
        ',"Mounts":[{"Type":"bind","Source":"RUN/one","Target":"/run/codehub"},{"Type":"bind","Source":"/","Target":"/x"}]',
        ',"Mounts":[{"Type":"volume","Source":"v","Target":"/home/coder","VolumeOptions":{"DriverConfig":{"Options":{"device":"/"}}}}]',
    ],
)
def test_tricks_of_json_do_not_help(proxy: EngineProxy, tail: str) -> None:
    tricky = body({"X": 1}).replace(',"X":1', tail.replace("RUN", str(proxy.run)))
    assert ask(proxy, CREATE, tricky) == REFUSED


@pytest.mark.parametrize(
    ("call", "reaching", "harmless"),
    [
        (
            "POST /volumes/create",
            {"Name": "x", "DriverOpts": {"type": "none", "o": "bind", "device": "/"}},
            None,
        ),
        ("POST /volumes/create", {"Name": "x", "Driver": "other"}, None),
        ("POST /networks/create", network(Driver="macvlan"), None),
        ("POST /networks/create", network(Options={}), None),
        ("POST /networks/create", network(Options={**ICC, "x.bridge.name": "eth0"}), None),
        ("POST /networks/create", network(IPAM={"Config": [{"Subnet": "10.0.0.0/8"}]}), None),
        ("POST /networks/create", network(Internal=True), None),
        ("POST /networks/create", network(ConfigFrom={"Network": "other"}), None),
        ("POST /containers/none/start", {"Privileged": True}, {}),
        ("POST /containers/none/update", {"Devices": [{}]}, {"PidsLimit": 4096}),
        ("POST /containers/none/update", {"PidsLimit": 0}, {"Memory": 1 << 30, "PidsLimit": None}),
        (
            "POST /containers/none/exec",
            {"Privileged": True, "Cmd": ["id"]},
            {"Privileged": False, "Cmd": ["id"], "AttachStdout": True, "User": "1000:1000"},
        ),
        ("POST /containers/none/exec", {"User": "0", "Cmd": ["id"]}, None),
        ("POST /networks/bridge/connect", {"Container": "none"}, None),
        (
            "POST /networks/codehub-test-net/connect",
            {"Container": "none", "EndpointConfig": {"Aliases": ["another"]}},
            {"Container": "none"},
        ),
    ],
)
def test_other_bodies(
    proxy: EngineProxy, call: str, reaching: dict[str, Any], harmless: dict[str, Any] | None
) -> None:
    assert ask(proxy, call, json.dumps(reaching)) == REFUSED
    if harmless is not None:
        assert ask(proxy, call, json.dumps(harmless)) == ASKED_THE_ENGINE


@pytest.mark.parametrize("missing", ["User", "CapDrop", "SecurityOpt", "NetworkMode"])
def test_what_every_workspace_has_must_be_there(proxy: EngineProxy, missing: str) -> None:
    assert ask(proxy, CREATE, body({}).replace(f'"{missing}"', '"X"')) == REFUSED


@pytest.mark.parametrize("way", ["Transfer-Encoding: chunked", "Content-Type: text/plain"])
def test_the_way_a_body_comes_makes_no_difference(proxy: EngineProxy, way: str) -> None:
    assert ask(proxy, CREATE, body({"Privileged": True}), way) == REFUSED
    # The engine takes JSON alone, of a length that it knows.
    assert ask(proxy, CREATE, body({}), way) == ASKED_THE_ENGINE


def test_what_can_not_be_read_does_not_pass(proxy: EngineProxy) -> None:
    packed = gzip.compress(body({}).encode())
    assert ask(proxy, CREATE, packed, "Content-Encoding: gzip") == REFUSED
    assert ask(proxy, CREATE, body({}) + body({"Privileged": True})) == REFUSED
    assert ask(proxy, CREATE) == REFUSED


def test_a_body_that_is_too_large_does_not_pass(proxy: EngineProxy) -> None:
    large = body({}, Env=["A=" + "x" * (300 << 10)])
    assert ask(proxy, CREATE, large) == TOO_LARGE
    assert ask(proxy, CREATE, large, "Transfer-Encoding: chunked") == TOO_LARGE
