"""Tables of rules: ours by their mark, removed by their handle."""

import secrets
from pathlib import Path

import pytest

from stacks.errors import NotLeadingError, RulesRefusedError
from stacks.fence import Fence
from stacks.gc import tables
from stacks.isolation import nft
from stacks.isolation.rules import Site, render, table
from tests.stacks.gc.scenes import NETWORK

LISTED = """{"nftables": [{"metainfo": {"version": "1"}},
{"table": {"family": "inet", "name": "codehub_a", "handle": 3}},
{"table": {"family": "ip", "name": "codehub_b", "handle": 4}},
{"table": {"family": "inet", "name": "filter", "handle": 5}}]}"""


def test_names_of_ours_are_read() -> None:
    assert tables.named(LISTED) == (("codehub_a", 3),)
    assert tables.named("") == ()
    assert tables.named("{}") == ()


def test_a_table_is_ours_by_its_mark_in_each_chain() -> None:
    text = render(Site(network=NETWORK, interface="br-1"))
    assert tables.marked(text) == "br-1"
    assert tables.marked(text.replace("rules ", "rule ", 1)) == "", "somebody wrote into it"
    assert tables.marked(text.replace('"br-1" accept', '"br-2" accept', 1)) == ""
    assert tables.marked("table inet codehub_mine {\n\tchain a {\n\t}\n}") == ""


async def test_a_table_of_a_bridge_that_is_gone_is_found_and_removed() -> None:
    """With the kernel: look-alikes stay, and so does one that was loaded anew."""
    network = f"codehub-test-{secrets.token_hex(4)}"
    ours, alike = table(network), f"codehub_{network}-alike"
    text = render(Site(network=network, interface="br-nowhere"))
    assert (await nft.run("-f", "-", given=f"{text}\nadd table inet {alike}\n"))[1] == ""
    try:
        found = {each.name: each for each in await tables.look()}
        assert alike not in found
        assert not found[ours].is_here
        handle = str(found[ours].handle)
        await nft.run("-f", "-", given=text)
        await tables.remove(handle, fence=Fence.always())
        anew = {each.name: each for each in await tables.look()}[ours]
        assert str(anew.handle) != handle, "loaded anew, it is another one"
        with pytest.raises(NotLeadingError):
            await tables.remove(str(anew.handle), fence=Fence())
        await tables.remove(str(anew.handle), fence=Fence.always())
        assert ours not in {each.name for each in await tables.look()}
    finally:
        for name in (ours, alike):
            await nft.run("-f", "-", given=f"add table inet {name}\ndelete table inet {name}\n")


async def test_a_kernel_that_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program in nft's place answers as nft does where one may list and not change."""
    program = tmp_path / "nft"
    listed = tmp_path / "listed"
    listed.write_text(LISTED)
    program.write_text(
        f"#!/bin/sh\n[ $1 = -j ] && exec cat {listed}\necho not permitted >&2; exit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(RulesRefusedError, match="not permitted"):
        await tables.remove("3", fence=Fence.always())
    await tables.remove("4711", fence=Fence.always())
    assert await tables.look() == ()
