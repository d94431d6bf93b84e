"""Takes apart what the engine sends for a container without a terminal. No I/O, constant memory."""

import struct
from collections.abc import Iterator

_HEADER = struct.Struct(">BxxxL")


class Demultiplexer:
    """Frames in pieces in, the bytes that they carry out: also of frames that are not whole yet."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._stream = 0

    @property
    def whole(self) -> bool:
        """Whether nothing of a frame is missing."""
        return not self._head and not self._left

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the number of the stream (1 stdout, 2 stderr) and its bytes, in order."""
        at = 0
        while at < len(data):
            if not self._left:
                take = _HEADER.size - len(self._head)
                self._head += data[at : at + take]
                at += take
                if len(self._head) < _HEADER.size:
                    return
                self._stream, self._left = _HEADER.unpack(self._head)
                self._head = b""
                continue
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            yield self._stream, piece
