"""The Debian root file systems of images, from the machine's own apt mirror, by mmdebstrap.

mmdebstrap and not debootstrap: it takes the security archive in as well, writes a tar file and needs 20 s.
"""

import re
from pathlib import Path

from tools.cache import Cache, text_key
from tools.commands import Say, run, silent
from tools.errors import MissingToolError
from tools.pins import DEBIAN_SUITE

APT_FOLDER = Path("/etc/apt")
UNWANTED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*/*.gz")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirrors(apt: Path = APT_FOLDER) -> list[str]:
    """Source lines for the image's suite, on the mirrors that this machine's apt uses for Debian.

    Args:
        apt: the folder that holds sources.list and sources.list.d.

    Raises:
        MissingToolError: apt here has no Debian mirror.
    """
    uris = [uri.rstrip("/") for uri in _uris(apt)]
    main = next((uri for uri in uris if uri.endswith("/debian")), None)
    if main is None:
        raise MissingToolError(
            f"no Debian mirror in {apt}: the code-server image is made of Debian packages",
            remedy="build the image on Debian 12, or name a Debian mirror in sources.list.d",
        )
    lines = [f"deb {main} {DEBIAN_SUITE} main", f"deb {main} {DEBIAN_SUITE}-updates main"]
    security = next((uri for uri in uris if uri.endswith("/debian-security")), None)
    if security:
        lines.append(f"deb {security} {DEBIAN_SUITE}-security main")
    return lines


def key(packages: list[str]) -> str:
    """The key of a root file system: of what it is made of, not of the mirror's state."""
    return text_key(*packages, *UNWANTED, version=DEBIAN_SUITE)


def place(cache: Cache, packages: list[str]) -> Path:
    """Where the tar file of a root file system is kept."""
    return cache.images / f"base-{key(packages)}.rootfs"


def kept(cache: Cache, packages: list[str], *, user: str, uid: int, say: Say = silent) -> Path:
    """The tar file of a root file system, made where the cache has none.

    Raises:
        MissingToolError: as `make`.
        CommandFailedError: as `make`.
    """
    target = place(cache, packages)
    if not target.exists():
        with cache.scratch("rootfs") as scratch:
            made = scratch / "base.tar"
            make(packages, made, user=user, uid=uid, log=cache.logs / "rootfs.log", say=say)
            cache.install(made, target)
    return target


def _uris(apt: Path) -> list[str]:
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    text = "\n".join(
        f.read_text() for f in files if f.suffix in (".list", ".sources") and f.is_file()
    )
    one_line = re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)", text, re.MULTILINE)
    deb822 = re.findall(r"^URIs:\s*(.+)$", text, re.MULTILINE)
    return one_line + [uri for line in deb822 for uri in line.split()]


def make(
    packages: list[str],
    target: Path,
    *,
    user: str,
    uid: int,
    log: Path,
    say: Say = silent,
    apt: Path = APT_FOLDER,
) -> None:
    """Write a root file system with these packages and one user as a tar file.

    Raises:
        MissingToolError: mmdebstrap is not here, or there is no mirror.
        CommandFailedError: it failed.
    """
    run(
        [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            '--aptopt=APT::Install-Recommends "false"',
            f"--keyring={KEYRING}",
            f"--include={','.join(packages)}",
            *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
            f'--customize-hook=chroot "$1" useradd --uid {uid} --shell /bin/bash {user}',
            DEBIAN_SUITE,
            target,
            *mirrors(apt),
        ],
        log=log,
        say=say,
    )
