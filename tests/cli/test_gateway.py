"""`codehub gateway`: a real server as a real process."""

import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.conftest import Cli


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_on_a_signal(place: Path, sig: signal.Signals) -> None:
    with subprocess.Popen(
        [*processes.COMMAND, "gateway", "--port", "0"],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            url = ""
            while not url:
                line = process.stderr.readline()
                assert line, "it ended"
                url = "".join(re.findall(r"serving on (http://\S+)", line))
            with urllib.request.urlopen(f"{url}/login", timeout=20) as answer:
                assert answer.status == 200
            process.send_signal(sig)
            assert process.wait(20) == 0
            assert process.stdout is not None
            assert process.stdout.read() == ""
        finally:
            process.kill()


def test_a_taken_port_is_one_line(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = cli("gateway", "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "Can't listen on 127.0.0.1" in result.stderr


def test_a_wrong_port_is_bad_input(cli: Cli) -> None:
    assert cli("gateway", "--port", "99999").exit_code == 2
