"""The daemon's API and its client over a real socket, around a runner that answers as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import aiohttp
import pytest

from gateway.controllers.workspaces import TAIL_MAX
from gateway.pages.render import TAILS
from stacks import api, wanted
from stacks.asking import Revision
from stacks.changes import WorkspaceChange
from stacks.client import RunnerClient
from stacks.edits.model import FileView, Outcome, Template
from stacks.errors import (
    BadRequestError,
    EditConflictError,
    EngineUnavailableError,
    FileStandsError,
    GitError,
    NotConfirmedError,
    NothingToRetryError,
    NoVersionError,
    PolicyViolationError,
    RunnerUnreachableError,
    StacksError,
    UnknownWorkspaceError,
    Violation,
    from_json,
)
from stacks.gc.model import Fate, Item, Kind
from stacks.looks import Comparison, Line, TouchingCommit
from stacks.operator import MAX_LOG_TAIL
from stacks.steps import OnStep, Result, Step
from stacks.streams.model import ExecOptions, LogOptions, Process, Streams
from telemetry import context
from tests.stacks.edits.told_files import ToldFiles
from tests.waiting import until


class _NoStreams:
    """None are asked for here; `tests.stacks.streams` has others."""

    def logs(
        self, workspace_id: str, wanted: LogOptions
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError(f"{workspace_id}, {wanted}")

    def exec(self, workspace_id: str, wanted: ExecOptions) -> AbstractAsyncContextManager[Process]:
        raise AssertionError(f"{workspace_id}, {wanted}")


class Told(ToldFiles):
    """A runner that answers as it was told, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[object] = []
        self.failure: Exception | None = None
        self.refusal: Exception | None = None
        self.streams: Streams = _NoStreams()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.left: list[Item] = []
        self.removed: list[Item] = []
        self.compared: Comparison | None = None
        self.touching: list[TouchingCommit] = []

    async def was_asked(self) -> bool:
        return bool(self.asked)

    async def preview(self, ids: Iterable[str] | None = None) -> list[WorkspaceChange]:
        self.asked.append(("preview", ids))
        await self.go_on.wait()
        return [WorkspaceChange(id="alice", action="create", sync="OutOfSync")]

    async def up(
        self,
        ids: Iterable[str] | None = None,
        *,
        on_step: OnStep | None = None,
        prune: bool | None = None,
        max_delete: int | None = None,
        revision: Revision | None = None,
        now: bool = False,
        actor: str = "",
        request_id: str = "",
    ) -> list[Result]:
        self.asked += [("revision", revision)] if revision is not None else []
        self.asked += ["now"] if now else []
        self.asked += [("actor", actor)] if actor else []
        self.asked.append(("up", ids, prune, request_id))
        self.asked += [("max_delete", max_delete)] if max_delete is not None else []
        assert on_step is not None
        if self.refusal:
            raise self.refusal
        for workspace in ("alice", "bob"):
            on_step(Step(id=workspace, phase="PROVISIONING", step="image"))
        await self.go_on.wait()
        if self.failure:
            raise self.failure
        return [Result(id="alice", action="create", phase="RUNNING")]

    async def _one(
        self, kind: str, workspace_id: str, on_step: OnStep | None, request_id: str
    ) -> Result:
        self.asked.append((kind, workspace_id, request_id))
        if self.refusal:
            raise self.refusal
        if on_step:
            on_step(Step(id=workspace_id, phase="", step=kind))
        if self.failure:
            raise self.failure
        return Result(id=workspace_id, action=kind)

    async def destroy(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked += [("actor", actor)] if actor else []
        return await self._one("destroy", workspace_id, on_step, request_id)

    async def start(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("actor", actor))
        return await self._one("start", workspace_id, on_step, request_id)

    async def stop(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("actor", actor))
        return await self._one("stop", workspace_id, on_step, request_id)

    async def retry(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("actor", actor))
        return await self._one("retry", workspace_id, on_step, request_id)

    async def purge(
        self,
        workspace_id: str,
        *,
        confirm: str,
        forget_missing: bool = False,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("confirmed", confirm, actor))
        if forget_missing:
            self.asked.append(("forget missing", confirm, actor))
        return await self._one("purge", workspace_id, on_step, request_id)

    async def adopt(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        owner: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("confirmed", confirm, actor))
        self.asked.append(("owner", owner))
        return await self._one("adopt", workspace_id, on_step, request_id)

    async def new_home(
        self,
        workspace_id: str,
        *,
        confirm: str = "",
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        self.asked.append(("confirmed", confirm, actor))
        return await self._one("new-home", workspace_id, on_step, request_id)

    async def rebuild(
        self, *, actor: str = "", on_step: OnStep | None = None, request_id: str = ""
    ) -> list[Result]:
        self.asked.append(("rebuild", actor))
        return [await self._one("rebuild", "alice", on_step, request_id)]

    async def diff(self, workspace_id: str) -> Comparison:
        self.asked.append(("diff", workspace_id))
        if self.refusal:
            raise self.refusal
        return self.compared or Comparison(id=workspace_id)

    async def file_commits(
        self, workspace_id: str, *, limit: int = 20, diff: bool = False
    ) -> list[TouchingCommit]:
        self.asked.append(("commits", workspace_id, limit, diff))
        if self.refusal:
            raise self.refusal
        return self.touching

    async def gc(
        self, *, remove: bool = False, only: Iterable[str] | None = None, actor: str = ""
    ) -> list[Item]:
        self.asked.append(("gc", remove, only, actor))
        return list(self.removed if remove else self.left)

    async def logs(self, workspace_id: str, *, tail: int = 200) -> str:
        self.asked.append(("logs", workspace_id, tail, context.request_id()))
        if self.failure:
            raise self.failure
        return "first\nlast ü\n"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def socket(told: Told, tmp_path: Path) -> AsyncIterator[Path]:
    # Deeper than a socket address can say.
    path = tmp_path / ("d" * 120) / "runner.sock"
    path.parent.mkdir()
    path.write_text("what a dead daemon left")
    async with api.serving(path, told, {"pid": 7}):
        yield path
    assert not path.exists()


@pytest.fixture
async def client(socket: Path) -> AsyncIterator[RunnerClient]:
    async with RunnerClient(socket) as client:
        yield client


@asynccontextmanager
async def raw(socket: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for calls that the client would not make."""
    near = socket.parent.parent / "near"
    near.symlink_to(socket.parent)
    connector = aiohttp.UnixConnector(str(near / socket.name))
    async with aiohttp.ClientSession("http://runner", connector=connector) as session:
        yield session


async def test_up_streams_steps_and_results(told: Told, client: RunnerClient) -> None:
    steps: list[Step] = []
    results = await client.up(on_step=steps.append, prune=True, request_id="request-0003")
    assert results == [Result(id="alice", action="create", phase="RUNNING")]
    assert [step.id for step in steps] == ["alice", "bob"]
    assert told.asked == [("up", None, True, "request-0003")]
    steps.clear()
    await client.up(["alice"], on_step=steps.append)
    assert [step.id for step in steps] == ["alice"], "only of those that were named"


async def test_leftovers_are_told_and_removed(told: Told, client: RunnerClient) -> None:
    told.left = [Item(kind=Kind.STATE, id="x", name="stack x", why="test", size=7)]
    told.removed = [replace(told.left[0], fate=Fate.REMOVED)]
    assert await client.gc() == told.left
    assert client.handed_over == []
    assert await client.gc(remove=True, only=["state:x"], actor="cli:a") == told.removed
    await client.gc(remove=True)
    assert told.asked == [
        ("gc", False, None, ""),
        ("gc", True, ("state:x",), "cli:a"),
        ("gc", True, None, ""),
    ]


@pytest.mark.parametrize("options", [{"remove": "yes"}, {"remove": True, "only": "x"}])
def test_a_gc_that_is_not_meant_so_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(BadRequestError, match="remove"):
        wanted.parse(json.dumps({"kind": "gc", "options": options}).encode())


async def test_the_other_calls(told: Told, client: RunnerClient) -> None:
    assert (await client.preview(["alice"]))[0].action == "create"
    assert (await client.start("alice", request_id="request-0004")).action == "start"
    assert (await client.stop("alice")).action == "stop"
    assert (await client.destroy("alice")).action == "destroy"
    assert await client.logs("alice", tail=3) == "first\nlast ü\n"
    assert await client.status() == {"pid": 7}
    assert ("preview", ("alice",)) in told.asked
    assert ("start", "alice", "request-0004") in told.asked


@pytest.mark.parametrize("kind", ["start", "stop"])
async def test_who_asks_for_a_start_or_a_stop_goes_through(
    told: Told, client: RunnerClient, kind: str
) -> None:
    call = {"start": client.start, "stop": client.stop}[kind]
    await call("alice", actor="cli:root", request_id="request-0008")
    await call("alice")
    assert told.asked[:3] == [("actor", "cli:root"), (kind, "alice", "request-0008"), ("actor", "")]


async def test_who_asks_for_a_retry_goes_through(told: Told, client: RunnerClient) -> None:
    steps: list[Step] = []
    done = await client.retry(
        "alice", actor="cli:root", on_step=steps.append, request_id="request-0007"
    )
    assert done == Result(id="alice", action="retry")
    assert told.asked == [("actor", "cli:root"), ("retry", "alice", "request-0007")]
    assert [step.step for step in steps] == ["retry"]
    told.failure = NothingToRetryError("alice is WARM: nothing failed")
    with pytest.raises(NothingToRetryError, match="alice is WARM"):
        await client.retry("alice")
    assert told.asked[-2] == ("actor", "")


async def test_a_typed_name_and_who_typed_it_go_through(told: Told, client: RunnerClient) -> None:
    done = await client.purge("alice", confirm="alice", actor="cli:root")
    assert done == Result(id="alice", action="purge")
    assert told.asked[0] == ("confirmed", "alice", "cli:root")
    await client.purge("alice", confirm="alice", forget_missing=True)
    assert ("forget missing", "alice", "") in told.asked
    told.failure = NotConfirmedError("it must be typed")
    with pytest.raises(NotConfirmedError, match="it must be typed"):
        await client.purge("alice", confirm="")
    assert told.asked[-2] == ("confirmed", "", "")


async def test_how_many_may_be_pruned_goes_through(told: Told, client: RunnerClient) -> None:
    await client.up(prune=True, max_delete=0, on_step=lambda _: None)
    assert told.asked[-1] == ("max_delete", 0)
    revision = Revision(commit="a" * 40, allow_older=True)
    await client.up(revision=revision, on_step=lambda _: None)
    assert ("revision", revision) in told.asked


async def test_a_look_at_the_columns(told: Told, client: RunnerClient) -> None:
    told.compared = Comparison(id="alice", lines=(Line(key="memory", file="4Gi", differs=True),))
    assert await client.diff("alice") == told.compared
    assert (told.asked, client.handed_over) == ([("diff", "alice")], [])
    told.refusal = UnknownWorkspaceError("there is no workspace alice")
    with pytest.raises(UnknownWorkspaceError):
        await client.diff("alice")


async def test_commits_of_a_file(told: Told, client: RunnerClient) -> None:
    told.touching = [TouchingCommit(commit="c0ffee", author="Alice", at="2026", subject="Make it")]
    assert await client.file_commits("alice", limit=3, diff=True) == told.touching
    assert await client.file_commits("alice") == told.touching
    assert told.asked == [("commits", "alice", 3, True), ("commits", "alice", 20, False)]
    told.refusal = GitError("the copy of the repository can't be read")
    with pytest.raises(GitError):
        await client.file_commits("alice")


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=", "diff=yes", "limit=%C2%B2"])
async def test_commits_are_asked_for_strictly(told: Told, client: RunnerClient, query: str) -> None:
    name, _, value = query.partition("=")
    with pytest.raises(BadRequestError):
        await client.ask("/v1/workspaces/alice/commits", query=[(name, unquote(value))])
    assert told.asked == []


async def test_that_no_window_is_waited_for_goes_through(told: Told, client: RunnerClient) -> None:
    await client.up(now=True, on_step=lambda _: None)
    assert told.asked[0] == "now"


async def test_a_request_id_goes_through(told: Told, client: RunnerClient) -> None:
    with context.bind(request_id="request-0005"):
        await client.logs("alice")
    assert told.asked[-1] == ("logs", "alice", 200, "request-0005")


@pytest.mark.parametrize(
    "failure",
    [
        FileStandsError("its file stands", step="destroy"),
        EngineUnavailableError("no answer", step="list", delay=3),
        PolicyViolationError((Violation(rule="limits", resource="container", message="none"),)),
        UnknownWorkspaceError("nobody"),
    ],
)
async def test_errors_keep_their_kind(
    told: Told, client: RunnerClient, failure: StacksError
) -> None:
    told.failure = failure
    for call in (client.up(), client.destroy("alice"), client.logs("alice")):
        with pytest.raises(type(failure)) as caught:
            await call
        assert caught.value.to_json() == failure.to_json()


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (NotConfirmedError("it must be typed"), 400),
        (UnknownWorkspaceError("nobody"), 404),
        (FileStandsError("its file stands", step="purge"), 409),
        (EngineUnavailableError("no answer", step="list"), 503),
    ],
)
@pytest.mark.parametrize("kind", ["purge", "adopt", "new-home", "up"])
async def test_what_is_refused_has_a_status(
    told: Told, socket: Path, failure: StacksError, status: int, kind: str
) -> None:
    told.refusal = failure
    async with raw(socket) as session:
        body = {"kind": kind, "ids": ["alice"], "options": {"confirm": "alice"}}
        response = await session.post("/v1/operations", json=body)
        assert response.status == status
        assert await response.json() == {"error": failure.to_json()}


async def test_what_is_refused_is_not_handed_over(told: Told, client: RunnerClient) -> None:
    told.refusal = FileStandsError("its file stands", step="purge")
    with pytest.raises(FileStandsError):
        await client.purge("alice", confirm="alice")
    assert client.handed_over == []


def test_an_unknown_error_is_a_lasting_one() -> None:
    error = from_json({"reason": "FROM_THE_FUTURE", "message": "what?"})
    assert error.reason == "PERMANENT"
    assert error.message == "what?"


async def test_the_work_goes_on_when_the_client_goes(told: Told, socket: Path) -> None:
    told.go_on.clear()
    async with raw(socket) as session:
        response = await session.post("/v1/operations", json={"kind": "up"})
        await response.content.readline()
        response.close()
    told.go_on.set()
    async with RunnerClient(socket) as client:
        assert (await client.up())[0].phase == "RUNNING"


async def test_what_has_to_be_typed_comes_over_as_it_was_typed(
    told: Told, client: RunnerClient
) -> None:
    for call in (client.adopt, client.new_home):
        assert (await call("alice", confirm="alice", actor="cli:root")).id == "alice"
        assert ("confirmed", "alice", "cli:root") in told.asked
        told.asked.clear()
    await client.adopt("alice", confirm="alice", owner="bob")
    assert ("owner", "bob") in told.asked
    told.failure = NotConfirmedError("its file names carol by now, not bob")
    told.failure.owner = "carol"
    with pytest.raises(NotConfirmedError) as shown:
        await client.adopt("alice", confirm="alice", owner="bob")
    assert shown.value.owner == "carol"
    told.failure = None
    (rebuilt,) = await client.rebuild(actor="cli:root")
    assert rebuilt.id == "alice"
    assert ("rebuild", "cli:root") in told.asked


async def test_a_broken_stream_is_told(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "runner.sock"
    told.go_on.clear()
    async with RunnerClient(path) as client, asyncio.TaskGroup() as group:
        async with api.serving(path, told, {}):
            calling = group.create_task(_failure(client))
            await until(told.was_asked)
        failure = await calling
    assert isinstance(failure, RunnerUnreachableError)


async def _failure(client: RunnerClient) -> StacksError | None:
    try:
        await client.up()
    except StacksError as error:
        return error
    return None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"up"',
        b"{}",
        b'{"kind": "melt"}',
        b'{"kind": "purge"}',
        b'{"kind": "adopt"}',
        b'{"kind": "diff"}',
        b'{"kind": "diff", "ids": ["a", "b"]}',
        b'{"kind": "new-home", "ids": []}',
        b'{"kind": "adopt", "ids": ["a"], "options": {"confirm": null}}',
        b'{"kind": "adopt", "ids": ["a"], "options": {"confirm": "a", "owner": ["b"]}}',
        b'{"kind": "purge", "ids": ["a"], "options": {"confirm": 1}}',
        b'{"kind": "up", "options": {"max_delete": "3"}}',
        b'{"kind": "up", "options": {"max_delete": true}}',
        b'{"kind": "up", "options": {"max_delete": -1}}',
        b'{"kind": "up", "options": {"revision": "aaaaaaa"}}',
        b'{"kind": "up", "options": {"revision": {}}}',
        b'{"kind": "up", "options": {"revision": {"commit": "main"}}}',
        b'{"kind": "up", "options": {"revision": {"commit": "aaaaaaa", "allow_older": 1}}}',
        b'{"kind": "up", "ids": ["a"], "options": {"revision": {"commit": "aaaaaaa"}}}',
        b'{"kind": "up", "options": {"now": "yes"}}',
        b'{"kind": "up", "ids": "alice"}',
        b'{"kind": "up", "ids": [1]}',
        b'{"kind": "start"}',
        b'{"kind": "stop", "ids": []}',
        b'{"kind": "destroy", "ids": ["alice", "bob"]}',
        b'{"kind": "up", "options": []}',
        b'{"kind": "up", "options": {"prune": "yes"}}',
        b'{"kind": "retry"}',
        b'{"kind": "retry", "ids": ["alice"], "options": {"actor": 5}}',
        b'{"kind": "retry", "ids": ["alice"], "options": {"actor": "' + b"a" * 129 + b'"}}',
    ],
)
def test_bodies_that_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        wanted.parse(body)


def test_the_gateway_offers_as_many_lines_as_the_daemon_gives_in_one_piece() -> None:
    assert max(TAILS) == TAIL_MAX == MAX_LOG_TAIL


async def test_statuses_and_envelopes(told: Told, socket: Path) -> None:
    async with raw(socket) as session:
        for path, status, reason in [
            ("/v1/workspaces/alice/logs?tail=0", 400, "BAD_REQUEST"),
            ("/v1/workspaces/alice/logs?tail=10000001", 400, "BAD_REQUEST"),
            ("/v1/workspaces/alice/logs?tail=x", 400, "BAD_REQUEST"),
        ]:
            response = await session.get(path)
            assert response.status == status
            assert (await response.json())["error"]["reason"] == reason
        told.failure = UnknownWorkspaceError("none")
        assert (await session.get("/v1/workspaces/alice/logs")).status == 404
        told.failure = EngineUnavailableError("none")
        assert (await session.get("/v1/workspaces/alice/logs")).status == 503
        told.failure = FileStandsError("none")
        assert (await session.get("/v1/workspaces/alice/logs")).status == 409
        told.failure = None
        response = await session.get(
            "/v1/workspaces/alice/logs", headers={"X-Request-Id": "request-0006"}
        )
        assert response.headers["X-Request-Id"] == "request-0006"
        assert response.content_type == "text/plain"
        response = await session.post("/v1/operations", data=b"nonsense")
        assert response.status == 400
        assert json.loads(await response.read())["error"]["reason"] == "BAD_REQUEST"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_only_the_user_may_open_the_socket(socket: Path) -> None:
    assert mode(socket) == 0o600


async def test_files_and_templates_go_through(
    told: Told, client: RunnerClient, socket: Path
) -> None:
    told.seen = FileView(id="alice", text="owner: ü\n", revision="b", path="ws/alice.yaml")
    assert await client.file("alice") == told.seen
    assert await client.file("alice", at="HEAD~1 &x") == told.seen
    assert await client.templates() == [Template(name="small", text="owner: you\n")]
    assert await client.reasons(["alice", "bob"]) == {"alice": "", "bob": ""}
    assert told.files_asked == [
        ("file", "alice", ""),
        ("file", "alice", "HEAD~1 &x"),
        ("reasons", "alice", "bob"),
    ]
    with pytest.raises(BadRequestError, match="at most 100"):
        await client.reasons(["alice"] * 101)
    async with raw(socket) as session, session.get(f"/v1/files/alice?at={'x' * 201}") as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("failure", "status"),
    [(UnknownWorkspaceError("no"), 404), (NoVersionError("no"), 404), (GitError("away"), 503)],
)
async def test_files_that_are_not_there_are_told(
    told: Told, client: RunnerClient, socket: Path, failure: StacksError, status: int
) -> None:
    told.refused = failure
    with pytest.raises(type(failure)):
        await client.file("alice")
    async with raw(socket) as session, session.get("/v1/files/alice") as answer:
        assert answer.status == status


async def test_a_rollback_goes_through(told: Told, client: RunnerClient) -> None:
    told.made = Outcome(commit="c" * 40, url="https://forge.example.org/1")
    done = await client.rollback(
        "alice", to="HEAD~1", message="why", actor="cli:root", request_id="r" * 32
    )
    assert done == told.made
    assert told.files_asked == [("rollback", "alice", "HEAD~1", "why", "cli:root", "r" * 32)]
    told.refused = EditConflictError("bob was here")
    with pytest.raises(EditConflictError, match="bob was here"):
        await client.rollback("alice", to="HEAD~1")


@pytest.mark.parametrize("options", [{"to": 1}, {"to": "x" * 201}, {"message": "y" * 4001}])
def test_what_a_rollback_is_told_is_bounded(options: dict[str, object]) -> None:
    body = {"kind": "rollback", "ids": ["alice"], "options": options}
    with pytest.raises(BadRequestError):
        wanted.parse(json.dumps(body).encode())
