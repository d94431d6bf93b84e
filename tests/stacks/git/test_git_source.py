"""A branch as the source: what counts, what removes nothing, and how often the repository is asked."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from stacks.board import Context
from stacks.errors import PublishFailedError
from stacks.git.commits import Commits
from stacks.source import Snapshot
from state_index.models import Changes
from state_index.nudge import send
from state_index.phases import Event, Sync
from state_index.repository import LISTENER, Followed
from tests.stacks.git.desk import ONE, TWO, Desk
from tests.stacks.git.repository import WORKSPACE
from tests.waiting import until


async def test_the_branchs_head_is_what_counts(desk: Desk) -> None:
    source = desk.source()
    first = await source.read()
    assert (first.commit, first.complete) == (desk.repository.call("rev-parse", "HEAD"), True)
    assert first.specs.keys() == {"one", "two"}
    assert await source.glance() is first
    commit = desk.repository.commit({ONE: WORKSPACE + b"state: warm\n"})
    assert (await source.glance()).commit == first.commit, "nobody asked"
    second = await source.read()
    assert (second.commit, second.specs["one"].state) == (commit, "warm")
    assert second.specs["two"] is first.specs["two"], "its file is as it was: not read again"
    followed = desk.index.repository.followed()
    assert (followed.branch, followed.path, followed.head) == ("main", "ws", commit)


async def test_an_outage_leaves_the_last_commit_in_force_and_removes_nothing(desk: Desk) -> None:
    source = desk.source()
    before = await source.read()
    desk.served.down = True
    found = await source.read()
    assert (found.specs, found.commit) == (before.specs, before.commit)
    assert (found.complete, found.stale, found.unreadable) == (False, True, False)
    assert "git fetch" in found.error
    assert desk.index.repository.followed().error == found.error
    again = await desk.source().glance()
    assert (again.specs, again.complete, again.stale) == (before.specs, False, True)
    desk.served.down = False
    assert (await source.read()).complete
    assert desk.index.repository.followed().error == ""


async def test_without_a_copy_an_outage_says_nothing_of_any_workspace(desk: Desk) -> None:
    desk.served.down = True
    found = await desk.source().glance()
    assert (found.ids, found.complete, found.unreadable) == (frozenset(), False, True)
    assert desk.served.headers, "it was asked, though only known things were wanted"


@pytest.mark.parametrize("fault", ["folder", "branch"])
async def test_a_missing_folder_or_branch_leaves_what_counted(desk: Desk, fault: str) -> None:
    source = desk.source()
    before = await source.read()
    await desk.applied(before)
    if fault == "folder":
        desk.repository.call("rm", "-rq", "ws")
        desk.repository.commit({"README.md": b"moved"})
    else:
        desk.repository.call("branch", "-m", "elsewhere")
    for one in (source, desk.source()):
        found = await one.read()
        assert (found.specs, found.complete, found.stale) == (before.specs, False, True)
        assert ("no folder ws" if fault == "folder" else "shows no branch main") in found.error


async def test_an_empty_folder_counts_and_removes_nothing(desk: Desk) -> None:
    source = desk.source()
    await desk.applied(await source.read())
    desk.repository.commit({ONE: None, TWO: None, "ws/_owners.yaml": b"{}"})
    found = await source.read()
    assert (found.ids, found.complete, found.stale) == (frozenset(), False, False)
    assert "no workspace file" in found.error
    await desk.applied(found)
    base = desk.index.repository.followed().base
    assert base == desk.repository.call("rev-parse", "HEAD~1")


async def test_a_removal_by_a_following_commit_is_complete(desk: Desk) -> None:
    source = desk.source()
    await desk.has("one", "two")
    await desk.applied(await source.read())
    desk.repository.commit({TWO: None})
    assert (await source.read()).complete


async def test_a_rewritten_branch_removes_nothing_until_someone_says_so(desk: Desk) -> None:
    source = desk.source()
    await desk.has("one", "two")
    await desk.applied(await source.read())
    desk.repository.call("rm", "-q", "--cached", TWO)
    desk.repository.call("commit", "-q", "--amend", "-m", "without two")
    found = await source.read()
    assert (set(found.specs), found.complete, found.stale) == ({"one"}, False, False)
    assert "lacks 1 workspace that" in found.error
    await desk.applied(found)
    desk.repository.call("commit", "-q", "--allow-empty", "-m", "on top of it")
    assert not (await source.read()).complete, "another commit on top is no consent"
    assert not (await desk.source().read()).complete, "neither is a restart"
    await source.allow()
    assert (await source.read()).complete


async def test_a_rewritten_branch_that_lacks_nothing_is_as_any_other(desk: Desk) -> None:
    source = desk.source()
    await desk.has("one", "two")
    await desk.applied(await source.read())
    desk.repository.call("commit", "-q", "--amend", "-m", "another message")
    found = await source.read()
    assert found.complete
    await desk.applied(found)
    desk.repository.commit({TWO: None})
    assert (await source.read()).complete


async def test_another_folder_or_a_first_commit_removes_nothing_that_is_there(desk: Desk) -> None:
    await desk.has("one", "two", "three")
    found = await desk.source().read()
    assert not found.complete
    assert "is the first one seen, and lacks 1 workspace" in found.error
    source = desk.source()
    await source.allow()
    await desk.applied(await source.read())
    desk.repository.commit({"other/one.yaml": WORKSPACE})
    elsewhere = await desk.source(path="other").read()
    assert not elsewhere.complete
    followed = desk.index.repository.followed()
    assert (followed.path, followed.base, followed.attempted) == ("other", "", "")


async def test_nobody_allows_what_is_empty_or_was_not_had(desk: Desk) -> None:
    source = desk.source()
    desk.served.down = True
    await source.allow()
    desk.served.down = False
    desk.repository.commit({ONE: None, TWO: None})
    await source.allow()
    assert desk.index.repository.followed().base == ""


async def test_a_pause_keeps_the_commit_that_counted_whatever_is_restarted(desk: Desk) -> None:
    source = desk.source()
    before = await source.read()
    await desk.applied(before)
    desk.index.repository.pause(actor="alice")
    commit = desk.repository.commit({TWO: None})
    for one in (source, desk.source()):
        found = await one.read()
        assert (found.commit, found.specs) == (before.commit, before.specs)
    assert desk.index.repository.followed().head == commit
    desk.index.repository.resume()
    assert (await source.read()).commit == commit


async def test_a_commit_that_is_paused_at_and_gone_discards_no_copy(desk: Desk) -> None:
    source = desk.source()
    before = await source.read()
    await desk.applied(before)
    desk.index.repository.pause(actor="alice")
    desk.index.repository.tell(attempted="f" * 40)
    found = await source.read()
    assert (found.specs, found.stale, found.complete) == (before.specs, True, False)
    assert not (desk.folder / "mirror.git.broken").exists()


async def test_a_broken_copy_is_made_anew_and_what_counted_counts_on(desk: Desk) -> None:
    source = desk.source()
    before = await source.read()
    desk.repository.commit({ONE: WORKSPACE + b"state: warm\n"})
    await source._fetch()
    for pack in (desk.folder / "mirror.git/objects/pack").iterdir():
        pack.unlink()
    found = await source.glance()
    assert (found.specs, found.stale, found.complete) == (before.specs, True, False)
    assert "copied anew" in found.error
    assert (await source.read()).specs["one"].state == "warm"


async def test_of_many_who_read_at_once_two_fetches_are_for_all(desk: Desk) -> None:
    source = desk.source()
    async with asyncio.TaskGroup() as group:
        readings = [group.create_task(source.read()) for _ in range(20)]
    assert {reading.result().commit for reading in readings} == {
        desk.repository.call("rev-parse", "HEAD")
    }
    assert desk.served.asked == 2


async def test_a_nudge_or_an_asking_brings_a_commit_at_once(desk: Desk) -> None:
    source = desk.source(poll=3600)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(source.keep())
        changes = source.changes()
        await anext(changes)
        asks: list[Callable[[], int]] = [
            lambda: send(desk.nudges, LISTENER),
            desk.index.repository.ask,
        ]
        for ask in asks:
            commit = desk.repository.commit({ONE: f"# {id(ask)}\n".encode() + WORKSPACE})
            ask()
            await anext(changes)
            assert (await source.glance()).commit == commit
        keeping.cancel()


async def test_a_flood_of_nudges_is_one_fetch_and_one_more(desk: Desk) -> None:
    source = desk.source(poll=3600)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(source.keep())
        await until(lambda: desk.served.asked == 1)
        for _ in range(500):
            send(desk.nudges, LISTENER)
            desk.index.repository.ask()
        await until(lambda: desk.served.asked >= 2)
        commit = desk.repository.call("rev-parse", "HEAD")
        await until(lambda: desk.index.repository.followed().head == commit)
        assert desk.served.asked <= 3
        keeping.cancel()


async def test_it_is_polled_and_a_pause_is_seen_when_it_begins_and_ends(desk: Desk) -> None:
    source = desk.source(poll=0.3)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(source.keep())
        await until(lambda: desk.served.asked >= 3)
        changes = source.changes()
        await anext(changes)
        desk.index.repository.pause(actor="alice")
        await anext(changes)
        desk.index.repository.resume()
        await anext(changes)
        keeping.cancel()


async def test_what_is_no_workspace_file_stops_only_itself(desk: Desk) -> None:
    repository = desk.repository
    (repository.folder / "ws/link.yaml").symlink_to("/etc/passwd")
    commit = repository.commit(
        {
            "ws/huge.yaml": bytes(100 << 20),
            "ws/-rf.yaml": WORKSPACE,
            "ws/caf\udce9.yaml": WORKSPACE,
            "ws/_policies.yaml": b"{}",
        }
    )
    repository.put("160000", commit, "ws/sub.yaml")
    found = await desk.source().read()
    assert found.specs.keys() == {"one", "two"}
    told = {id_: problems[0].message for id_, problems in found.invalid.items()}
    assert told.keys() - {"huge", "link", "sub", "-rf"} == {"caf\\udce9"}
    assert told["huge"] == "the file has more than 64 KiB"
    assert told["link"] == "is a symbolic link"
    assert told["sub"] == "is a submodule"
    assert found.complete


@pytest.mark.long
async def test_ten_thousand_files(desk: Desk) -> None:
    desk.repository.commit({f"ws/w{number}.yaml": WORKSPACE for number in range(10_000)})
    source = desk.source()
    first = await source.read()
    assert len(first.specs) == 10_002
    desk.repository.commit({"ws/w7.yaml": WORKSPACE + b"state: warm\n"})
    second = await source.read()
    same = [id_ for id_ in first.specs if second.specs[id_] is first.specs[id_]]
    assert len(same) == 10_001


async def test_a_copy_that_can_not_be_written_is_told(desk: Desk) -> None:
    source = desk.source()
    before = await source.read()
    desk.repository.commit({TWO: None})
    lock = desk.folder / "mirror.git.lock"
    lock.unlink()
    lock.mkdir()
    found = await source.read()
    assert (found.specs, found.complete) == (before.specs, False)
    assert "can't be written: is a directory" in found.error


async def test_an_index_that_is_away_ends_no_looking(desk: Desk) -> None:
    source = desk.source(poll=3600)
    async with asyncio.TaskGroup() as group:
        with closing(sqlite3.connect(desk.folder / "index.db")) as other:
            other.execute("ALTER TABLE repository_wishes RENAME TO away")
            keeping = group.create_task(source.keep())
            await until((desk.nudges / "repository.sock").exists)
            with pytest.raises(PublishFailedError):
                await source.glance()
            other.execute("ALTER TABLE away RENAME TO repository_wishes")
        await until(lambda: desk.served.asked == 1)
        keeping.cancel()


class Idle:
    """A queue in which nothing is worked on."""

    def is_busy(self, workspace_id: str) -> bool:  # noqa: ARG002
        return False


async def test_a_commit_is_judged_whenever_a_row_changes(desk: Desk) -> None:
    snapshot = await desk.source().read()
    commits, why = Commits(desk.board, prunes=True), Context(cause="test")
    await commits.begun(snapshot)
    followed = desk.index.repository.followed
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(commits.keep(Idle()))
        commits.dispatched(snapshot)
        await until(lambda: followed().waiting == ("one", "two"))
        failed = Changes(owner="alice", message="no image")
        await desk.board.say("one", why, Event.PROVISION, Event.FAILED, changes=failed)
        await until(lambda: followed().failures == {"one": "no image"})
        for id_, spec in snapshot.specs.items():
            told = Changes(owner="alice", sync=Sync.SYNCED, spec_json=spec.model_dump_json())
            await desk.board.say(id_, why, Event.PROVISION, Event.READY, changes=told)
        await until(lambda: followed().applied == snapshot.commit)
        assert (followed().waiting, followed().failures) == ((), {})
        keeping.cancel()


async def test_what_failed_of_a_former_commit_is_not_told_of_the_next(desk: Desk) -> None:
    source, commits = desk.source(), Commits(desk.board, prunes=True)
    first = await source.read()
    await commits.begun(first)
    desk.index.repository.tell(failures={"one": "no image"})
    await commits.begun(first)
    assert desk.index.repository.followed().failures, "it is the same commit"
    desk.repository.commit({ONE: WORKSPACE + b"state: warm\n"})
    second = await source.read()
    await commits.begun(second)
    followed = desk.index.repository.followed()
    assert (followed.waiting, followed.failures) == (("one", "two"), {})
    desk.index.repository.tell(waiting=("two",))
    assert await commits.judge(first, Idle().is_busy)
    assert desk.index.repository.followed().waiting == ("two",), "the former one counts no more"


async def test_an_index_that_is_away_ends_no_judging(desk: Desk) -> None:
    snapshot = await desk.source().read()
    commits = Commits(desk.board, prunes=True)
    async with asyncio.TaskGroup() as group:
        with closing(sqlite3.connect(desk.folder / "index.db")) as other:
            other.execute("ALTER TABLE repository RENAME TO away")
            commits.dispatched(snapshot)
            assert await commits._try(snapshot, Idle())
            keeping = group.create_task(commits.keep(Idle()))
            other.execute("ALTER TABLE away RENAME TO repository")
        await until(lambda: desk.index.repository.followed().waiting == ("one", "two"))
        keeping.cancel()


async def test_a_folder_has_no_commit_to_judge(desk: Desk) -> None:
    commits = Commits(desk.board, prunes=True)
    await commits.begun(Snapshot())
    commits.dispatched(Snapshot())
    assert not await commits.judge(Snapshot(), Idle().is_busy)
    assert desk.index.repository.followed() == Followed()
