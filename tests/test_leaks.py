"""What looks for secrets finds one that is there."""

import subprocess
import sys
from pathlib import Path

from tests import leaks
from tests.hub import wait_for

CANARY = "hF3kR8wQ1zVn6XbT0yLs"


def test_it_finds_an_argument_and_a_file(tmp_path: Path) -> None:
    wait = "import sys; sys.stdin.read()"
    with (
        leaks.in_arguments([CANARY]) as seen,
        subprocess.Popen([sys.executable, "-c", wait, CANARY], stdin=subprocess.PIPE),
    ):
        wait_for(lambda: seen, "the argument")
    assert [line for line in seen if wait in line]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\xff" + CANARY.encode())
    (tmp_path / "other").write_text("nothing")
    assert leaks.in_files(tmp_path, [CANARY]) == [tmp_path / "deep" / "file"]
