"""What `deploy/compose.yaml` says, as the compose command reads it; no container is made."""

import json
import os
import re
import subprocess
from typing import Any

import pytest

from tests.deploy.house import DEPLOY
from tools.cache import Cache

FILE, EXAMPLE = DEPLOY / "compose.yaml", DEPLOY / ".env.example"


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The whole file, with what the example of `.env` sets."""
    return read_with()


def read_with(**changes: str) -> dict[str, Any]:
    words = (Cache.from_env().compose, "--file", FILE, "--env-file", EXAMPLE)
    kept = {name: it for name, it in os.environ.items() if not name.startswith("CODEHUB_")}
    done = subprocess.run(
        [*words, "config", "--format", "json"], env=kept | changes, capture_output=True, check=True
    )
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def defaults(text: str) -> dict[str, str]:
    """Read each variable's default; one that stands in another's is put in there."""
    found: dict[str, str] = {}
    while inner := re.search(r"\$\{(\w+):-([^${}]*)\}", text):
        name, default = inner.groups()
        assert found.setdefault(name, default) == default
        text = text.replace(inner[0], default)
    return found


def test_the_example_names_each_variable_with_its_default() -> None:
    used = defaults(FILE.read_text())
    told = dict(re.findall(r"^#(\w+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    assert told == used
    needed = set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))
    assert needed == set(re.findall(r"^(\w+)=", EXAMPLE.read_text(), re.MULTILINE))


def test_the_gateway_trusts_the_edge_alone(config: dict[str, Any]) -> None:
    services = config["services"]
    edge = services["edge"]["networks"]["front"]["ipv4_address"]
    assert services["gateway"]["environment"]["CODEHUB_TRUSTED_PROXIES"] == f"{edge}/32"
    assert services["gateway"]["networks"]["front"]["ipv4_address"] != edge
    assert [name for name, it in services.items() if "ports" in it] == ["edge"]


def test_an_edge_of_ones_own_may_be_named_instead() -> None:
    own = "10.213.77.1/32"
    gateway = read_with(CODEHUB_TRUSTED_PROXIES=own)["services"]["gateway"]
    assert gateway["environment"]["CODEHUB_TRUSTED_PROXIES"] == own


def test_all_are_closed(config: dict[str, Any]) -> None:
    for name, service in config["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert ("user" in service) == ("cap_add" not in service) == (name != "runner"), name


def test_the_data_folder_is_at_its_host_path(config: dict[str, Any]) -> None:
    """The engine mounts run folders into workspaces by the path that the runner knows."""
    for name in ("runner", "gateway"):
        service = config["services"][name]
        data = service["environment"]["CODEHUB_DATA"]
        mounted = {it["source"]: it["target"] for it in service["volumes"]}
        assert mounted[data] == data
