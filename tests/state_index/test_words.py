"""Words as databases take them."""

from hypothesis import given
from hypothesis import strategies as st

from state_index.words import storable

odd = st.text(alphabet="\x1b[a\r\n\t \0\ud800")


@given(odd)
def test_what_is_stored_differs_in_what_no_database_takes_only(text: str) -> None:
    assert storable(text) == text.replace("\0", "?").replace("\ud800", "?")
