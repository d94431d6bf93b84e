"""The image's packages come from the mirrors this machine's apt uses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools import rootfs
from tools.errors import MissingToolError

ONE_LINE = """\
# deb http://commented.test/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://other.test/apt stable main
deb http://mirror.test/debian/ bookworm main contrib
deb-src http://mirror.test/debian bookworm main
deb http://mirror.test/debian-security bookworm-security main
"""
DEB822 = """\
Types: deb
URIs: http://other.test/node
Suites: nodistro

Types: deb
URIs: http://mirror.test/debian
Suites: trixie trixie-updates
Components: main
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
    return tmp_path / "apt"


def test_one_line_sources(apt: Path) -> None:
    (apt / "sources.list").write_text(ONE_LINE)
    assert rootfs.mirrors(apt) == [
        "deb http://mirror.test/debian bookworm main",
        "deb http://mirror.test/debian bookworm-updates main",
        "deb http://mirror.test/debian-security bookworm-security main",
    ]


def test_deb822_sources_of_another_release(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    (apt / "sources.list.d" / "notes.txt").write_text("deb http://no.test/debian x main")
    assert rootfs.mirrors(apt) == [
        "deb http://mirror.test/debian bookworm main",
        "deb http://mirror.test/debian bookworm-updates main",
    ]


def test_a_machine_without_a_debian_mirror(apt: Path) -> None:
    with pytest.raises(MissingToolError, match="no Debian mirror"):
        rootfs.mirrors(apt)


def test_what_mmdebstrap_is_asked(
    tmp_path: Path, apt: Path, path_first: Callable[[str, str], Path]
) -> None:
    (apt / "sources.list").write_text(ONE_LINE)
    path_first("mmdebstrap", 'for a in "$@"; do echo "$a"; done')
    said: list[str] = []
    rootfs.make(
        ["git", "nano"],
        tmp_path / "base.tar",
        user="coder",
        uid=1000,
        log=tmp_path / "log",
        say=said.append,
        apt=apt,
    )
    assert "--include=git,nano" in said
    assert '--customize-hook=chroot "$1" useradd --uid 1000 --shell /bin/bash coder' in said
    assert said[-5:] == ["bookworm", str(tmp_path / "base.tar"), *rootfs.mirrors(apt)]
