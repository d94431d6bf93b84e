"""Plain Pulumi on a stack of ours shows and does what CodeHub's own commands do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from settings.load import load
from settings.model import RunnerSettings
from tests.hub import ROOT, Hub, docker, hub

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

FILE = "owner: alice\nimage: codehub/light\nresources: {{cpu: 1, memory: 64Mi, pids: 77}}\nenv: {{A: {a}}}\n"

SERVED = """
import runpy, subprocess, sys
from stacks.engine.serving import serving

with serving(lambda: runpy.run_path("__main__.py", run_name="__main__")) as address:
    done = subprocess.run([sys.argv[1], "preview", "--json", "--stack", sys.argv[2], f"--client={address}"])
raise SystemExit(done.returncode)
"""
"""What a language host for Python does: it runs `__main__.py` of the project."""


@pytest.fixture(scope="module")
def made() -> Iterator[Hub]:
    with hub() as found:
        found.write("ws", FILE.format(a="one"))
        found.run("up")
        found.write("ws", FILE.format(a="two"))
        yield found


def steps(preview: Mapping[str, Any]) -> dict[str, str]:
    """What Pulumi says that changes, by resource."""
    told = ((step["urn"].rpartition("::")[2], step["op"]) for step in preview["steps"])
    return {name: op for name, op in told if op != "same"}


def test_both_ways_show_the_same_plan(made: Hub) -> None:
    ours = json.loads(made.run("preview", "-o", "json").stdout)
    plain = json.loads(made.run("pulumi", "exec", "ws", "--", "preview", "--json").stdout)
    (change,) = ours["changes"]
    assert change["action"] == "replace"
    assert steps(plain) == {"container": "replace"}


def test_the_project_itself_shows_it_too(made: Hub) -> None:
    exports = made.run("pulumi", "env").stdout
    work = made.root / "data/work"
    script = f'eval "$EXPORTS"; cd {work}; exec {sys.executable} -c "$SERVED" "$PULUMI" ws'
    done = subprocess.run(
        ["bash", "-c", script],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PYTHONPATH": str(ROOT),
            "EXPORTS": exports,
            "SERVED": SERVED,
            "PULUMI": pulumi_command(made),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert steps(json.loads(done.stdout)) == {"container": "replace"}


def pulumi_command(made: Hub) -> str:
    return str(load(RunnerSettings, made.env, cwd=made.root).pulumi)


def test_a_plain_up_is_taken_for_what_it_is(made: Hub) -> None:
    marker = made.home("ws") / "marker"
    marker.write_text("kept")
    made.run("pulumi", "exec", "ws", "--", "up", "--yes", "--skip-preview")
    found = json.loads(docker("inspect", made.container("ws")))[0]
    assert "A=two" in found["Config"]["Env"]
    assert found["HostConfig"]["PidsLimit"] == 77
    made.run("up")
    after = json.loads(docker("inspect", made.container("ws")))[0]
    assert after["Id"] == found["Id"]
    assert marker.read_text() == "kept"
    (change,) = json.loads(made.run("preview", "-o", "json").stdout)["changes"]
    assert change["action"] == "nothing"


def test_the_data_tree_is_held(made: Hub) -> None:
    made.start("run")
    try:
        made.run("wait", "ws", "--for", "phase=RUNNING", "--timeout", "30s")
        refused = made.run("pulumi", "exec", "ws", "--", "preview", check=False)
        assert refused.returncode == 1
        assert "codehub run" in refused.stderr
    finally:
        made.stop("run")


def test_who_can_not_be_rendered_is_said_so(made: Hub) -> None:
    made.write("bad", "owner: alice\n")
    try:
        for name, told in (("bad", "1 problem"), ("nobody", "no workspace nobody")):
            refused = made.run("pulumi", "exec", name, "--", "preview", check=False)
            assert refused.returncode == 1
            assert told in refused.stderr
    finally:
        (made.workspaces / "bad.yaml").unlink()
    wrong = made.run("pulumi", "exec", "ws", "--", "--diff", check=False)
    assert wrong.returncode == 2
    assert "subcommand comes first" in wrong.stderr
