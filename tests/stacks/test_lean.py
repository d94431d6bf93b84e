"""What `codehub up` loads when there is nothing to do: it is most of the time that it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.garbage import WHILE_WORKING
from tests.hub import hub

ROOT = Path(__file__).parents[2]

NOT_NEEDED = {
    "pulumi": "who changes something",
    "pygments": "nobody",
    "rich": "nobody",
    "ruamel.yaml": "files that are not plain",
    "sqlalchemy.dialects.postgresql": "an index there",
    "stacks.columns": "`codehub diff`",
    "stacks.edits.branch": "edits of files",
    "stacks.edits.desk": "edits of files",
    "stacks.engine.engine": "who changes something",
    "stacks.engine_events": "the daemon",
    "stacks.gc.collector": "`codehub gc`",
    "stacks.git.source": "a repository",
    "stacks.git.touched": "`codehub history`",
    "stacks.isolation.guard": "who starts something",
    "stacks.previews": "`codehub preview`",
    "stacks.rebuild": "an index that was lost",
}
"""Modules, and who needs them."""

NO_OP = """
import gc, json, sys
from cli.main import main
try:
    main(["up"], prog_name="codehub")
except SystemExit as error:
    code = error.code
import aiohttp.connector as connector
contexts = (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)
told = {
    "code": code,
    "modules": list(sys.modules),
    "certificates": [context.cert_store_stats()["x509"] for context in contexts],
    "threshold": gc.get_threshold()[0],
    "frozen": gc.get_freeze_count() > 10_000,
}
print()
print(json.dumps(told))
"""

TRUST = """
import sys
from stacks import transport
transport.load(sys.argv[1])
import aiohttp.connector as connector
import os, ssl, json
contexts = (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)
stores = [context.cert_store_stats()["x509"] for context in contexts]
asked = ssl.create_default_context().cert_store_stats()["x509"]
print(json.dumps([stores, asked, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")]))
"""


def python(code: str, *args: str, env: dict[str, str] | None = None) -> str:
    """Run code in a process of its own; gives what it printed."""
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.engine
def test_an_up_with_nothing_to_do_loads_nothing_that_only_others_need() -> None:
    with hub() as place:
        place.write("aa", "owner: alice\nimage: codehub/light\nstate: warm\n")
        place.run("up")
        told = json.loads(python(NO_OP, env=place.env).splitlines()[-1])
    found = {name: who for name, who in NOT_NEEDED.items() if name in told["modules"]}
    assert found == {}, "only these need it"
    assert told["code"] == 0
    assert told["certificates"] == [0, 0]
    assert (told["threshold"], told["frozen"]) == (WHILE_WORKING, True)


@pytest.mark.parametrize("module", NOT_NEEDED)
def test_who_needs_it_can_load_it(module: str) -> None:
    assert (
        python(f"import telemetry.structured, {module}; print({module}.__name__)").strip() == module
    )


def test_a_daemon_loads_what_the_runner_would_load_later() -> None:
    """After an upgrade in place, what is loaded later is of another version."""
    loaded = set(python("import sys, stacks.daemon; print(*sys.modules)").split())
    ours = {name for name in NOT_NEEDED if name.startswith("stacks.")} | {"ruamel.yaml"}
    assert ours - loaded == {"stacks.engine.engine"}, "which is loaded with what waits ahead"


def certificates(folder: Path) -> dict[str, str]:
    """Make an environment in which one certificate is trusted."""
    file = folder / "trusted.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
    subprocess.run(
        [*make, "-keyout", str(folder / "key.pem"), "-out", str(file)],
        check=True,
        capture_output=True,
    )
    return {**os.environ, "SSL_CERT_FILE": str(file), "SSL_CERT_DIR": str(folder / "none")}


@pytest.mark.parametrize(
    ("address", "stores"), [("unix:///run/engine.sock", [0, 0]), ("tcp://engine:2376", [1, 1])]
)
def test_trusted_certificates_are_read_where_tls_may_be(
    tmp_path: Path, address: str, stores: list[int]
) -> None:
    env = certificates(tmp_path)
    told = json.loads(python(TRUST, address, env=env))
    assert told == [stores, 1, env["SSL_CERT_FILE"], env["SSL_CERT_DIR"]]


def test_an_environment_without_these_names_stays_without(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("SSL_CERT_")}
    told = json.loads(python(TRUST, "unix:///run/engine.sock", env=env))
    assert (told[0], told[2:]) == ([0, 0], [None, None])
