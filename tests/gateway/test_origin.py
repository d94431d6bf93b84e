"""Who may change something, open a WebSocket, and where a redirect may lead: tables."""

import pytest
from httpx import URL
from hypothesis import given
from hypothesis import strategies as st

from gateway.origin import handshake_problem, local_path, origin_of, unsafe_request_problem

OWN = "https://hub.example.org"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://hub.example.org", OWN),
        ("https://hub.example.org:443/", OWN),
        ("https://HUB.example.org/path?x#y", OWN),
        ("http://hub.example.org:80", "http://hub.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://hub.example.org:8443", "https://hub.example.org:8443"),
    ],
)
def test_origins_are_written_as_browsers_write_them(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_allowed_from_anywhere(method: str) -> None:
    assert (
        unsafe_request_problem(
            method=method,
            own=OWN,
            origins=["https://evil.example"],
            fetch_sites=["cross-site"],
            has_cookie=True,
        )
        is None
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
@pytest.mark.parametrize(
    ("origins", "sites", "cookie", "allowed"),
    [
        ([OWN], ["same-origin"], True, True),
        ([OWN], [], True, True),
        ([OWN], [], False, True),
        ([], ["same-origin"], True, True),
        ([], [], False, True),
        ([], [], True, False),
        ([OWN], ["same-site"], True, False),
        ([OWN], ["cross-site"], True, False),
        ([OWN], ["none"], True, False),
        ([OWN], ["same-origin", "cross-site"], True, False),
        ([], ["cross-site"], False, False),
        ([], ["same-site"], False, False),
        ([], ["none"], True, False),
        (["null"], [], True, False),
        (["null"], ["same-origin"], True, False),
        ([""], [], False, False),
        ([OWN, OWN], [], True, False),
        ([OWN + "/"], [], True, False),
        ([OWN + ":443"], [], True, False),
        (["http://hub.example.org"], [], True, False),
        (["https://evil.hub.example.org"], [], True, False),
        (["https://hub.example.org.evil.example"], [], True, False),
        (["https://evil.example"], ["same-origin"], False, False),
    ],
)
def test_changing_something_needs_our_own_origin(
    method: str, origins: list[str], sites: list[str], cookie: bool, allowed: bool
) -> None:
    problem = unsafe_request_problem(
        method=method, own=OWN, origins=origins, fetch_sites=sites, has_cookie=cookie
    )
    assert (problem is None) is allowed


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ([OWN], True),
        ([], False),
        ([OWN, OWN], False),
        (["null"], False),
        (["http://hub.example.org"], False),
        (["https://hub.example.org.evil.example"], False),
    ],
)
def test_a_handshake_needs_exactly_our_own_origin(origins: list[str], allowed: bool) -> None:
    assert (handshake_problem(own=OWN, origins=origins) is None) is allowed


@pytest.mark.parametrize(
    "target", ["/", "/w/alice-api/", "/w/a/?folder=/home&x=%2f", "/workspaces/x?next=/w/x/#top"]
)
def test_paths_of_ours_are_followed(target: str) -> None:
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "w/alice",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/a\\b",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: x=y",
        "/ü",
        "/a b",
        "/\x00",
        " /",
        "/" + "a" * 2048,
    ],
)
def test_everything_else_leads_home(target: str) -> None:
    assert local_path(target) == "/"
    assert local_path(target, default="") == ""


@given(st.text(max_size=60) | st.from_regex(r"[/\\]{1,3}[ -~]{0,30}", fullmatch=True))
def test_no_target_leaves_the_origin(target: str) -> None:
    path = local_path(target)
    joined = URL(OWN).join(path)
    assert (joined.scheme, joined.host) == ("https", "hub.example.org")
