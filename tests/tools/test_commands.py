"""Programs are run with a log, and their failures quote the end of it."""

from pathlib import Path

import pytest

from tools.commands import TAIL_LINES, output, run
from tools.errors import CommandFailedError, MissingToolError


def test_output_goes_to_the_log_and_to_say(tmp_path: Path) -> None:
    said: list[str] = []
    log = tmp_path / "logs" / "x.log"
    command = ["sh", "-c", "pwd; echo $WORD; echo oops >&2"]
    run(command, log=log, say=said.append, cwd=tmp_path, env={"WORD": "w"})
    assert said == [str(tmp_path), "w", "oops"]
    assert log.read_text().splitlines()[1:] == said


def test_an_empty_line_is_nothing_to_say(tmp_path: Path) -> None:
    said: list[str] = []
    run(["printf", "one\\n\\n  \\ntwo\\n"], log=tmp_path / "l", say=said.append)
    assert said == ["one", "two"]


def test_a_failure_quotes_the_end_and_names_the_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with pytest.raises(CommandFailedError) as caught:
        run(["sh", "-c", "seq 1 40; exit 3"], log=log)
    assert caught.value.code == 3
    assert caught.value.tail.split() == [str(n) for n in range(41 - TAIL_LINES, 41)]
    assert str(log) in str(caught.value)


def test_a_remedy_of_the_caller_is_shown(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="do this"):
        run(["false"], log=tmp_path / "l", remedy="do this")


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no-such-program"):
        run(["no-such-program"], log=tmp_path / "l")


def test_output_of_short_programs() -> None:
    assert output(["echo", "hi"]) == "hi"
    assert output(["false"]) is None
    assert output(["no-such-program"]) is None
    assert output(["sleep", "5"], timeout=0.05) is None
