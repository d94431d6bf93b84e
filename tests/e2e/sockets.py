"""Which sockets a process has open, and who is at their other ends, as the kernel says."""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_REQUEST_DUMP = 0x301
_SHOW_NAME_AND_PEER = 1 | 4
_NAME, _PEER = 0, 2
_HEADER = struct.Struct("=LHHLL")
_MESSAGE = struct.Struct("=BBBBLLL")
_ATTRIBUTE = struct.Struct("=HH")


@dataclass(frozen=True)
class UnixSocket:
    """A unix socket: its path, "" without one, and its peer's inode, 0 without one."""

    path: str
    peer: int


def inodes(pid: int) -> set[int]:
    """The inodes of a process's sockets."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = link.readlink().name
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            found.add(int(target[len("socket:[") : -1]))
    return found


def unix_sockets() -> dict[int, UnixSocket]:
    """All unix sockets of this machine's namespace, by inode."""
    ask = struct.pack("=BBHLLLLL", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME_AND_PEER, 0, 0)
    head = _HEADER.pack(_HEADER.size + len(ask), _BY_FAMILY, _REQUEST_DUMP, 1, 0)
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as kernel:  # NETLINK_SOCK_DIAG
        kernel.send(head + ask)
        for body in _messages(kernel):
            inode = _MESSAGE.unpack_from(body)[4]
            told = dict(_attributes(body[_MESSAGE.size :]))
            path = os.fsdecode(told.get(_NAME, b"").rstrip(b"\0"))
            peer = struct.unpack("=L", told[_PEER])[0] if _PEER in told else 0
            found[inode] = UnixSocket(path, peer)
    return found


def peers(pid: int) -> set[str]:
    """The paths of the unix sockets that a process is connected to, or was connected at."""
    known = unix_sockets()
    found = set()
    for inode in inodes(pid) & known.keys():
        one = known[inode]
        other = known.get(one.peer, UnixSocket("", 0))
        found |= {path for path in (one.path, other.path) if path}
    return found


def remote_ports(pid: int) -> set[tuple[int, int]]:
    """Own and remote port of each TCP connection of a process."""
    ours = inodes(pid)
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, remote = (int(fields[at].rsplit(":", 1)[1], 16) for at in (1, 2))
            if int(fields[9]) in ours and remote:
                found.add((local, remote))
    return found


def _messages(kernel: socket.socket) -> Iterator[bytes]:
    while True:
        data = kernel.recv(1 << 16)
        while data:
            length, kind, *_ = _HEADER.unpack_from(data)
            if kind == _DONE:
                return
            assert kind != _ERROR, data
            yield data[_HEADER.size : length]
            data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
