"""Which values are hidden, and which are not."""

import pytest

from spec import Problem
from stacks.review import markdown
from stacks.review.plain import plain
from stacks.review.text import lines
from stacks.secrecy import HIDDEN, hidden_in, in_words, key_of, looks_secret, told
from tests.stacks.review.fleets import compared, one, text

HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
TOKEN = "gh" + "p_abcdefghijklmnop"


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "DB_PASSWD", "MY_TOKEN", "API_KEY", "apikey", "AWS_SECRET_ACCESS_KEY", "KEY",
     "SENTRY_DSN", "PGPASSWORD", "COOKIE", "AUTH", "PRIVATE", "SIGNING_KEY", "DB_PASS", "PWD1", "PW",
     "DB_PW", "OTP", "OTP2", "MY_OTP_SEED"],
)  # fmt: skip
def test_telling_names_hide_every_value(name: str) -> None:
    assert looks_secret(f"env.{name}", "x")


@pytest.mark.parametrize(
    "value",
    [TOKEN, HEX, "https://user:canary@example.org/x", "-----BEGIN KEY-----", "Bearer abcdefgh",
     "eyJhbGciOi.eyJzdWIiOi", "AKIAABCDEFGH", "550e8400-e29b-41d4-a716-446655440000", f"a=b;c={HEX}"],
)  # fmt: skip
def test_telling_values_are_hidden_under_any_name(value: str) -> None:
    assert looks_secret("env.HARMLESS", value)
    assert HIDDEN in hidden_in(f"it says {value}")


@pytest.mark.parametrize(
    ("path", "value"),
    [("env.TZ", "Asia/Seoul"), ("env.PATH", "/usr/local/bin:/usr/bin:/bin"), ("env.KEYBOARD", "us"),
     ("env.URL", "https://example.org/a/long/path/of/words"), ("env.N", None), ("image", HEX),
     ("env.MONKEYS", "3"), ("env.PWA", "1"), ("env.LAPTOP", "x"), ("env.OPTS", "--max-old-space-size=4096")],
)  # fmt: skip
def test_ordinary_values_are_told(path: str, value: object) -> None:
    assert not looks_secret(path, value)
    assert hidden_in(str(value)) == str(value) or path == "image"


@pytest.mark.parametrize(
    ("part", "secret"),
    [("a", False), ("a://b:", False), ("-eyJ", False), ("bearer ", True), ("a.", False),
     ("://", False), ("0-", False), ("Ab3", False), ("a://b:@", False)],
)  # fmt: skip
def test_no_value_takes_long_to_judge(part: str, secret: bool) -> None:
    """Without bounds some of these take minutes: the test's time limit is what fails."""
    long = part * (32 * 1024 // len(part))
    assert looks_secret("env.HARMLESS", long) is secret
    assert (hidden_in(long) != long) is secret


def test_a_change_of_a_secret_is_told_without_either_value() -> None:
    found = one({"aa": text(env="{TOKEN: canary1}")}, {"aa": text(env="{TOKEN: canary2}")})
    (change,) = found.changes
    assert (change.path, change.kind, change.hidden) == ("env.TOKEN", "update", True)
    assert (change.before, change.after) == ("", "")
    assert "canary" not in repr(found)


def test_a_value_that_was_secret_before_hides_both() -> None:
    found = one({"aa": text(env=f"{{A: {HEX}}}")}, {"aa": text(env="{A: plain}")})
    assert found.changes[0].hidden


def test_problems_do_not_quote_secrets() -> None:
    secret = Problem("f", 1, 1, "env.MY_PASSWORD", "must be text, not 12345", 'write "12345"')
    assert "12345" not in "".join(told(secret))
    plain = Problem("f", 1, 1, "env.A", "must be text, not 12345", 'put it in quotes: "12345"')
    assert told(plain) == (plain.message, plain.hint)
    image = Problem("f", 1, 1, "image", "`me:canary@host/a?canary` is no image", "a@sha256:0 is")
    assert told(image) == ("`...host/a?...` is no image", "a@sha256:0 is")
    quoted = Problem("f", 1, 1, "state", f"`{HEX}` is not a state", "one of auto")
    assert HEX not in "".join(told(quoted))


@pytest.mark.parametrize(
    "written",
    [
        "env: {PASSWORD=canary: }",
        "env: {PASSWORD:canary}",
        "env: {'canary is the password': x}",
        "PASSWORD=canary: x",
        "env: {A: 1}\nPASSWORD:canary: x",
        "a-token=canary: 1\na-token=canary: 2",
        "env:\n  PASSWORD: 0.123canary: 2",
        "env:\n  PASSWORD: &canary [1]",
        "env: [PASSWORD=canary]",
        "env: PASSWORD=canary",
        "secrets: {password: canary}",
        "resources: {password: canary}",
    ],
)
def test_a_value_in_the_place_of_a_key_is_not_told(written: str) -> None:
    found = compared({}, {"aa": f"owner: alice\nimage: a\n{written}\n"})
    assert found.workspaces[0].problems
    for form in (markdown.markdown(found), "\n".join(lines(found)), str(plain(found))):
        assert "canary" not in form
    assert "canary" not in "".join(in_words(one) for one in found.workspaces[0].problems)


def test_keys_are_told_as_they_are() -> None:
    found = compared({}, {"aa": "owner: alice\nimage: a\nenv: {PASSWORD: 1}\nram: 1\n"})
    assert [key_of(problem) for problem in found.workspaces[0].problems] == ["env.PASSWORD", "ram"]


@pytest.mark.parametrize("value", ["canary", "x-canary-x"])
def test_a_secret_is_not_told_under_another_name(value: str) -> None:
    before, after = text(env="{TOKEN: canary, N: '1'}"), text(env=f"{{B: {value}, N: '2'}}")
    for found in (one({"aa": before}, {"aa": after}), one({"aa": after}, {"aa": before})):
        assert [change.path for change in found.changes] == ["env.B", "env.N", "env.TOKEN"]
        assert [change.hidden for change in found.changes] == [True, False, True]
        assert "canary" not in repr(found)
    made = one({}, {"aa": text(env=f"{{TOKEN: canary, B: {value}}}")})
    assert "canary" not in repr(made.changes)
