"""`scripts/dev` from the second half on: serves, ends cleanly, ends when a part of it ends."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub import Hub, hub, wait_for
from tools import dev
from tools.cache import PROJECT

# Four Python programs start, one after the other; a busy machine takes a minute over that.
SERVE_SECONDS = 100.0


@pytest.fixture
def served() -> Iterator[Hub]:
    """A CodeHub of the test's own; nothing runs yet."""
    with hub() as made:
        yield made


class Dev:
    """One `python -m tools.dev`, with its output in a file."""

    def __init__(self, served: Hub, log: Path) -> None:
        self.hub = served
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.dev"],
                cwd=PROJECT,
                env=served.env,
                stdout=out,
                stderr=out,
            )

    def wait_until_serving(self) -> None:
        wait_for(self.shows_address, "tools.dev serves", seconds=SERVE_SECONDS)
        assert httpx.get(f"{self.hub.url}/login").status_code == 200

    def shows_address(self) -> bool:
        """Whether it said where it is; it must not have ended before."""
        text = self.log.read_text()
        assert self.process.poll() is None, text
        return "CodeHub is at" in text

    def children(self) -> dict[str, int]:
        """The process ids of runner and gateway."""
        found = {}
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        for pid in " ".join((t / "children").read_text() for t in tasks).split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found[words[3].decode()] = int(pid)
        return found

    def kill(self) -> None:
        """End it without a chance to end its children."""
        self.process.kill()
        self.process.wait()


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_it_serves_until_ctrl_c(served: Hub, tmp_path: Path) -> None:
    running = Dev(served, tmp_path / "log")
    try:
        running.wait_until_serving()
        children = running.children()
        assert set(children) == {"run", "gateway"}
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(dev.END_SECONDS) == 0
        assert "SIGINT: ending; workspaces keep running" in running.log.read_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_the_first_password_is_printed_once(served: Hub, tmp_path: Path) -> None:
    passwords = []
    for name, number in (("first", signal.SIGTERM), ("second", signal.SIGHUP)):
        running = Dev(served, tmp_path / name)
        try:
            running.wait_until_serving()
            running.process.send_signal(number)
            assert running.process.wait(dev.END_SECONDS) == 0
        finally:
            running.process.kill()
            running.process.wait()
        shown = (tmp_path / name).read_text()
        passwords.append(re.findall(r"first user is alice.*\n(?:.*\n)?(\S{12,})\n", shown))
    assert len(passwords[0]) == 1
    assert passwords[1] == []
    assert "alice" in served.run("user", "list").stdout


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_when_it_is_killed_its_children_end_too(served: Hub, tmp_path: Path) -> None:
    running = Dev(served, tmp_path / "log")
    try:
        running.wait_until_serving()
        children = running.children()
        running.kill()
        gone = lambda: not any(Path(f"/proc/{pid}").exists() for pid in children.values())  # noqa: E731
        wait_for(gone, "both are gone")
        assert len(children) == 2
    finally:
        running.kill()


@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"CODEHUB_HOST": "0.0.0.0"}, r"http://127\.0\.0\.1:\d+ "),
        ({"CODEHUB_HOST": "::1"}, r"http://\[::1\]:\d+ "),
        ({"CODEHUB_PORT": "0"}, r"http://127\.0\.0\.1:[1-9]\d+ "),
        ({"CODEHUB_BASE_URL": "https://hub.example.org"}, r"https://hub\.example\.org "),
    ],
)
def test_it_serves_wherever_the_settings_say(
    tmp_path: Path, settings: dict[str, str], shown: str
) -> None:
    with hub(settings=settings) as served:
        running = Dev(served, tmp_path / "log")
        try:
            wait_for(running.shows_address, "it serves", seconds=SERVE_SECONDS)
            assert re.search(f"CodeHub is at {shown}", running.log.read_text())
        finally:
            running.process.terminate()
            running.process.wait()


@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", ["run", "gateway"])
def test_when_one_ends_the_other_is_ended(served: Hub, tmp_path: Path, victim: str) -> None:
    running = Dev(served, tmp_path / "log")
    try:
        running.wait_until_serving()
        children = running.children()
        os.kill(children[victim], signal.SIGKILL)
        assert running.process.wait(dev.END_SECONDS) == 1
        assert f"codehub {victim} ended with -9: ending" in running.log.read_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
    finally:
        running.process.kill()
        running.process.wait()


def test_wrong_settings_end_it_at_once(served: Hub) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.dev"],
        cwd=PROJECT,
        env=served.env | {"CODEHUB_PORT": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "CODEHUB_PORT" in done.stderr


async def test_a_gateway_that_never_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "READY_SECONDS", 0.2)
    monkeypatch.setattr(dev, "COMMANDS", ())
    monkeypatch.setattr(dev.Children, "first_end", lambda _self: asyncio.Event().wait())
    assert await dev.serve("http://127.0.0.1:1", "http://127.0.0.1:1", os.environ) == 1
    assert "did not answer within" in capsys.readouterr().err


async def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = (
        "import signal, sys; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    )
    monkeypatch.setattr(dev, "END_SECONDS", 0.3)
    monkeypatch.setattr(dev, "_codehub", lambda _command: [sys.executable, "-c", deaf])
    children = dev.Children(os.environ)
    await children.start("run")
    process = children._processes["run"]
    # SIGTERM before the handler is there would end it as it ends any program.
    await asyncio.to_thread(wait_for, lambda: ignores_sigterm(process.pid), "it is deaf")
    await children.end()
    assert process.returncode == -signal.SIGKILL


def ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = re.search(r"^SigIgn:\s*(\w+)", status, re.MULTILINE)
    return bool(ignored and int(ignored[1], 16) & 1 << (signal.SIGTERM - 1))
