"""`codehub logs` and `codehub exec`: real engine, a real shell in it, a real terminal here."""

import fcntl
import hashlib
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cli.commands.exec import exec_ as exec_command
from tests.cli.conftest import Cli
from tests.cli.processes import DEADLINE, Terminal, terminal
from tests.hub import CODEHUB, Hub, hub, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

FILE = "owner: alice\nimage: codehub/code-server\nresources: {cpu: 2, memory: 1Gi, pids: 256}\n"
WARM = "owner: alice\nimage: codehub/light\nstate: warm\n"
MIB = 1 << 20


@pytest.fixture(scope="module", params=["alone", "with a daemon"])
def place(request: pytest.FixtureRequest) -> Iterator[Hub]:
    """Alice's workspace runs, Bob's does not."""
    with hub() as made:
        made.write("alice-a", FILE)
        made.write("bob-b", WARM)
        made.run("up")
        if request.param == "with a daemon":
            made.start("run")
            wait_for(made.log("run").exists, "the daemon's log")
            wait_for(lambda: "running " in made.log("run").read_text(), "the daemon")
        yield made


def exec_(
    place: Hub, *args: str, data: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [CODEHUB, "exec", *args],
        input=data,
        env=place.env,
        cwd=place.root,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def test_output_errors_and_the_exit_code_are_the_command_s(place: Hub) -> None:
    done = exec_(
        place, "alice-a", "--", "sh", "-c", "id -u; pwd; echo oops >&2; exit 3", check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, b"1000\n/home/coder\n", b"oops\n")


def test_options_stand_before_and_after_the_id_and_the_command_s_are_its_own() -> None:
    for args in (
        ("-i", "alice-a", "cat", "-A"),
        ("alice-a", "-i", "cat", "-A"),
        ("alice-a", "-i", "--", "cat", "-A"),
        ("-i", "--", "alice-a", "cat", "-A"),
    ):
        params = exec_command.make_context("exec", list(args)).params
        expected = {"name": "alice-a", "command": ("cat", "-A"), "stdin": True, "tty": False}
        assert params == expected, args


def test_input_is_passed_on_only_when_it_is_asked_for(place: Hub) -> None:
    assert exec_(place, "alice-a", "-i", "cat", "-A", data=b"a\tb\n").stdout == b"a^Ib$\n"
    assert exec_(place, "alice-a", "cat", data=b"not passed on").stdout == b""


def test_data_goes_through_and_comes_back_whole(place: Hub) -> None:
    data = os.urandom(4 * MIB)
    assert exec_(place, "-i", "alice-a", "cat", data=data).stdout == data


@pytest.mark.long
def test_much_data_goes_through_in_constant_memory(place: Hub) -> None:
    size = 100 * MIB
    digest = hashlib.sha256()
    with (
        subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE) as source,
        subprocess.Popen(
            [CODEHUB, "exec", "-i", "alice-a", "cat"],
            env=place.env,
            stdin=source.stdout,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        taken = peak = 0
        while piece := process.stdout.read(MIB):
            digest.update(piece)
            taken += len(piece)
            peak = max(peak, *(rss(one) for one in (process.pid, runner_pid(place))))
    assert (process.returncode, taken) == (0, size)
    assert digest.digest() == hashlib.sha256(bytes(size)).digest()
    assert peak < 200 * MIB


def rss(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def runner_pid(place: Hub) -> int:
    return place.processes["run"].pid if "run" in place.processes else os.getppid()


def test_it_is_refused_with_what_helps(place: Hub) -> None:
    stopped = exec_(place, "bob-b", "true", check=False)
    assert stopped.returncode == 1
    assert b"error: bob-b is not running" in stopped.stderr
    assert b"hint: Run `codehub start bob-b`" in stopped.stderr
    nobody = exec_(place, "nobody", "true", check=False)
    assert (nobody.returncode, b"has no container" in nobody.stderr) == (1, True)
    no_terminal = exec_(place, "-it", "alice-a", "bash", check=False)
    assert (no_terminal.returncode, b"leave out -t" in no_terminal.stderr) == (2, True)
    assert exec_(place, "alice-a", check=False).returncode == 2


def test_a_reader_who_goes_away_ends_it_quietly(place: Hub) -> None:
    line = f"{CODEHUB} exec alice-a yes | head -n 1"
    done = subprocess.run(
        ["sh", "-c", line], env=place.env, capture_output=True, timeout=DEADLINE, check=True
    )
    assert (done.stdout, done.stderr) == (b"y\n", b"")
    wait_for(lambda: "yes" not in commands(place), "the end of the command inside", every=0.3)


def commands(place: Hub) -> list[str]:
    """The names of what runs in Alice's workspace, kernel's own words."""
    shown = exec_(place, "alice-a", "sh", "-c", "cat /proc/[0-9]*/comm").stdout
    return shown.decode().split("\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_command_inside(place: Hub, number: int, code: int) -> None:
    script = "echo ready; exec -a waits sleep 300"
    with subprocess.Popen(
        [CODEHUB, "exec", "alice-a", "bash", "-c", script],
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(DEADLINE) == code
        assert b"Traceback" not in process.stderr.read()
    wait_for(lambda: "sleep" not in commands(place), "the end of the command inside", every=0.3)


@dataclass(frozen=True)
class Mode:
    """A terminal's settings, as far as raw mode changes them."""

    flags: tuple[object, ...]

    @classmethod
    def of(cls, shown: Terminal) -> "Mode":
        return cls(tuple(termios.tcgetattr(shown._fd)[:4]))


def resize(shown: Terminal, cols: int, rows: int) -> None:
    fcntl.ioctl(shown._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


PROMPT = "inside$ "


def bash(place: Hub) -> tuple[str, ...]:
    return ("exec", "-it", "alice-a", "env", f"PS1={PROMPT}", "bash", "--norc", "--noprofile")


def test_a_shell_at_a_terminal(place: Hub) -> None:
    with terminal(*bash(place), env=place.env) as shown:
        before = Mode.of(shown)
        shown.wait_for(PROMPT)
        assert Mode.of(shown) != before, "keys go through"
        resize(shown, 101, 31)
        shown.type("until [ \"$(stty size)\" = '31 101' ]; do sleep 0.05; done; echo si''zed\r")
        shown.wait_for("sized")
        shown.type("bash -c 'echo wait\"\"ing; exec sleep 300'\r")
        shown.wait_for("waiting")
        shown.type("\x03")
        shown.wait_for("^C")
        shown.type("echo $? go''es on\r")
        shown.wait_for("130 goes on")
        shown.type("exit 7\r")
        assert shown.end() == 7
        assert Mode.of(shown) == before, "as it was"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_is_put_back_when_it_is_ended(place: Hub, number: int) -> None:
    with terminal(*bash(place), env=place.env) as shown:
        before = Mode.of(shown)
        shown.wait_for(PROMPT)
        shown.process.send_signal(number)
        assert shown.process.wait(DEADLINE) == 128 + number
        assert Mode.of(shown) == before
    wait_for(lambda: commands(place).count("bash") == 0, "the end of the shell inside", every=0.3)


def test_logs_end_with_their_lines_and_follow_until_ctrl_c(place: Hub) -> None:
    all_ = place.run("logs", "alice-a", "--tail", "all").stdout.splitlines()
    assert any("HTTP server listening" in line for line in all_)
    assert place.run("logs", "alice-a", "-n", "2").stdout.splitlines() == all_[-2:]
    (stamped,) = place.run("logs", "alice-a", "-n", "1", "--timestamps").stdout.splitlines()
    assert stamped.endswith(all_[-1])
    assert stamped.startswith("20")
    assert place.run("logs", "alice-a", "--since", "2099-01-01T00:00:00Z").stdout == ""
    with subprocess.Popen(
        [CODEHUB, "logs", "-f", "-n", "1", "alice-a"], env=place.env, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().decode().rstrip() == all_[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130


def test_following_sees_new_lines_and_ends_with_the_container(place: Hub) -> None:
    with subprocess.Popen(
        [CODEHUB, "logs", "--follow", "--tail", "1", "alice-a"],
        env=place.env,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # Process 1 is tini, what it started is the workspace's own: its output is the log.
        exec_(place, "alice-a", "sh", "-c", "echo written now > /proc/1/fd/1")
        assert process.stdout.readline() == b"written now\n"
        place.run("stop", "alice-a")
        assert process.wait(DEADLINE) == 0
    place.run("start", "alice-a")


@pytest.mark.parametrize("args", [("-n", "0"), ("--tail", "many"), ("--since", "yesterday")])
def test_senseless_options_are_refused(cli: Cli, args: tuple[str, ...]) -> None:
    done = cli("logs", "alice-a", *args)
    assert done.exit_code == 2
    assert "must be" in done.stderr
