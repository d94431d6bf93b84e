"""The small parts: the engine's network list, this machine's addresses, what is remembered."""

import asyncio
import socket
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from settings.types import Gap
from stacks.isolation import hosts, memory
from stacks.isolation.bridge import Bridge, find, nameservers
from stacks.isolation.guard import _situation
from stacks.isolation.memory import Remembered
from stacks.isolation.probe import _ping, _to_engine, _to_host
from stacks.isolation.rules import Site
from stacks.isolation.verdict import Finding, State, Verdict

DEFAULT = {"Name": "bridge", "Id": "b" * 64}


def listed(**changes: Any) -> list[dict[str, Any]]:
    ours = {
        "Name": "net",
        "Id": "0123456789abcdef" * 4,
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]},
    }
    return [DEFAULT, {**ours, **changes}]


def bridge(**changes: Any) -> Bridge:
    found = find(listed(**changes), "net")
    assert found is not None
    return found


def test_the_network_is_found_by_its_whole_name() -> None:
    assert find(listed(), "ne") is None
    found = bridge()
    assert (found.name, found.interface, found.boot) == ("net", "br-0123456789ab", "b" * 64)
    assert found.gateways == (ip_address("172.18.0.1"),)


def test_a_bridge_may_have_a_name_of_its_own_and_an_engine_no_default_network() -> None:
    assert bridge(Options={"com.docker.network.bridge.name": "work0"}).interface == "work0"
    only = find(listed(Options=None)[1:], "net")
    assert only is not None
    assert (only.interface, only.boot) == ("br-0123456789ab", "")


def test_a_gateway_that_is_not_told_is_the_first_address() -> None:
    config = [{"Subnet": "fd00:1::/64"}, {"Subnet": "10.1.0.0/16", "Gateway": "10.1.0.9/16"}]
    found = bridge(IPAM={"Config": config}).gateways
    assert found == (ip_address("fd00:1::1"), ip_address("10.1.0.9"))
    assert bridge(IPAM={"Config": None}).gateways == ()
    assert bridge(IPAM={"Config": [{}]}).gateways == ()


def test_nameservers_are_read_but_for_stubs_and_nonsense(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("# x\nnameserver 127.0.0.53\nnameserver\nsearch a b\nnameserver nonsense\n")
    second.write_text("nameserver 10.0.0.2\nnameserver fd00::53\nnameserver fe80::1%eth0\n")
    found = nameservers((first, second, tmp_path / "none"))
    assert found == (ip_address("10.0.0.2"), ip_address("fd00::53"))


def test_addresses_are_written_with_ports_and_interfaces() -> None:
    assert hosts.at("172.18.0.1", 80) == "172.18.0.1:80"
    assert hosts.at("fe80::1", 80) == "[fe80::1]:80"
    assert hosts.zoned("fe80::1", "br0") == "fe80::1%br0"
    assert hosts.zoned("fd00::1", "br0") == "fd00::1"
    assert hosts.zoned("172.18.0.1", "br0") == "172.18.0.1"


def test_link_local_addresses_are_those_of_the_interface(tmp_path: Path) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(
        "fe800000000000000042befffef627d4 1d60 40 20 80     br0\n"
        "fd000000000000000000000000000001 1d60 40 00 80     br0\n"
        "fe800000000000000000000000000001 1d61 40 20 80     br1\n"
        "nonsense\n"
    )
    assert hosts.link_local("br0", table) == ("fe80::42:beff:fef6:27d4",)
    assert hosts.link_local("br0", tmp_path / "none") == ()


def test_without_ipv6_only_ipv4_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    config = [{"Subnet": "fd00:1::/64"}, {"Subnet": "10.1.0.0/16", "Gateway": "10.1.0.9"}]
    both = bridge(IPAM={"Config": config})
    assert hosts.own_addresses(both, ipv6=False)[0] == "10.1.0.9"
    assert not any(":" in host for host in hosts.own_addresses(both, ipv6=False))
    assert hosts.own_addresses(both, ipv6=True)[:2] == ("fd00:1::1", "10.1.0.9")
    # A machine without a way outward has only its bridge.
    nowhere = {socket.AF_INET: "::", socket.AF_INET6: "0.0.0.0"}
    monkeypatch.setattr(hosts, "NOWHERE", nowhere)
    assert hosts.own_addresses(both, ipv6=False) == ("10.1.0.9",)


async def test_who_comes_is_told_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "PATIENCE", 0.1)
    async with hosts.listening(["127.0.0.1", "198.51.100.1"], "lo", "token") as doors:
        ((host, port),) = doors
        assert host == "127.0.0.1"
        assert await hosts.reaches(host, port)
        reader, writer = await asyncio.open_connection(host, port)
        assert await reader.read() == b"token"
        writer.close()
    assert not await hosts.reaches(host, port, within=0.05)


