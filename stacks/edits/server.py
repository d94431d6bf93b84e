"""Workspace files on the runner's socket.

    GET  /v1/files/{id}?at=REV    one file: `model.FileView`
    GET  /v1/files?id=A&id=B      {"A": "", "B": "why it can't be edited"}, of those that are there
    GET  /v1/templates            [{"name", "text"}]

They are read only: an edit is asked for in the index, by whoever may write there.
"""

from dataclasses import asdict

from aiohttp import web

from stacks.errors import BadRequestError
from stacks.streams.server import RUNNER

AT_MAX = 200
"""Characters of a revision's name."""

IDS_MAX = 100
"""Workspaces that are asked about at once."""


def add_routes(app: web.Application) -> None:
    """Serve files, of the runner that the application has."""
    app.router.add_get("/v1/files/{id}", _file)
    app.router.add_get("/v1/files", _reasons)
    app.router.add_get("/v1/templates", _templates)


async def _file(request: web.Request) -> web.Response:
    at = request.query.get("at", "")
    if len(at) > AT_MAX:
        raise BadRequestError(f"at must be a revision of at most {AT_MAX} characters")
    found = await request.app[RUNNER].file(request.match_info["id"], at=at)
    return web.json_response(found.to_json())


async def _reasons(request: web.Request) -> web.Response:
    ids = request.query.getall("id", [])
    if len(ids) > IDS_MAX:
        raise BadRequestError(f"at most {IDS_MAX} files can be asked about at once")
    return web.json_response(await request.app[RUNNER].reasons(ids))


async def _templates(request: web.Request) -> web.Response:
    found = await request.app[RUNNER].templates()
    return web.json_response([asdict(one) for one in found])
