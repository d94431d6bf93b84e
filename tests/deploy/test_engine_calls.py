"""The list of engine calls is what a runner without rights needs, no less and no more.

A workspace goes through its life behind the proxy: each call is let through by a rule, and each rule is used. So a
call that is missing fails here, and one that nobody makes any more.
"""

import io
import os
import pty
import subprocess
import tarfile

import pytest

from stacks.gc.decide import IMAGE_LABEL
from tests.deploy.house import RUNNER_UID, TENANT_GID, EngineProxy, deployed, engine_proxy, rules
from tests.hub import Hub, docker, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

FILE = "owner: alice\nimage: {image}\nresources: {{cpu: {cpu}, memory: {memory}Mi, pids: 256}}\n"
IDE = "codehub/code-server"
LIGHT = "codehub/light"
SIZE = 'while [ "$(stty size)" = "0 0" ]; do sleep 0.05; done; stty size'
"""The terminal's size comes a moment after the terminal."""


@pytest.mark.alone  # `gc` removes nameless images of ours, whoever made them
def test_a_life_uses_each_rule_and_needs_no_other() -> None:
    # Policies ask the engine nothing.
    settings = {"CODEHUB_ALLOW_UNENFORCED": "", "CODEHUB_POLICIES": "false"}
    with deployed(settings=settings) as (made, proxy):
        made.write("one", FILE.format(image=IDE, cpu=2, memory=1024))
        assert "all is well" in made.run("doctor").stderr
        made.run("preview")
        assert "engine-socket     closed" in made.run("isolation", "check").stdout
        try:
            live(made)
            leave(made)
            clean_up(made)
        finally:
            made.run("isolation", "remove")
        assert proxy.refused() == []
        assert sorted(proxy.used()) == sorted(rules())


def live(made: Hub) -> None:
    """Create, no-op, less memory, replace, logs, terminal, stop, start, drift: all by a daemon that is not root."""
    made.start("run")
    running(made)
    folder = made.root / "data" / "run" / "one"
    owner = folder.stat()
    assert (owner.st_uid, owner.st_gid, oct(owner.st_mode & 0o777)) == (
        RUNNER_UID,
        TENANT_GID,
        "0o770",
    )
    assert "1 unchanged" in made.run("up").stderr
    made.write("one", FILE.format(image=IDE, cpu=2, memory=768))
    made.run("up")
    assert limit(made, "Memory") == 768 << 20
    made.write("one", FILE.format(image=IDE, cpu=1, memory=768))
    made.run("up")
    assert limit(made, "NanoCpus") == 10**9
    running(made)
    made.run("logs", "one")
    assert "24 80" in terminal(made, SIZE)
    made.run("stop", "one")
    made.run("start", "one")
    reconnect(made)


def reconnect(made: Hub) -> None:
    """Have the daemon put it back on its network, by which nothing in it ends."""
    one = made.container("one")
    networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}"
    began = docker("inspect", "-f", "{{.State.StartedAt}}", one)
    network = docker("inspect", "-f", networks, one)
    docker("network", "disconnect", network, one)
    wait_for(lambda: docker("inspect", "-f", networks, one) == network, "it is on its network")
    running(made)
    assert docker("inspect", "-f", "{{.State.StartedAt}}", one) == began


def leave(made: Hub) -> None:
    """Destroy and purge, without a daemon."""
    assert made.stop("run") == 0
    (made.workspaces / "one.yaml").unlink()
    made.run("destroy", "one")
    made.run("purge", "one", "--confirm", "one")


def clean_up(made: Hub) -> None:
    """Remove an image that lost its name to a newer build of ours."""
    name = f"{made.container('image')}:1"
    label = f"LABEL {IMAGE_LABEL}=old"
    old = imported(name, b"old", "--change", label)
    imported(name, b"new")
    try:
        lines = made.run("gc", "--yes").stdout.splitlines()
        assert ["removed" in line for line in lines if old[:12] in line] == [True]
    finally:
        docker("image", "rm", name)


def imported(name: str, content: bytes, *more: str) -> str:
    """Make an image of one file; gives the id without its algorithm."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    command = ["docker", "import", *more, "-", name]
    done = subprocess.run(command, input=layer.getvalue(), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip().removeprefix("sha256:")


def running(made: Hub) -> None:
    made.run("wait", "one", "--for", "phase=RUNNING", "--timeout", "120s")


def limit(made: Hub, name: str) -> int:
    return int(docker("inspect", "-f", f"{{{{.HostConfig.{name}}}}}", made.container("one")))


def terminal(made: Hub, script: str) -> str:
    """Run a script in a workspace's terminal of 24 lines and 80 columns."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    subprocess.run(["stty", "rows", "24", "cols", "80"], stdin=theirs, check=True)
    command = [*made.command, "exec", "-it", "one", "--", "sh", "-c", script]
    done = subprocess.run(
        command, env=made.env, cwd=made.root, stdin=theirs, stdout=subprocess.PIPE, check=True
    )
    os.close(ours)
    os.close(theirs)
    return done.stdout.decode()


@pytest.mark.parametrize(
    "rule", ["container-update", pytest.param("network-create", marks=pytest.mark.long)]
)
def test_without_a_rule_it_says_which_call_was_refused(rule: str) -> None:
    settings = {"CODEHUB_ALLOW_UNENFORCED": "all"}
    with deployed(settings=settings, without=rule) as (made, proxy):
        made.write("one", FILE.format(image=LIGHT, cpu=2, memory=64))
        done = made.run("up", check=False)
        assert done.returncode == 1
        method, _, path = proxy.refused()[0].partition(" ")
        assert f"the engine proxy does not pass this call on: {method} {path}" in done.stderr
        assert "error: one: OPERATION_FAILED" in done.stderr


def test_no_rule_lets_a_call_through_that_is_another_ones() -> None:
    """The patterns are anchored and know no slashes: what ends or begins alike is refused."""
    others = (
        "GET /events/x",
        "DELETE /images/one/x",
        "POST /containers/one/attach",
        "POST /containers/prune",
        "POST /volumes/prune",
        "POST /images/create?fromImage=x",
        "POST /build",
        "GET /containers/one/archive?path=/",
        "PUT /containers/one/archive?path=/",
        "POST /v1.41/containers/one/start/x",
        "POST /x/containers/one/start",
        # Under older versions the same body makes another container; at 1.23 a start has one, with privileges.
        "POST /v1.40/containers/create",
        "POST /v1.23/containers/one/start",
        "POST /v1.9/containers/one/start",
        # Of a folder that it names.
        "POST /containers/one/start?checkpoint=x&checkpoint-dir=/tmp",
        "POST /v1.41/containers/one/start?;checkpoint=x",
        "POST /containers/one%2Fkill/start",
        "DELETE /containers/one/x",
        "POST /swarm/init",
        "POST /plugins/pull",
    )
    with engine_proxy() as proxy:
        assert [call for call in others if ask(proxy, call) != "403"] == []
        assert ask(proxy, "GET /_ping") == "200"


def ask(proxy: EngineProxy, call: str, body: str | bytes | None = None, *headers: str) -> str:
    """Give the status of the answer."""
    method, path = call.split(" ")
    sent = body.encode() if isinstance(body, str) else body
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "--path-as-is"]
    said = [
        word for each in headers or ("Content-Type: application/json",) for word in ("-H", each)
    ]
    data = [] if sent is None else [*said, "--data-binary", "@-"]
    done = subprocess.run(
        [*command, *data, "--unix-socket", proxy.socket, f"http://engine{path}"],
        input=sent,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()
