"""Which names a workspace may have."""

import pytest

from spec import InvalidIdError, check_id
from spec.ids import RESERVED


@pytest.mark.parametrize("good", ["ab", "a1", "alice-demo", "a" * 40, "a-b-c", "apis", "x0"])
def test_good_ids(good: str) -> None:
    assert check_id(good) == good


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        ("Alice", "rename it, for example to alice"),
        ("a--b", "rename it, for example to a-b"),
        ("-ab", "rename it, for example to ab"),
        ("ab-", "rename it, for example to ab"),
        ("ab\n", "rename it, for example to ab"),
        ("a" * 41, f"rename it, for example to {'a' * 40}"),
        ("API", "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"),
        ("", "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"),
    ],
)
def test_bad_ids(bad: str, hint: str) -> None:
    with pytest.raises(InvalidIdError) as caught:
        check_id(bad)
    assert caught.value.hint == hint


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_ids(word: str) -> None:
    with pytest.raises(InvalidIdError, match="reserved"):
        check_id(word)
