"""The rules as text: what nft takes, and what is in it."""

import asyncio
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from settings.types import Gap
from stacks.isolation import nft
from stacks.isolation.rules import Site, marker, render, table

PLAIN = Site(network="codehub-test-net", interface="br-0123456789ab")
FULL = Site(
    network="codehub-test.net_2",
    interface="br-0123456789ab",
    nameservers=(ip_address("fd00::53"), ip_address("169.254.169.254")),
    blocked=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
)


async def checked(site: Site) -> str:
    _, problem = await nft._nft("--check", "-f", "-", given=render(site))
    return problem


@pytest.mark.parametrize("site", [PLAIN, FULL])
async def test_nft_takes_the_rules(site: Site) -> None:
    assert await checked(site) == ""


@pytest.mark.parametrize("gap", [Gap.HOST_IPV4, Gap.HOST_IPV6, Gap.WORKSPACE_IPV6, Gap.METADATA])
def test_each_rule_names_what_it_is_for(gap: Gap) -> None:
    assert f'comment "{gap}"' in render(PLAIN)


def test_ipv4_between_workspaces_is_the_networks_own() -> None:
    assert Gap.WORKSPACE_IPV4 not in render(PLAIN)


def test_every_chain_leaves_other_interfaces_alone_first() -> None:
    chains = render(PLAIN).split("chain ")[1:]
    assert len(chains) == 3
    for chain in chains:
        first = chain.splitlines()[2].strip()
        assert first == f'iifname != "br-0123456789ab" accept comment "{marker(PLAIN)}"'


def test_the_nameservers_are_let_through_before_anything_is_refused() -> None:
    text = render(FULL)
    for chain in ("outward", "host"):
        lines = text.split(f"chain {chain}")[1].split("}\n\t")[0].splitlines()
        allowed = next(i for i, line in enumerate(lines) if "169.254.169.254 meta l4proto" in line)
        refused = next(i for i, line in enumerate(lines) if "reject" in line)
        assert allowed < refused
    assert "th dport 53" not in render(PLAIN)


def test_blocked_networks_are_refused() -> None:
    assert "ip daddr 10.0.0.0/8 reject" in render(FULL)
    assert "ip6 daddr fd00::/8 reject" in render(FULL)


def test_the_marker_differs_where_the_rules_do() -> None:
    other = Site(network=PLAIN.network, interface="br-other")
    same = Site(network="another-name", interface=PLAIN.interface)
    assert len({marker(PLAIN), marker(FULL), marker(other)}) == 3
    assert marker(PLAIN) == marker(same)


@pytest.fixture
def unused() -> Iterator[Site]:
    """A site that no packet comes from. Rules on loopback would cut off whatever runs beside."""
    name = f"br-t{secrets.token_hex(5)}"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        yield Site(network="codehub-test-table", interface=name)
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


async def test_the_table_comes_and_goes_and_is_told_from_a_changed_one(unused: Site) -> None:
    site = unused
    try:
        first = await nft.ensure(site, known="")
        assert first
        assert await nft.ensure(site, known=first) == first
        name = table(site.network)
        await nft._nft("add", "rule", "inet", name, "host", "accept")
        assert await nft.listed(site) not in {"", first}
        assert await nft.ensure(site, known=first) == first
    finally:
        assert await nft.remove(site.network) == ""
    assert await nft.listed(site) == ""
    assert await nft.remove(site.network) == ""


async def test_a_bridge_that_is_elsewhere_is_left_to_others() -> None:
    assert await nft.ensure(PLAIN, known="") == ""
    assert await nft.listed(PLAIN) == ""


async def test_rules_that_nft_refuses_are_not_loaded(unused: Site) -> None:
    site = replace(unused, blocked=(ip_network("::/0"),))
    _, problem = await nft._nft("-f", "-", given=render(site).replace("reject", "oops"))
    assert "syntax error" in problem
    assert await nft.listed(site) == ""


async def test_an_nft_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bin")
    (folder / "nft").write_text("#!/bin/sh\nexec sleep 60\n")
    (folder / "nft").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr("stacks.isolation.nft.TIMEOUT", 0.1)
    async with asyncio.timeout(10):
        assert await nft._nft("list") == ("", "nft did not end within 0.1 s")
