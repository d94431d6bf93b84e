"""The messages of an exec, and the engine's own frames."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.errors import BadRequestError
from stacks.streams.frames import Channel, Size, frame, json_frame, parse, parse_json, parse_size
from stacks.streams.multiplex import Demultiplexer


@given(st.sampled_from(Channel), st.binary(max_size=20))
def test_a_message_is_read_as_it_was_made(channel: Channel, data: bytes) -> None:
    assert parse(frame(channel, data)) == (channel, data)


def test_sizes() -> None:
    channel, data = parse(json_frame(Channel.RESIZE, {"cols": 120, "rows": 40}))
    assert (channel, parse_size(data)) == (Channel.RESIZE, Size(cols=120, rows=40))


@pytest.mark.parametrize("message", [b"", b"\x05", b"\xfe"])
def test_messages_without_a_channel(message: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse(message)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"cols": 1}',
        b'{"cols": true, "rows": 1}',
        b'{"cols": 1.5, "rows": 1}',
        b"\xff",
    ],
)
def test_what_is_no_size(data: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_size(data)


def test_what_is_no_object() -> None:
    with pytest.raises(BadRequestError, match="JSON object"):
        parse_json(b"5")
    with pytest.raises(BadRequestError, match="JSON object"):
        parse_json(b"[" * 200_000)


FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=30)), max_size=8)


@given(FRAMES, st.lists(st.integers(min_value=1, max_value=40), max_size=40))
def test_frames_are_taken_apart_however_they_are_cut(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    data = b"".join(struct.pack(">BxxxL", stream, len(piece)) + piece for stream, piece in sent)
    frames = Demultiplexer()
    got: dict[int, bytes] = {1: b"", 2: b""}
    order = []
    at = 0
    for size in [*cuts, len(data)]:
        for stream, piece in frames.feed(data[at : at + size]):
            assert piece
            got[stream] += piece
            order.append((stream, piece))
        at += size
    assert got == {
        number: b"".join(piece for stream, piece in sent if stream == number) for number in (1, 2)
    }
    assert b"".join(piece for _, piece in order) == b"".join(piece for _, piece in sent)
