"""The end of a stream of log bytes, in a fixed amount of memory. Pure."""

from collections import deque

MOST_BYTES = 4 << 20
"""Most bytes of a log that are kept: the newest."""

CUT = (
    f"[codehub: what is older is left out, for at most {MOST_BYTES >> 20} MiB of a log are given]\n"
)
"""First line of a log whose beginning did not fit."""


class LogTail:
    """Keeps the newest bytes of what is added."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._cut = False

    def add(self, piece: bytes) -> None:
        """Take the next bytes, and forget the oldest that are too many."""
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size > self._most:
            first = self._pieces.popleft()
            kept = first[self._size - self._most :]
            self._size -= len(first) - len(kept)
            self._cut = True
            if kept:
                self._pieces.appendleft(kept)

    def text(self) -> str:
        """Give what was kept, from the beginning of a line; `CUT` stands before it if need be."""
        printed = b"".join(self._pieces)
        if not self._cut:
            return printed.decode(errors="replace")
        _, _, whole = printed.partition(b"\n")
        return CUT + (whole or printed).decode(errors="replace")
