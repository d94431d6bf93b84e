"""Messages between the runner and a worker."""

import json
import socket
from pathlib import Path

from stacks.engine.model import EngineConfig, Kind, Operation
from stacks.engine.wire import Lines, Request, encode

REQUEST = Request(
    operation=Operation(kind=Kind.UP, stack="s", inputs={"id": "s"}, timeout=3.5),
    config=EngineConfig(
        pulumi=Path("/p"), pulumi_home=Path("/h"), state=Path("/s"), work=Path("/w")
    ),
    adopt=frozenset({"home"}),
)


def test_a_request_comes_back_as_it_was() -> None:
    assert Request.from_json(json.loads(encode(REQUEST.to_json()))) == REQUEST


def test_lines_are_whole_messages_until_the_other_end_closes() -> None:
    one, two = socket.socketpair()
    with one, two:
        lines = Lines(one)
        lines.send({"a": 1})
        assert two.recv(100) == b'{"a":1}\n'
        two.sendall(b'{"b":2}\n{"c"')
        messages = lines.receive()
        assert next(messages) == {"b": 2}
        two.sendall(b":3}\n")
        two.shutdown(socket.SHUT_WR)
        assert list(messages) == [{"c": 3}]
        lines.close()