def test_an_address_that_could_not_be_listened_on_is_tried_without_a_control() -> None:
    ways = _to_host((("172.18.0.1", 4000),), ("172.18.0.1", "fe80::1"), bridge())
    assert [way.address for way in ways] == ["172.18.0.1:4000", "[fe80::1]:1"]


def test_an_engine_on_an_address_is_a_way_too() -> None:
    assert _to_engine("unix:///var/run/docker.sock") == []
    (way,) = _to_engine("tcp://192.0.2.9")
    assert (way.address, way.port) == ("192.0.2.9:2375", 2375)
    assert _to_engine("tcp://[fd00::9]:99")[0].address == "[fd00::9]:99"


async def test_an_engine_that_is_not_there_says_nothing() -> None:
    assert await _ping("unix:///nonexistent.sock") == ""
    assert await _ping("tcp://127.0.0.1:1") == ""


def test_a_verdict_holds_for_one_network_one_start_of_the_engine_and_one_set_of_rules() -> None:
    ours = bridge()
    site = Site(network="net", interface=ours.interface)
    others = (
        _situation(replace(ours, id="1" * 64), site),
        _situation(replace(ours, boot="2" * 64), site),
        _situation(ours, replace(site, blocked=(ip_network("10.0.0.0/8"),))),
        _situation(ours, replace(site, interface="br-other")),
    )
    assert len({_situation(ours, site), *others}) == 5
    assert _situation(replace(ours), replace(site)) == _situation(ours, site)


ALL = Verdict(findings=tuple(Finding(gap=gap, state=State.CLOSED, detail="tried") for gap in Gap))
KNOWN = Remembered(situation="s", table="t", verdict=ALL)
LESS = Verdict(findings=ALL.findings[1:])


def test_what_was_remembered_is_read_by_the_next_one_only_where_it_makes_sense(
    tmp_path: Path,
) -> None:
    file = tmp_path / "isolation.json"
    assert memory.read(file) is None
    memory.write(file, KNOWN)
    assert memory.read(file) == KNOWN
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    for text in ("", "[]", '{"situation": 1}', '{"situation": "", "table": "", "verdict": {}}'):
        file.write_text(text)
        assert memory.read(file) is None
    memory.write(file, replace(KNOWN, verdict=LESS))
    assert memory.read(file) is None, "it does not tell of every gap"


def test_what_cannot_be_remembered_is_no_error(tmp_path: Path) -> None:
    memory.write(tmp_path / "none" / "isolation.json", KNOWN)
    memory.write_rules(tmp_path / "none" / "isolation.nft", "table inet t {}")
    assert list(tmp_path.iterdir()) == []


def test_rules_are_written_when_they_change(tmp_path: Path) -> None:
    file = tmp_path / "isolation.nft"
    memory.write_rules(file, "one")
    before = file.stat().st_ino
    memory.write_rules(file, "one")
    assert file.stat().st_ino == before
    memory.write_rules(file, "two")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("two", 0o600)
    assert list(tmp_path.iterdir()) == [file]
