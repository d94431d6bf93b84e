"""How the gateway reads files of the runner: over its socket, bounded, errors as its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway import runner as module
from gateway.errors import NotFoundError, RunnerUnavailableError
from gateway.runner import RunnerClient
from state_index.index import Index
from state_index.models import RunnerInfo

SEEN = {"id": "alice", "text": "owner: ü\n", "revision": "b", "editable": True, "owner": "alice"}


class Told:
    """A runner's answers, and what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body: dict[str, Any] = SEEN
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query)))
        return web.json_response(self.body, status=self.status)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(f"sqlite:///{tmp_path}/index.db") as opened:
        opened.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="test"))
        yield opened


@pytest.fixture
def client(index: Index, tmp_path: Path) -> RunnerClient:
    return RunnerClient(index, tmp_path, timeout=5)


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    answers, app = Told(), web.Application()
    app.router.add_get("/v1/files/{id}", answers.answer)
    app.router.add_get("/v1/templates", answers.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.UnixSite(runner, tmp_path / "runner.sock").start()
    yield answers
    await runner.cleanup()


async def test_files_and_templates(told: Told, client: RunnerClient) -> None:
    assert await client.file("alice", request_id="r") == SEEN
    assert await client.file("alice", at="a&b=c", request_id="r") == SEEN
    await client.templates(request_id="r")
    assert told.asked == [
        ("/v1/files/alice", {}),
        ("/v1/files/alice", {"at": "a&b=c"}),
        ("/v1/templates", {}),
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((404, {"error": {"message": "no such version"}}), NotFoundError, "No such version."),
        ((404, {}), NotFoundError, "There is no such file."),
        ((503, {"error": {"message": "git: away"}}), RunnerUnavailableError, "Git: away."),
        ((409, {}), RunnerUnavailableError, "The runner could not read the file."),
    ],
)
async def test_refusals(
    told: Told, client: RunnerClient, answer: tuple[int, Any], kind: type[Exception], said: str
) -> None:
    told.status, told.body = answer
    with pytest.raises(kind, match=said):
        await client.file("alice", request_id="r")


async def test_more_than_a_file_can_be_is_not_taken(told: Told, client: RunnerClient) -> None:
    told.body = {"text": "x" * (module._FILES_MAX + 1)}
    with pytest.raises(RunnerUnavailableError):
        await client.file("alice", request_id="r")


async def test_without_a_runner(client: RunnerClient) -> None:
    with pytest.raises(RunnerUnavailableError):
        await client.templates(request_id="r")
