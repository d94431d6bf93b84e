"""The desk as a daemon has it: nudged, restarted, killed, and many edits at once beside foreign pushes."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from stacks.edits.desk import Desk
from stacks.edits.model import FileView, Outcome, Template
from stacks.errors import NotLeadingError
from stacks.git.remote import Remote
from state_index.edits import Edit, Edits
from state_index.errors import IndexBusyError
from state_index.models import utc_now
from state_index.nudge import Nudge
from tests.stacks.edits.office import ONE, Office, workspace, writable
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.git.ssh import sshd
from tests.waiting import until

WARM = workspace("state: warm\n")


class Instant:
    """A place that makes everything at once."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def refresh(self) -> None:
        pass

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        raise AssertionError(f"{workspace_id} {at}")

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        raise AssertionError(ids)

    async def templates(self) -> list[Template]:
        raise AssertionError

    async def make(self, edit: Edit) -> Outcome:
        self.made.append(edit.workspace_id)
        return Outcome(commit="c" * 40)


async def test_a_daemon_takes_what_is_asked_when_it_is_nudged(office: Office) -> None:
    place, nudges = Instant(), office.folder / "nudge"
    nudges.mkdir()
    async with office.desk(place) as desk, asyncio.TaskGroup() as group:
        keeping = group.create_task(desk.keep(nudges))
        await until(lambda: any(nudges.iterdir()))
        edit = office.ask(WARM)
        Nudge(nudges).send("runner")
        await until(lambda: office.index.edits.pending("one") is None)
        keeping.cancel()
    found = office.index.edits.get(edit.id)
    assert found is not None
    assert (found.status, found.commit, place.made) == ("done", "c" * 40, ["one"])


class Stumbling(Edits):
    """An index that is busy at the first call of each kind."""

    stumbled = 0

    def take(self, limit: int = 100) -> list[Edit]:
        self._stumble(1)
        return super().take(limit)

    def finish(
        self, edit_id: str, *, commit: str = "", url: str = "", code: str = "", error: str = ""
    ) -> None:
        self._stumble(2)
        super().finish(edit_id, commit=commit, url=url, code=code, error=error)

    def _stumble(self, times: int) -> None:
        if self.stumbled < times:
            self.stumbled += 1
            raise IndexBusyError("busy")


async def test_an_index_that_is_busy_is_asked_again(office: Office) -> None:
    database = office.index._database
    edits = Stumbling(read=database.read, write=database.write, ask=database.write, now=utc_now)
    edit = office.ask(WARM)
    async with asyncio.TaskGroup() as group:
        desk = Desk(edits, Instant(), group)
        await desk._look()
        assert edits.stumbled == 1
        ended = await desk.settled(edit)
    assert (edits.stumbled, ended.status) == (2, "done")


class Deaf(Edits):
    """An index whose answer to the first `take` is lost, after it did as it was asked."""

    lost = False

    def take(self, limit: int = 100) -> list[Edit]:
        taken = super().take(limit)
        if not self.lost:
            self.lost = True
            raise IndexBusyError("the connection is lost")
        return taken


async def test_what_was_taken_without_our_knowing_is_taken_again(office: Office) -> None:
    database, place = office.index._database, Instant()
    edits = Deaf(read=database.read, write=database.write, ask=database.write, now=utc_now)
    edit = office.ask(WARM)
    async with asyncio.TaskGroup() as group:
        desk = Desk(edits, place, group)
        await desk._look()
        left = edits.get(edit.id)
        assert (left and left.status, place.made) == ("taken", [])
        ended = await asyncio.wait_for(desk.settled(edit), 20)
    assert (ended.status, place.made) == ("done", ["one"])


class Slow(Instant):
    """A place that waits until it may go on, and is asked for what is under way once more."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def make(self, edit: Edit) -> Outcome:
        made = await super().make(edit)
        await self.go_on.wait()
        return made


async def test_who_asks_for_many_waits_for_themselves(office: Office) -> None:
    place = Slow()
    for n in range(4):
        office.ask(WARM, id_=f"a{n}", base="b", actor="alice")
    async with office.desk(place) as desk:
        await desk._take()
        await until(lambda: place.made)
        office.ask(WARM, id_="bobs", base="b", actor="bob")
        await desk._take()
        await until(lambda: len(desk._turn._waiting) == 4)
        place.go_on.set()
        await until(lambda: not desk._running)
    assert place.made == ["a0", "bobs", "a1", "a2", "a3"]


async def test_what_is_under_way_is_not_taken_twice(office: Office) -> None:
    place, database = Slow(), office.index._database
    edits = Deaf(read=database.read, write=database.write, ask=database.write, now=utc_now)
    edits.lost = True
    office.ask(WARM)
    async with asyncio.TaskGroup() as group:
        desk = Desk(edits, place, group)
        await desk._take()
        await until(lambda: place.made)
        edits.lost = False
        two = office.ask(WARM, id_="two")
        await desk._look()
        await desk._look()
        assert set(desk._running) >= {two.id}
        place.go_on.set()
    assert place.made == ["one", "two"]


class Odd(Instant):
    """A place whose outcome no database takes."""

    async def make(self, edit: Edit) -> Outcome:
        await super().make(edit)
        return Outcome(url=edit)  # type: ignore[arg-type]


class Mute(Edits):
    """An index that takes no end of an edit at all."""

    def finish(self, edit_id: str, **_: str) -> None:
        raise ValueError(edit_id)


async def test_an_outcome_that_can_not_be_told_ends_its_edit_and_not_the_runner(
    office: Office,
) -> None:
    [ended] = await office.settled(office.ask(WARM), place=Odd())
    assert (ended.status, ended.code) == ("failed", "EDIT_FAILED")
    assert "runner's log" in ended.error
    database, edit = office.index._database, office.ask(WARM)
    edits = Mute(read=database.read, write=database.write, ask=database.write, now=utc_now)
    async with asyncio.TaskGroup() as group:
        await Desk(edits, Instant(), group)._finish(edit, Outcome())


async def test_who_does_not_lead_takes_none(office: Office) -> None:
    lease = office.index.lease("one")
    former = lease.acquire()
    assert former is not None
    lease.release()
    office.index.lease("two").acquire()
    edit = office.ask(WARM)
    async with asyncio.TaskGroup() as group:
        desk = Desk(office.index.under(former).edits, Instant(), group)
        with pytest.raises(NotLeadingError):
            await desk._look()
        await desk._finish(edit, Outcome())
    assert office.index.edits.get(edit.id) == edit


KILLED = """
import asyncio, os, sys
from pathlib import Path
from stacks.edits import branch
from stacks.edits.desk import Desk
from state_index.index import Index
from tests.stacks.edits.office import Office
from tests.stacks.git.serving import Served

