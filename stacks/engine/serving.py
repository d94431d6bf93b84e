"""Serves a program to a Pulumi CLI that has no language host for Python (`--client`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pulumi
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from stacks.engine.ready import grpc_server


@contextmanager
def serving(program: Callable[[], None]) -> Iterator[str]:
    """Serve a program on loopback as long as the block runs; gives ``host:port``."""
    server = grpc_server()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None)


def current_stack() -> str:
    """Give the name of the stack that Pulumi runs this program for."""
    return pulumi.get_stack()
