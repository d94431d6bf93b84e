"""The end of a log in a fixed amount of memory."""

import pytest

from stacks.log_tail import CUT, LogTail


def tail(most: int, *pieces: bytes) -> str:
    kept = LogTail(most)
    for piece in pieces:
        kept.add(piece)
        assert sum(map(len, kept._pieces)) <= most
    return kept.text()


def test_what_fits_is_given_as_it_is() -> None:
    assert tail(6, b"one\n", b"2\n") == "one\n2\n"
    assert tail(6) == ""


@pytest.mark.parametrize("most", range(5, 9))
def test_what_does_not_fit_begins_with_a_whole_line_and_says_so(most: int) -> None:
    assert tail(most, b"one\n", b"two\n", b"3\n4\n") == CUT + "3\n4\n"
    assert tail(most, b"one\ntwo\n3\n4\n") == CUT + "3\n4\n"


def test_one_endless_line_is_cut_too() -> None:
    assert tail(4, b"abc", b"def", b"g") == CUT + "defg"
    assert tail(3, b"a", b"bcd\n") == CUT + "cd\n"


def test_characters_that_were_cut_or_are_none_do_no_harm() -> None:
    assert tail(4, b"\xff\xfe\n") == "��\n"
    assert tail(2, "aü".encode()[:3]) == CUT + "ü"
    assert tail(2, "üb".encode()) == CUT + "�b"
