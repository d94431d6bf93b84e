"""Log lines: one form for ours and the libraries', on standard error."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from telemetry import context
from telemetry.logs import Format, Level, configure, get_logger

pytestmark = pytest.mark.usefixtures("logging_restored")


class Lines:
    def __init__(self, level: Level = "info", format: Format = "json") -> None:  # noqa: A002
        self.stream = io.StringIO()
        configure(level, format, self.stream)

    def text(self) -> str:
        return self.stream.getvalue()

    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


def test_a_line_says_when_how_grave_who_and_what() -> None:
    lines = Lines()
    get_logger("stacks.engine").info("applied", workspace="alice-api", seconds=1.5)
    [line] = lines.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("at"))
    assert line == {
        "event": "applied",
        "level": "info",
        "logger": "stacks.engine",
        "workspace": "alice-api",
        "seconds": 1.5,
    }


def test_a_library_s_line_has_the_same_form_and_context() -> None:
    lines = Lines()
    with context.bind(request_id="r-1"):
        logging.getLogger("uvicorn.error").info("started on %s", "127.0.0.1")
    [line] = lines.json()
    del line["at"]
    assert line == {
        "event": "started on 127.0.0.1",
        "level": "info",
        "logger": "uvicorn.error",
        "request_id": "r-1",
    }


def test_what_a_library_did_to_its_own_logger_is_taken_back() -> None:
    library = logging.getLogger("wilful")
    library.addHandler(logging.NullHandler())
    library.propagate = False
    library.disabled = True
    lines = Lines()
    library.info("heard")
    assert [line["event"] for line in lines.json()] == ["heard"]
    assert library.handlers == []


def test_loggers_made_before_are_configured_too() -> None:
    log = get_logger("early")
    lines = Lines()
    log.info("now")
    assert [line["event"] for line in lines.json()] == ["now"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_holds_for_all(level: Level, expected: list[str]) -> None:
    lines = Lines(level)
    for logger in (get_logger("ours"), logging.getLogger("theirs")):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)(name)
    assert [line["event"] for line in lines.json()] == expected * 2


@pytest.mark.parametrize("name", ["alembic.runtime", "aiohttp.access", "uvicorn.access", "httpx"])
def test_chatter_of_libraries_is_left_out(name: str) -> None:
    lines = Lines("info")
    logging.getLogger(name).info("GET /login?token=abc")
    logging.getLogger(name).warning("odd")
    assert [line["event"] for line in lines.json()] == ["odd"]


def test_configuring_again_replaces_and_leaves_other_handlers() -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    first, second = Lines(), Lines()
    get_logger("ours").info("once")
    assert (first.text(), len(second.json())) == ("", 1)
    assert other in logging.getLogger().handlers
    logging.getLogger().removeHandler(other)


def fail(words: str) -> None:
    raise ValueError(words)


def test_an_exception_is_told_with_its_traceback_and_without_secrets() -> None:
    lines = Lines()
    words = "postgresql:/\x1b[m/u:hunter2@h/db"
    try:
        fail(words)
    except ValueError:
        get_logger("ours").exception("broken")
    [line] = lines.json()
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert "/u:[redacted]@h/db" in line["exception"]
    assert "hunter2" not in lines.text()


@pytest.mark.parametrize("format", ["json", "console"])
def test_secrets_are_redacted_wherever_they_are(format: Format) -> None:  # noqa: A002
    lines = Lines("info", format)
    get_logger("ours").info(
        "login",
        password="hunter2",
        headers={"Cookie": "hunter2", "accept": "*/*"},
        url="https://u:hunter2@h/",
    )
    logging.getLogger("theirs").warning("sent %s", "Authorization: Bearer hunter2hunter2")
    assert "hunter2" not in lines.text()
    assert lines.text().count("[redacted]") == 4


def test_what_json_does_not_know_is_written_as_text() -> None:
    lines = Lines()
    get_logger("ours").info("odd", value=re.compile("x"))
    assert lines.json()[0]["value"] == "re.compile('x')"


def test_console_lines_are_for_people() -> None:
    lines = Lines(format="console")
    with context.bind(request_id="r-1"):
        get_logger("ours").info("applied", workspace="alice-api")
    text = lines.text()
    assert re.search(r"\[info +\] applied +\[ours\] request_id=r-1 workspace=alice-api\n$", text)
    assert "\x1b" not in text, "no colours where no terminal is"


def test_console_lines_can_not_be_faked() -> None:
    lines = Lines(format="console")
    get_logger("ours").info("name\n2026 [error] fake\x1b[2J", owner="a\r\nb", tab="x\ty")
    text = lines.text()
    assert text.count("\n") == 1
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", text.replace("\t", ""))
    assert r"\x1b[2J" in text


def _lines_of(program: str, **env: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **env},
    )
    return done.stdout, done.stderr


def test_standard_output_stays_free() -> None:
    program = (
        "from telemetry.logs import configure, get_logger\n"
        "log = get_logger('ours'); log.info('too early'); log.warning('early', token='x')\n"
        "configure('info', 'json'); log.info('late')"
    )
    out, err = _lines_of(program)
    assert out == ""
    early, late = err.splitlines()
    assert early == "event='early' token='[redacted]'"
    assert json.loads(late)["event"] == "late"


def test_colours_are_for_terminals_that_want_them() -> None:
    program = (
        "import os, pty, sys\n"
        "from telemetry.logs import configure, get_logger\n"
        "_, terminal = pty.openpty()\n"
        "stream = os.fdopen(terminal, 'w')\n"
        "from telemetry.logs import _colours; print(_colours(stream), _colours(sys.stderr))"
    )
    assert _lines_of(program, NO_COLOR="")[0] == "True False\n"
    assert _lines_of(program, NO_COLOR="1")[0] == "False False\n"