folder, port = Path(sys.argv[1]), int(sys.argv[2])
pushed = branch.push

async def push(*args, **kwargs):
    assert not await pushed(*args, **kwargs)
    os.kill(os.getpid(), 9)

branch.push = push

async def main():
    with Index.open(f"sqlite:///{folder}/index.db") as index:
        office = Office(folder, None, Served(root=folder, port=port), index)
        async with office.desk(office.branch()) as desk:
            await desk.settled(index.edits.newest("one")[0])

asyncio.run(main())
"""


async def test_a_runner_that_is_killed_after_the_push_leaves_one_commit(office: Office) -> None:
    edit = office.ask(WARM)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(office.folder), str(office.served.port)),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert await process.wait() == -signal.SIGKILL
    left = office.index.edits.get(edit.id)
    assert left is not None
    assert (left.status, office.text(ONE)) == ("taken", WARM.encode())
    async with office.desk(office.branch()) as desk:
        await desk.reopen()
        ended = await desk.settled(edit)
    assert (ended.status, ended.commit) == ("done", office.head)
    assert office.repository.call("rev-list", "--count", "main") == "2"
    assert list((office.folder / "edits").iterdir()) == [], "what it left is gone"


async def race(office: Office, number: int, foreign: int) -> None:
    """Edits of different workspaces, all at once, while somebody else pushes to the same server."""
    ids = [f"w{n:02}" for n in range(number)]
    office.repository.commit({f"ws/{id_}.yaml": WORKSPACE for id_ in ids})
    office.repository.call("config", "receive.denyCurrentBranch", "ignore")
    edits = [office.ask(f"# by {id_}\n{WARM}", id_=id_, actor=id_, admin=True) for id_ in ids]
    other = Repository(office.folder / "other")
    other.call("remote", "add", "hub", str(office.repository.folder))

    async def pushes() -> None:
        for n in range(foreign):
            await asyncio.to_thread(_push, other, n)
            await asyncio.sleep(random.uniform(0, 0.05))

    async with asyncio.TaskGroup() as group:
        group.create_task(pushes())
        ended = await office.settled(*edits)
    assert {(one.status, one.error) for one in ended} == {("done", "")}
    for id_ in ids:
        assert office.text(f"ws/{id_}.yaml") == f"# by {id_}\n{WARM}".encode()
    names = office.repository.call("ls-tree", "--name-only", "main").split()
    assert {f"foreign-{n}.md" for n in range(foreign)} < set(names)
    assert len({one.commit for one in ended}) == number
    count = office.repository.call("rev-list", "--count", "--first-parent", "main")
    assert int(count) >= number


def _push(other: Repository, number: int) -> None:
    """Push as people do: pull, commit, push, and again when somebody was faster."""
    while True:
        other.call("fetch", "-q", "hub", "main")
        other.call("reset", "-q", "--hard", "FETCH_HEAD")
        other.commit({f"foreign-{number}.md": b"mine\n"})
        try:
            other.call("push", "-q", "hub", "HEAD:main")
        except Exception:  # noqa: BLE001 - overtaken
            continue
        return


async def test_no_edit_and_no_push_is_lost(office: Office) -> None:
    await race(office, 6, 4)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_of_fifty_none_is_lost(office: Office) -> None:
    await race(office, 50, 30)


async def test_over_ssh_with_a_key_and_by_the_file_system(office: Office) -> None:
    repository = writable(office.folder / "elsewhere")
    repository.commit({ONE: WORKSPACE, "ws/two.yaml": WORKSPACE})
    with sshd(office.folder / "sshd") as running:
        remote = Remote(
            url=running.url(repository.folder),
            branch="main",
            key_file=running.key,
            known_hosts=running.known_hosts,
        )
        [ended] = await office.settled(office.ask(WARM), place=office.branch(remote=remote))
        assert (ended.status, ended.error) == ("done", "")
    place = office.branch(url=f"file://{repository.folder}")
    edit = office.ask(workspace("state: running\n"), id_="two")
    [ended] = await office.settled(edit, place=place)
    assert (ended.status, ended.commit) == ("done", repository.call("rev-parse", "main"))
    assert repository.call("rev-list", "--count", "main") == "3"
