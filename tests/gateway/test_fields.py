"""The fields of forms: what is taken apart, what is refused, and that nothing of it is kept."""

from pathlib import Path

import pytest
from litestar._parsers import parse_url_encoded_form_data

from gateway.errors import InvalidInputError
from gateway.fields import MOST, Fields, read_fields
from state_index.phases import Phase
from tests.gateway.harness import ALICE, login_of, serving

TYPE = "application/x-www-form-urlencoded"


def test_values_are_given_by_name_in_their_order() -> None:
    sent = read_fields(b"a=1&b=&a=%C3%BC+%26%0D%0A&c&=x", f"{TYPE}; charset=utf-8")
    assert (sent.get("a"), sent.every("a")) == ("ü &\r\n", ["1", "ü &\r\n"])
    assert (sent.get("b", "x"), sent.get("c", "x"), sent.get("d", "x")) == ("", "", "x")
    assert sent.items() == {"a": "ü &\r\n", "b": "", "c": "", "": "x"}


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%ff"])
def test_what_is_not_unicode_is_replaced(body: bytes) -> None:
    assert read_fields(body, TYPE.upper()).get("a") == "\ufffd"


def test_no_body_is_a_form_without_fields() -> None:
    assert read_fields(b"", "").items() == {}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", ""),
        (b"a=1", "text/plain"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"&".join([b"a=1"] * (MOST + 1)), TYPE),
        (b"&" * 60_000, TYPE),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInputError):
        read_fields(body, content_type)


def test_a_form_does_not_show_its_values() -> None:
    assert "geheim" not in repr(Fields([("password", "geheim")]))


async def test_no_form_is_kept_after_its_request(tmp_path: Path) -> None:
    before = parse_url_encoded_form_data.cache_info()
    async with serving(tmp_path) as hub, hub.client() as browser:
        hub.publish("alice-a", Phase.RUNNING)
        assert (await browser.post("/login", data=login_of(ALICE))).status_code == 303
        for path in ("stop", "start", "edit", "delete"):
            await browser.post(f"/workspaces/alice-a/{path}", data={"text": "x", "next": path})
        await browser.post("/workspaces/new", data={"text": "x", "go": "text"})
    assert parse_url_encoded_form_data.cache_info() == before, "the framework keeps whole bodies"
